from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import Retry, SetupError
from sagemaker_eval.model import Json, Operation, ProviderSpec, SageMakerOptions, StaticKeys
from sagemaker_eval.providers.preflight import Findings, Preflight, findings
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.endpoint_facts import ComponentFacts, EndpointFacts, ModelFacts, VariantFacts
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble
from sagemaker_eval.sagemaker.prices import Price, PriceList
from sagemaker_eval.sagemaker.session import Target, static_target
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.server import Sandbox

TGI = ModelFacts("m", "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.4")
VLLM = ModelFacts("m", "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.11")
TEI = ModelFacts("m", "763104351884.dkr.ecr.us-east-1.amazonaws.com/tei:2.0")

BLUE = VariantFacts("blue", weight=3, instance_type="ml.g5.xlarge", instances=1)
GREEN = VariantFacts("green", weight=1, instance_type="ml.g5.xlarge", instances=1)
PLAIN = EndpointFacts("ep", "InService", "us-east-1", variants=(BLUE,), hosts_components=False, components=())
HOSTING = replace(PLAIN, hosts_components=True)
OPTIONS = SageMakerOptions("ep", model_type="huggingface")


def spec(**settings: Any) -> ProviderSpec:
    return ProviderSpec("sagemaker:ep", "sagemaker", **settings)


def found(facts: EndpointFacts, concurrency: int | None = 4, **options: Any) -> Findings:
    return findings(facts, replace(OPTIONS, **options), spec(), concurrency)


def refusal(facts: EndpointFacts, **options: Any) -> SetupError:
    refused = found(facts, **options).refusal
    assert refused is not None
    return refused


def note(facts: EndpointFacts, **options: Any) -> str:
    """The only note."""
    result = found(facts, **options)
    assert result.refusal is None
    [only] = result.notes
    return only


def with_model(model: ModelFacts) -> EndpointFacts:
    return replace(PLAIN, variants=(replace(BLUE, model=model),))


def test_an_endpoint_that_fits_gives_nothing_to_say() -> None:
    assert found(with_model(TGI)) == Findings()


@pytest.mark.parametrize("status", ["Creating", "Deleting", "Failed", "OutOfService"])
def test_an_endpoint_that_takes_no_calls_is_refused_with_its_reason(status: str) -> None:
    facts = replace(PLAIN, status=status, failure_reason="The container did not pass the ping.")
    error = refusal(facts)
    assert error.message == f"endpoint `ep` takes no calls: its status is {status}: The container did not pass the ping"
    assert error.hint


@pytest.mark.parametrize("status", ["SystemUpdating", "InService"])
def test_an_endpoint_under_maintenance_answers_as_ever(status: str) -> None:
    assert found(replace(PLAIN, status=status)) == Findings()


def test_an_endpoint_that_is_being_changed_may_answer_with_either_model() -> None:
    assert "may come from before and after" in note(replace(PLAIN, status="Updating"))


def test_async_settings_and_async_endpoints_belong_together() -> None:
    queued = replace(PLAIN, is_async=True)
    assert "set `async: true`" in str(refusal(queued).hint)
    assert "remove `async`" in str(refusal(PLAIN, operation=Operation.ASYNC).hint)
    assert found(queued, operation=Operation.ASYNC) == Findings()


def test_the_only_component_is_chosen_and_named() -> None:
    result = found(replace(HOSTING, components=(ComponentFacts("base", status="InService"),)))
    assert (result.refusal, result.component) == (None, "base")
    assert result.notes == ("endpoint `ep` hosts one inference component, and calls go to it: `base`",)


def test_of_several_components_the_user_has_to_name_one() -> None:
    several = replace(HOSTING, components=(ComponentFacts("base"), ComponentFacts("adapter")))
    error = refusal(several)
    assert error.message == "endpoint `ep` hosts 2 inference components, and the provider names none"
    assert error.hint == "set `inferenceComponentName` in its `config` to one of `base`, `adapter`"
    assert found(several, routing={"InferenceComponentName": "adapter"}) == Findings()


def test_many_components_are_not_all_listed() -> None:
    many = replace(HOSTING, components=tuple(ComponentFacts(f"c{number}") for number in range(30)))
    assert str(refusal(many).hint).endswith("`c19` and 10 more")


