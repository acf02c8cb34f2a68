from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_eval.sandbox.control_plane import ControlPlane
from sagemaker_eval.sandbox.deployments import AsyncDeployment, Deployment, Serverless, Variant
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck
from tests.sandbox.plane_clients import KEY_ID, SECRET, connected
from tests.sandbox.plane_scripts import script

IMAGE = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.4"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"


def client(*missing: str, clock: Callable[[], float] = lambda: 0.0, secret: str = SECRET, **deployments: Any) -> Any:
    """A boto3 client of the control plane of these deployments, by glob."""
    plane = ControlPlane(script(deployments, missing), clock, SignatureCheck(KEY_ID, SECRET))
    return connected("sagemaker", plane.reply, secret)


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def names(listed: dict[str, Any], member: str = "Endpoints", name: str = "EndpointName") -> list[str]:
    return [row[name] for row in listed[member]]


def test_an_endpoint_that_no_rule_names_is_in_service() -> None:
    told = client().describe_endpoint(EndpointName="any")

    assert (told["EndpointStatus"], told["EndpointArn"]) == ("InService", f"{ARN}:endpoint/any")
    assert told["LastModifiedTime"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert told["ProductionVariants"] == [
        {
            "VariantName": "AllTraffic",
            "CurrentWeight": 1.0,
            "DesiredWeight": 1.0,
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
        }
    ]


def test_the_configuration_leads_to_the_model_and_the_model_to_its_image() -> None:
    sagemaker = client(llama=Deployment(image=IMAGE, environment={"HF_MODEL_ID": "org/model"}))

    config = sagemaker.describe_endpoint(EndpointName="llama")["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])

    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.g5.xlarge", 1)
    assert model["PrimaryContainer"]["Image"] == IMAGE
    assert model["PrimaryContainer"]["Environment"] == {"HF_MODEL_ID": "org/model"}


def test_each_variant_tells_its_weight_instances_image_and_model() -> None:
    both = (Variant("blue", 0.7, instances=2), Variant("green", 0.3, "ml.g6.xlarge"))
    sagemaker = client(split=Deployment(image=IMAGE, variants=both))

    running = sagemaker.describe_endpoint(EndpointName="split")["ProductionVariants"]
    configured = sagemaker.describe_endpoint_config(EndpointConfigName="split")["ProductionVariants"]

    assert [(each["VariantName"], each["CurrentWeight"], each["CurrentInstanceCount"]) for each in running] == [
        ("blue", 0.7, 2),
        ("green", 0.3, 1),
    ]
    assert running[1]["DeployedImages"][0]["ResolvedImage"] == IMAGE
    assert [(each["ModelName"], each["InstanceType"]) for each in configured] == [
        ("split-blue", "ml.g5.xlarge"),
        ("split-green", "ml.g6.xlarge"),
    ]
    assert sagemaker.describe_model(ModelName="split-green")["ModelArn"] == f"{ARN}:model/split-green"


def test_an_asynchronous_endpoint_tells_where_it_writes() -> None:
    settings = AsyncDeployment("s3://out/a", "s3://out/b", max_concurrent=4)
    sagemaker = client(queue=Deployment(asynchronous=settings))

    expected = {
        "OutputConfig": {"S3OutputPath": "s3://out/a", "S3FailurePath": "s3://out/b"},
        "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
    }
    assert sagemaker.describe_endpoint(EndpointName="queue")["AsyncInferenceConfig"] == expected
    assert sagemaker.describe_endpoint_config(EndpointConfigName="queue")["AsyncInferenceConfig"] == expected
    assert "AsyncInferenceConfig" not in sagemaker.describe_endpoint(EndpointName="another")


def test_a_serverless_endpoint_has_a_size_and_no_instances() -> None:
    sagemaker = client(small=Deployment(serverless=Serverless(4096, 7)))

    (running,) = sagemaker.describe_endpoint(EndpointName="small")["ProductionVariants"]
    (configured,) = sagemaker.describe_endpoint_config(EndpointConfigName="small")["ProductionVariants"]

    assert running["CurrentServerlessConfig"] == {"MemorySizeInMB": 4096, "MaxConcurrency": 7}
    assert configured["ServerlessConfig"] == running["CurrentServerlessConfig"]
    assert not {"CurrentInstanceCount", "InstanceType"} & (running.keys() | configured.keys())


def test_an_endpoint_of_components_has_no_model_in_its_configuration() -> None:
    sagemaker = client(shared=Deployment(image=IMAGE, components=("base", "adapter")))

    (configured,) = sagemaker.describe_endpoint_config(EndpointConfigName="shared")["ProductionVariants"]
    listed = sagemaker.list_inference_components(EndpointNameEquals="shared", SortBy="Name", SortOrder="Ascending")
    component = sagemaker.describe_inference_component(InferenceComponentName="base")

    assert "ModelName" not in configured
    assert names(listed, "InferenceComponents", "InferenceComponentName") == ["adapter", "base"]
    assert (component["EndpointName"], component["InferenceComponentStatus"]) == ("shared", "InService")
    assert component["Specification"]["Container"]["DeployedImage"]["ResolvedImage"] == IMAGE
    assert component["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert sagemaker.describe_model(ModelName="base")["PrimaryContainer"]["Image"] == IMAGE


def test_an_endpoint_that_is_scaled_to_zero_has_no_instances_now() -> None:
    sagemaker = client(asleep=Deployment(variants=(Variant(instances=0),), components=("base",)))

    (running,) = sagemaker.describe_endpoint(EndpointName="asleep")["ProductionVariants"]
    (configured,) = sagemaker.describe_endpoint_config(EndpointConfigName="asleep")["ProductionVariants"]

    assert running["CurrentInstanceCount"] == 0
    assert configured["ManagedInstanceScaling"]["MinInstanceCount"] == 0
    assert running["ManagedInstanceScaling"]["MinInstanceCount"] == 0
    assert sagemaker.describe_inference_component(InferenceComponentName="base")["RuntimeConfig"] == {
        "DesiredCopyCount": 0,
        "CurrentCopyCount": 0,
    }


def test_a_failed_endpoint_tells_why_and_so_does_its_component() -> None:
    sagemaker = client(dead=Deployment(status="Failed", failure_reason="No capacity", components=("base",)))

    told = sagemaker.describe_endpoint(EndpointName="dead")
    component = sagemaker.describe_inference_component(InferenceComponentName="base")

    assert (told["EndpointStatus"], told["FailureReason"]) == ("Failed", "No capacity")
    assert (component["InferenceComponentStatus"], component["FailureReason"]) == ("Failed", "No capacity")


def test_a_deployment_takes_its_time() -> None:
    now = [100.0]
    sagemaker = client(clock=lambda: now[0], new=Deployment(status="Creating", in_service_after=30))

    before = sagemaker.describe_endpoint(EndpointName="new")["EndpointStatus"]
    now[0] = 130.0

    assert (before, sagemaker.describe_endpoint(EndpointName="new")["EndpointStatus"]) == ("Creating", "InService")


def test_captured_data_goes_to_a_bucket_that_is_named() -> None:
    sagemaker = client(seen=Deployment(data_capture=True))

    capture = sagemaker.describe_endpoint(EndpointName="seen")["DataCaptureConfig"]
    configured = sagemaker.describe_endpoint_config(EndpointConfigName="seen")["DataCaptureConfig"]

    assert (capture["EnableCapture"], capture["CaptureStatus"]) == (True, "Started")
    assert capture["DestinationS3Uri"] == "s3://sagemaker-eu-west-1-123456789012/data-capture/seen"
    assert (configured["EnableCapture"], configured["DestinationS3Uri"]) == (True, capture["DestinationS3Uri"])


def test_lists_hold_the_endpoints_that_rules_name_in_full() -> None:
    rules: Any = {"b": None, "a": Deployment(status="Updating"), "any-*": None, "gone": None}
    sagemaker = client("gone", **rules)

    assert sorted(names(sagemaker.list_endpoints())) == ["a", "b"]
    assert names(sagemaker.list_endpoints(SortBy="Name", SortOrder="Ascending")) == ["a", "b"]
    assert names(sagemaker.list_endpoints(StatusEquals="Updating")) == ["a"]
    assert names(sagemaker.list_endpoints(NameContains="B")) == ["b"]
    assert names(sagemaker.list_endpoints(LastModifiedTimeAfter=datetime(2026, 6, 1, tzinfo=UTC))) == []


def test_lists_come_in_pages() -> None:
    rules: Any = {f"e{number:02}": None for number in range(25)}
    sagemaker = client(**rules)

    pages = list(sagemaker.get_paginator("list_endpoints").paginate(SortBy="Name", SortOrder="Ascending"))

    assert [len(names(page)) for page in pages] == [10, 10, 5]
    assert [name for page in pages for name in names(page)] == [f"e{number:02}" for number in range(25)]
    assert len(names(sagemaker.list_endpoints(MaxResults=100))) == 25


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"NextToken": "made-up"}, "The NextToken is not one that this service gave."),
        ({"MaxResults": 101}, "MaxResults must be a whole number from 1 to 100."),
        ({"SortBy": "Colour"}, "SortBy must be one of Name, CreationTime, Status."),
    ],
)
def test_a_list_must_be_asked_for_as_the_service_offers_it(members: dict[str, Any], message: str) -> None:
    assert refusal(lambda: client().list_endpoints(**members)) == ("ValidationException", message)


