from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from sagemaker_eval.errors import Retry
from sagemaker_eval.model import Json, StaticKeys
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.describing import describe, outline
from sagemaker_eval.sagemaker.endpoint_facts import ComponentFacts, EndpointFacts, VariantFacts
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble
from sagemaker_eval.sagemaker.session import Target

ARN = "arn:aws:sagemaker:us-west-2:111111111111:endpoint/ep"
TGI = "763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-tgi-inference:2.4"
DIGEST = "763104351884.dkr.ecr.us-west-2.amazonaws.com/huggingface-pytorch-tgi-inference@sha256:1"
DENIED = ServiceFault(Trouble.DENIED, "denied", code="AccessDenied", hint=None, retry=Retry.NEVER)

ENDPOINT: dict[str, Any] = {
    "EndpointName": "ep",
    "EndpointArn": ARN,
    "EndpointConfigName": "config-1",
    "EndpointStatus": "InService",
    "CreationTime": 1_700_000_000,
    "LastModifiedTime": 1_700_000_500.5,
    "ProductionVariants": [
        {
            "VariantName": "blue",
            "CurrentWeight": 1.0,
            "CurrentInstanceCount": 2,
            "DeployedImages": [{"SpecifiedImage": TGI, "ResolvedImage": DIGEST}],
        }
    ],
}
CONFIG = {
    "ProductionVariants": [
        {"VariantName": "blue", "ModelName": "model-1", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    ]
}
MODEL = {"PrimaryContainer": {"Image": TGI, "Environment": {"HF_MODEL_ID": "org/m"}, "ModelDataUrl": "s3://b/m.tgz"}}
TAGS = {"Tags": [{"Key": "sagemaker-sdk:jumpstart-model-id", "Value": "meta-llama"}]}
PLAIN = {"DescribeEndpoint": ENDPOINT, "DescribeEndpointConfig": CONFIG, "DescribeModel": MODEL, "ListTags": TAGS}

COMPONENTS = {
    "DescribeEndpoint": {
        **ENDPOINT,
        "ProductionVariants": [{"VariantName": "all", "CurrentWeight": 1.0, "CurrentInstanceCount": 1}],
    },
    "DescribeEndpointConfig": {"ProductionVariants": [{"VariantName": "all", "InstanceType": "ml.g5.xlarge"}]},
    "ListInferenceComponents": {
        "InferenceComponents": [
            {"InferenceComponentName": name, "VariantName": "all", "InferenceComponentStatus": "InService"}
            for name in ("base", "adapter")
        ]
    },
    "DescribeInferenceComponent": {
        "InferenceComponentStatus": "Updating",
        "RuntimeConfig": {"CurrentCopyCount": 0},
        "Specification": {"ModelName": "model-1", "Container": {"Environment": {"A": "1"}}},
    },
    "DescribeModel": MODEL,
    "ListTags": {"Tags": []},
}


class Told(ControlPlane):
    """A control plane that gives these answers by operation, and fails where the answer is a fault."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        source = CredentialSource.of_keys(StaticKeys("AKIAEXAMPLE", "s"))
        super().__init__(Target("http://127.0.0.1:1", "us-west-2", "x", source), ConnectionPool(1))
        self.answers = answers
        self.asked: list[str] = []

    async def call(self, operation: str, payload: Mapping[str, Json]) -> dict[str, Json]:
        self.asked.append(operation)
        answer = self.answers.get(operation, DENIED)
        if isinstance(answer, ServiceFault):
            raise answer
        return dict(answer)


def described(answers: Mapping[str, Any]) -> EndpointFacts:
    return asyncio.run(describe(Told(answers), "ep"))


def test_a_real_time_endpoint_is_described_whole() -> None:
    facts = described(PLAIN)
    [variant] = facts.variants
    assert (facts.status, facts.takes_traffic, facts.kind, facts.region) == (
        "InService",
        True,
        "real-time",
        "us-west-2",
    )
    assert (facts.account, facts.config_name) == ("111111111111", "config-1")
    assert (facts.created, facts.last_modified) == (1_700_000_000, 1_700_000_500.5)
    assert variant.fleet == (("ml.g5.xlarge", 2),)
    assert variant.model is not None and variant.model.family is not None
    assert (variant.model.family.name, variant.model.environment) == (
        "Text Generation Inference", {"HF_MODEL_ID": "org/m"},
    )  # fmt: skip
    assert (facts.components, facts.jumpstart_model, facts.denied) == ((), "meta-llama", ())


def test_an_endpoint_of_components_lists_them_with_what_they_run() -> None:
    facts = described(COMPONENTS)
    assert (facts.kind, facts.jumpstart_model) == ("components", None)
    assert facts.components is not None
    assert [component.name for component in facts.components] == ["base", "adapter"]
    base = facts.component("base")
    assert base is not None and base.model is not None
    assert (base.status, base.copies, base.variant) == ("Updating", 0, "all")
    assert (base.model.image, base.model.environment) == (TGI, {"HF_MODEL_ID": "org/m", "A": "1"})


def test_a_model_of_several_parts_is_described_once() -> None:
    plane = Told(COMPONENTS)
    asyncio.run(describe(plane, "ep"))
    assert plane.asked.count("DescribeModel") == 1


def test_an_asynchronous_endpoint_says_where_answers_go() -> None:
    output = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://bucket/out"}}}
    facts = described({**PLAIN, "DescribeEndpoint": {**ENDPOINT, **output}})
    assert (facts.kind, facts.is_async, facts.async_output) == ("async", True, "s3://bucket/out")


def test_a_serverless_endpoint_has_a_concurrency_and_no_fleet() -> None:
    serverless = [{"VariantName": "v", "CurrentWeight": 1, "CurrentServerlessConfig": {"MaxConcurrency": 5}}]
    facts = described({**PLAIN, "DescribeEndpoint": {**ENDPOINT, "ProductionVariants": serverless}})
    assert (facts.kind, facts.serverless_concurrency) == ("serverless", 5)
    assert (facts.variants[0].fleet, facts.variants[0].scaled_to_zero) == ((), False)


def test_an_endpoint_that_is_being_created_has_the_variants_of_its_configuration() -> None:
    creating = {"EndpointStatus": "Creating", "EndpointConfigName": "config-1", "EndpointArn": ARN}
    facts = described({**PLAIN, "DescribeEndpoint": creating})
    assert ([variant.name for variant in facts.variants], facts.takes_traffic) == (["blue"], False)


def test_a_variant_of_several_instance_types_has_all_of_them_in_its_fleet() -> None:
    pools = [{"InstanceType": "ml.g5.xlarge", "CurrentInstanceCount": 2},
             {"InstanceType": "ml.g6.xlarge", "CurrentInstanceCount": 1}]  # fmt: skip
    running = [{"VariantName": "blue", "CurrentInstanceCount": 3, "InstancePools": pools}]
    facts = described({**PLAIN, "DescribeEndpoint": {**ENDPOINT, "ProductionVariants": running}})
    assert facts.variants[0].fleet == (("ml.g5.xlarge", 2), ("ml.g6.xlarge", 1))


def test_a_pipeline_that_is_called_directly_names_its_containers() -> None:
    model = {
        "Containers": [{"ContainerHostname": "first", "Image": TGI}, {"ContainerHostname": "second"}],
        "InferenceExecutionConfig": {"Mode": "Direct"},
    }
    known = described({**PLAIN, "DescribeModel": model}).model()
    assert known is not None and (known.hostnames, known.image) == (("first", "second"), TGI)
    serial = described({**PLAIN, "DescribeModel": {**model, "InferenceExecutionConfig": {"Mode": "Serial"}}}).model()
    assert serial is not None and serial.hostnames == ()


@pytest.mark.parametrize("operation", ["DescribeEndpointConfig", "DescribeModel", "ListTags"])
def test_a_denial_leaves_only_its_own_part_unknown(operation: str) -> None:
    facts = described({**PLAIN, operation: DENIED})
    assert (facts.status, facts.takes_traffic) == ("InService", True)
    assert operation in facts.denied
    assert facts.variants[0].image == DIGEST
    known = facts.model()
    assert known is not None and known.image == TGI


def test_whoever_may_describe_nothing_but_the_endpoint_still_sees_that() -> None:
    facts = described({"DescribeEndpoint": COMPONENTS["DescribeEndpoint"]})
    assert set(facts.denied) == {"DescribeEndpointConfig", "ListInferenceComponents", "ListTags"}
    assert (facts.hosts_components, facts.components, facts.kind) == (None, None, None)


def test_an_endpoint_that_cannot_be_described_at_all_raises() -> None:
    with pytest.raises(ServiceFault) as caught:
        described({"DescribeEndpoint": DENIED})
    assert caught.value is DENIED


@pytest.mark.parametrize(
    "members",
    [{"ProductionVariants": "blue"}, {"ProductionVariants": ["blue"]}, {"AsyncInferenceConfig": "yes"}],
)
def test_members_of_other_types_are_no_answer_of_a_control_plane(members: dict[str, Any]) -> None:
    with pytest.raises(ServiceFault, match="did not answer as SageMaker's control plane does") as caught:
        changed(**members)
    assert caught.value.trouble is Trouble.UNREACHABLE


def test_figures_and_texts_of_other_types_do_no_harm() -> None:
    variant = {"VariantName": "blue", "CurrentWeight": "half"}
    facts = changed(ProductionVariants=[variant], FailureReason=5, CreationTime="today")
    assert (facts.variants[0].weight, facts.failure_reason, facts.created) == (None, "5", None)


def test_the_outline_takes_two_calls() -> None:
    plane = Told(PLAIN)
    facts = asyncio.run(outline(plane, "ep"))
    assert plane.asked == ["DescribeEndpoint", "DescribeEndpointConfig"]
    assert facts.variants[0].fleet == (("ml.g5.xlarge", 2),)


def changed(**members: Any) -> EndpointFacts:
    return described({**PLAIN, "DescribeEndpoint": {**ENDPOINT, **members}})


def test_a_redeploy_changes_the_fingerprint_and_scaling_does_not() -> None:
    before = described(PLAIN).fingerprint()
    [variant] = ENDPOINT["ProductionVariants"]
    scaled = [{**variant, "CurrentInstanceCount": 5, "CurrentWeight": 2.0}]
    assert changed(ProductionVariants=scaled, LastModifiedTime=1_800_000_000).fingerprint() == before
    assert changed(EndpointConfigName="config-2").fingerprint() != before
    assert changed(CreationTime=1_700_000_001).fingerprint() != before


def test_the_fingerprint_of_a_component_ignores_its_neighbours() -> None:
    base = ComponentFacts("base", model=None)
    one = EndpointFacts("ep", "InService", "us-west-2", hosts_components=True, components=(base,))
    two = EndpointFacts(
        "ep", "InService", "us-west-2", hosts_components=True, components=(base, ComponentFacts("other", base="base"))
    )
    assert one.fingerprint("base") == two.fingerprint("base") != two.fingerprint("other")


def test_a_variant_without_instances_is_scaled_to_zero() -> None:
    assert VariantFacts("v", instance_type="ml.g5.xlarge", instances=0).scaled_to_zero
    assert not VariantFacts("v", instances=None).scaled_to_zero