def test_an_unknown_component_has_a_nearest_one() -> None:
    several = replace(HOSTING, components=(ComponentFacts("base"), ComponentFacts("adapter")))
    error = refusal(several, routing={"InferenceComponentName": "adaptor"})
    assert error.message == "endpoint `ep` has no inference component `adaptor`"
    assert error.hint == "did you mean `adapter`? there are: `base`, `adapter`"


def test_a_component_that_takes_no_calls_is_refused() -> None:
    failed = replace(HOSTING, components=(ComponentFacts("base", status="Failed", failure_reason="No memory."),))
    assert refusal(failed).message == "inference component `base` takes no calls: its status is Failed: No memory"


def test_an_endpoint_waiting_for_its_first_component_is_refused() -> None:
    assert "none is deployed on it" in refusal(HOSTING).message


def test_a_component_on_an_endpoint_without_any_is_refused() -> None:
    error = refusal(PLAIN, routing={"InferenceComponentName": "base"})
    assert error.message == "endpoint `ep` hosts no inference components"


@pytest.mark.parametrize("hosts", [True, None])
def test_components_that_may_not_be_listed_are_left_to_the_call(hosts: bool | None) -> None:
    assert found(replace(PLAIN, hosts_components=hosts, components=None)) == Findings()


def test_names_that_are_templates_are_left_to_the_call() -> None:
    several = replace(HOSTING, components=(ComponentFacts("base"), ComponentFacts("adapter")))
    assert found(several, routing={"InferenceComponentName": "{{ component }}"}) == Findings()
    assert found(PLAIN, routing={"TargetVariant": "{{ variant }}"}) == Findings()


def test_an_unknown_variant_has_a_nearest_one() -> None:
    error = refusal(replace(PLAIN, variants=(BLUE, GREEN)), routing={"TargetVariant": "gren"})
    assert error.message == "endpoint `ep` has no variant `gren`"
    assert error.hint == "did you mean `green`? there are: `blue`, `green`"


def test_split_traffic_is_said_with_the_way_to_pin_it() -> None:
    split = replace(PLAIN, variants=(BLUE, GREEN))
    assert note(split) == (
        "endpoint `ep` splits its traffic (`blue` 75%, `green` 25%), so answers of several variants are mixed; "
        "`variants: [blue, green]` makes a column of each"
    )
    assert found(split, routing={"TargetVariant": "blue"}) == Findings()
    assert found(replace(PLAIN, variants=(BLUE, replace(GREEN, weight=0.0)))) == Findings()


def test_a_multi_model_endpoint_has_to_be_told_the_model() -> None:
    facts = with_model(replace(TGI, multi_model=True))
    assert "set `targetModel`" in str(refusal(facts).hint)
    assert found(facts, routing={"TargetModel": "a.tar.gz"}) == Findings()


def test_a_pipeline_that_is_called_directly_has_to_be_told_the_container() -> None:
    facts = with_model(replace(TGI, hostnames=("first", "second")))
    assert refusal(facts).hint == "set `targetContainerHostname` in its `config` to one of `first`, `second`"
    error = refusal(facts, routing={"TargetContainerHostname": "fist"})
    assert error.hint == "did you mean `first`? there are: `first`, `second`"
    assert found(facts, routing={"TargetContainerHostname": "second"}) == Findings()


def test_more_calls_than_a_serverless_endpoint_takes_are_noted() -> None:
    serverless = replace(PLAIN, variants=(VariantFacts("v", serverless_concurrency=5),))
    assert found(serverless, concurrency=5) == Findings()
    assert found(serverless, concurrency=None) == Findings()
    told = found(serverless, concurrency=20).notes[0]
    assert "takes 5 calls at a time, this provider makes 20" in told and "4 MB" in told


def test_the_concurrency_of_the_provider_wins_and_one_that_is_sought_is_not_judged() -> None:
    serverless = replace(PLAIN, variants=(VariantFacts("v", serverless_concurrency=5),))
    assert findings(serverless, OPTIONS, spec(max_concurrency=6), 1).notes
    assert not findings(serverless, OPTIONS, spec(max_concurrency=6, adaptive=True), 9).notes