def test_tags_of_nothing_are_refused() -> None:
    arn = f"{ARN}:model/nothing"

    assert refusal(lambda: client().list_tags(ResourceArn=arn)) == (
        "ValidationException",
        f"The resource {arn} does not exist.",
    )


def test_components_are_listed_by_endpoint_variant_and_name() -> None:
    sagemaker = client(one=Deployment(components=("a", "b")), two=Deployment(components=("c",)))

    def found(**filters: str) -> list[str]:
        return names(sagemaker.list_inference_components(**filters), "InferenceComponents", "InferenceComponentName")

    assert found() == ["a", "b", "c"]
    assert found(EndpointNameEquals="two") == ["c"]
    assert found(NameContains="b") == ["b"]
    assert found(VariantNameEquals="AllTraffic", EndpointNameEquals="one") == ["a", "b"]
    assert found(VariantNameEquals="blue") == []


def test_tags_are_those_of_the_endpoint() -> None:
    rules: Any = {"jump-*": Deployment(tags={"sagemaker-sdk:jumpstart-model-id": "a-model"})}
    sagemaker = client(**rules)

    tags = sagemaker.list_tags(ResourceArn=f"{ARN}:endpoint/jump-1")["Tags"]

    assert tags == [{"Key": "sagemaker-sdk:jumpstart-model-id", "Value": "a-model"}]
    assert sagemaker.list_tags(ResourceArn=f"{ARN}:endpoint/plain")["Tags"] == []


@pytest.mark.parametrize(
    ("operation", "member", "what", "kind"),
    [
        ("describe_endpoint", "EndpointName", "endpoint", "endpoint"),
        ("describe_endpoint_config", "EndpointConfigName", "endpoint configuration", "endpoint-config"),
        ("describe_model", "ModelName", "model", "model"),
        ("describe_inference_component", "InferenceComponentName", "inference component", "inference-component"),
    ],
)
def test_what_does_not_exist_is_not_found(operation: str, member: str, what: str, kind: str) -> None:
    call = getattr(client("gone*"), operation)

    assert refusal(lambda: call(**{member: "gone-1"})) == (
        "ValidationException",
        f'Could not find {what} "{ARN}:{kind}/gone-1".',
    )


@pytest.mark.parametrize("name", ["a_b", "a" * 64])
def test_names_that_no_endpoint_can_have_are_refused(name: str) -> None:
    code, message = refusal(lambda: client().describe_endpoint(EndpointName=name))

    assert code == "ValidationException"
    assert message.startswith(f"1 validation error detected: Value '{name}' at 'endpointName'")


def test_denied_operations_are_told_apart_from_missing_endpoints() -> None:
    sagemaker = client(secret=SECRET, shut=Deployment(denied=frozenset({"DescribeEndpoint", "ListEndpoints"})))

    code, message = refusal(lambda: sagemaker.describe_endpoint(EndpointName="shut"))

    assert code == "AccessDeniedException"
    assert f"not authorized to perform: sagemaker:DescribeEndpoint on resource: {ARN}:endpoint/shut" in message
    assert refusal(sagemaker.list_endpoints)[0] == "AccessDeniedException"
    assert sagemaker.describe_endpoint(EndpointName="open")["EndpointStatus"] == "InService"
    assert sagemaker.describe_endpoint_config(EndpointConfigName="shut")["ProductionVariants"]


def test_a_wrong_key_is_refused_in_the_words_of_the_protocol() -> None:
    code, _ = refusal(lambda: client(secret="another").describe_endpoint(EndpointName="any"))

    assert code == "InvalidSignatureException"


def test_operations_that_change_something_are_unknown() -> None:
    code, message = refusal(lambda: client().delete_endpoint(EndpointName="any"))

    assert (code, message) == ("UnknownOperationException", "The sandbox does not know the operation DeleteEndpoint.")


def test_other_requests_are_not_for_the_control_plane() -> None:
    plane = ControlPlane(script(), lambda: 0.0)

    assert plane.reply(Incoming("POST", "/endpoints/e/invocations", {}, b"{}")) is None
    assert plane.reply(Incoming("POST", "/", {"x-amz-target": "AWSPriceListService.GetProducts"}, b"{}")) is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "SerializationException"),
        (b"{", "SerializationException"),
        (b"\xff", "SerializationException"),
        (b"", "ValidationException"),
        (b'{"EndpointName":7}', "ValidationException"),
    ],
)
def test_a_body_must_be_an_object_with_the_members_that_are_required(body: bytes, code: str) -> None:
    reply = ControlPlane(script(), lambda: 0.0).reply(
        Incoming("POST", "/", {"x-amz-target": "SageMaker.DescribeEndpoint"}, body)
    )

    assert reply is not None
    assert json.loads(reply.body)["__type"] == code