def test_an_endpoint_that_is_scaled_to_zero_is_waited_for_or_not() -> None:
    asleep = replace(PLAIN, variants=(replace(BLUE, instances=0),))
    assert note(asleep) == "endpoint `ep` is scaled to zero: the first call waits for it, up to 900 s"
    assert "`warmUp` is off" in note(asleep, warm_up_s=0)


def test_a_queue_waits_by_itself_for_an_instance() -> None:
    asleep = replace(PLAIN, is_async=True, variants=(replace(BLUE, instances=0),))
    assert found(asleep, operation=Operation.ASYNC) == Findings()


def test_only_the_pinned_variant_and_the_called_component_count_as_asleep() -> None:
    one_asleep = replace(PLAIN, variants=(BLUE, replace(GREEN, instances=0)))
    assert "`green`" not in str(found(one_asleep, routing={"TargetVariant": "blue"}).notes)
    assert "scaled to zero" in note(one_asleep, routing={"TargetVariant": "green"})
    copies = replace(HOSTING, components=(ComponentFacts("a", copies=0), ComponentFacts("b", copies=1)))
    assert "component `a` is scaled to zero" in note(copies, routing={"InferenceComponentName": "a"})
    assert found(copies, routing={"InferenceComponentName": "b"}) == Findings()


def test_captured_data_is_said_aloud() -> None:
    assert note(replace(PLAIN, data_capture=True)) == (
        "endpoint `ep` captures data: prompts and answers are stored in S3"
    )


def test_a_model_type_that_does_not_fit_the_container_is_noted_with_a_better_one() -> None:
    assert note(with_model(VLLM)) == (
        "the container of endpoint `ep` is vLLM, which `modelType: huggingface` does not fit: set `modelType: openai`"
    )


def test_custom_is_doubted_only_where_nobody_wrote_it() -> None:
    assert "set `modelType: openai`" in note(with_model(VLLM), model_type="custom")
    assert found(with_model(VLLM), model_type="custom", written={"modelType": "custom"}) == Findings()
    named = ProviderSpec("sagemaker:custom:ep", "sagemaker")
    assert findings(with_model(VLLM), replace(OPTIONS, model_type="custom"), named) == Findings()


def test_texts_and_embeddings_are_told_apart() -> None:
    assert "`sagemaker:embedding:ep` asks for them" in note(with_model(TEI))
    assert "makes no embeddings" in note(with_model(TGI), embedding=True)
    assert found(with_model(TEI), embedding=True) == Findings()


def test_the_model_of_the_called_component_counts() -> None:
    facts = replace(HOSTING, components=(ComponentFacts("a", model=TGI), ComponentFacts("b", model=VLLM)))
    assert found(facts, routing={"InferenceComponentName": "a"}) == Findings()
    assert "vLLM" in note(facts, routing={"InferenceComponentName": "b"})


def test_checks_that_the_caller_may_not_make_are_named_in_one_note() -> None:
    facts = replace(PLAIN, denied=("ListTags", "DescribeModel", "DescribeEndpointConfig"))
    assert note(facts) == (
        "endpoint `ep` is checked in part only: the caller may not `sagemaker:DescribeEndpointConfig`, "
        "`sagemaker:DescribeModel`"
    )
    assert found(replace(PLAIN, denied=("ListTags",))) == Findings()


SCRIPT = """
endpoints:
  ep:
    deployment:
      image: 763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.11
      components: [base]
      dataCapture: true
      prices: {ml.g5.xlarge: 1.41}
"""


def test_the_sandbox_can_be_examined_and_priced() -> None:
    async def story(sandbox: Sandbox) -> tuple[Findings, Price]:
        keys = (sandbox.access_key_id, sandbox.secret_access_key)
        target, pool = static_target(sandbox.url, "us-east-1", "sandbox", *keys), ConnectionPool(4, proxies=False)
        try:
            facts, result = await Preflight(ControlPlane(target, pool)).examine(OPTIONS, spec())
            assert facts is not None
            [(instance_type, _)] = facts.variants[0].fleet
            return result, await PriceList.of(target, pool).hourly(instance_type, "us-east-1")
        finally:
            await pool.close()

    with Sandbox(SandboxScript.parse(parse_yaml(SCRIPT, "s.yaml"), "s.yaml")) as sandbox:
        result, price = asyncio.run(story(sandbox))
    assert (result.component, price) == ("base", Price(1.41))
    assert ["captures data" in note or "vLLM" in note for note in result.notes] == [False, True, True]


class Told(ControlPlane):
    """A control plane that has these answers, and fails where the answer is a fault."""

    def __init__(self, **answers: Any) -> None:
        source = CredentialSource.of_keys(StaticKeys("AKIAEXAMPLE", "s"))
        super().__init__(Target("http://127.0.0.1:1", "us-east-1", "x", source), ConnectionPool(1))
        self.answers = answers
        self.asked: list[str] = []

    async def call(self, operation: str, payload: Mapping[str, Json]) -> dict[str, Json]:
        self.asked.append(operation)
        answer = self.answers[operation]
        if isinstance(answer, ServiceFault):
            raise answer
        return dict(answer)


def trouble(kind: Trouble) -> ServiceFault:
    return ServiceFault(kind, "it failed", code="Code", hint=None, retry=Retry.NEVER)


def examined(**answers: Any) -> tuple[EndpointFacts | None, Findings]:
    return asyncio.run(Preflight(Told(**answers)).examine(OPTIONS, spec()))


def test_an_endpoint_is_described_and_judged() -> None:
    facts, result = examined(DescribeEndpoint={"EndpointStatus": "Failed"}, ListInferenceComponents={})
    assert facts is not None and facts.status == "Failed"
    assert result.refusal is not None


def test_providers_of_one_endpoint_share_its_description() -> None:
    plane = Told(DescribeEndpoint={"EndpointStatus": "InService"}, ListInferenceComponents={})

    async def story() -> None:
        preflight = Preflight(plane)
        other = replace(OPTIONS, operation=Operation.ASYNC)
        one, two = await asyncio.gather(preflight.examine(OPTIONS, spec()), preflight.examine(other, spec()))
        assert one[0] is two[0]
        assert (one[1].refusal is None, two[1].refusal is None) == (True, False)

    asyncio.run(story())
    assert plane.asked.count("DescribeEndpoint") == 1


def test_an_endpoint_that_does_not_exist_is_refused_with_one_like_it() -> None:
    listed = {"Endpoints": [{"EndpointName": "other"}, {"EndpointName": "epp"}]}
    facts, result = examined(DescribeEndpoint=trouble(Trouble.NOT_FOUND), ListEndpoints=listed)
    assert facts is None and result.refusal is not None
    assert result.refusal.message == "endpoint `ep` not found in us-east-1"
    assert str(result.refusal.hint).startswith("did you mean `epp`?")


def test_a_missing_endpoint_is_refused_though_nothing_may_be_listed() -> None:
    _, result = examined(DescribeEndpoint=trouble(Trouble.NOT_FOUND), ListEndpoints=trouble(Trouble.DENIED))
    assert result.refusal is not None and "did you mean" not in str(result.refusal.hint)


def test_a_denied_description_is_a_note_that_names_the_permission() -> None:
    facts, result = examined(DescribeEndpoint=trouble(Trouble.DENIED))
    assert (facts, result.refusal) == (None, None)
    assert result.notes == (
        "endpoint `ep` is not checked before the run: the caller may not `sagemaker:DescribeEndpoint`",
    )


@pytest.mark.parametrize("kind", [Trouble.UNREACHABLE, Trouble.FAILED, Trouble.SETUP])
def test_any_other_failure_is_left_to_the_call_itself(kind: Trouble, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "sagemaker_eval")
    assert examined(DescribeEndpoint=trouble(kind)) == (None, Findings())
    assert "it failed" in caplog.text


class Silent(Told):
    """A control plane that never answers."""

    async def call(self, operation: str, payload: Mapping[str, Json]) -> dict[str, Json]:
        self.asked.append(operation)
        await asyncio.Event().wait()
        return {}


def test_a_run_is_not_held_up_by_a_slow_control_plane(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "sagemaker_eval")
    plane = Silent()
    assert asyncio.run(Preflight(plane, patience_s=0.0).examine(OPTIONS, spec())) == (None, Findings())
    assert plane.asked == ["DescribeEndpoint"]
    assert "did not tell all within 0 s" in caplog.text
