from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.faults import FAULTS
from sagemaker_eval.sandbox.invocations import read_invocation
from sagemaker_eval.sandbox.openai_path import BearerCheck
from sagemaker_eval.sandbox.replies import Ending, Reply
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.script_entries import FaultsEntry
from sagemaker_eval.sandbox.service import Service
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck
from sagemaker_eval.sandbox.streaming import STREAM_FAULTS

Ask = Callable[..., Reply]


class Unsigned(SignatureCheck):
    """Accepts every request as one for us-east-1."""

    def __init__(self) -> None:
        super().__init__("KEY", "secret")

    def region(self, incoming: Incoming) -> str:
        return "us-east-1"


def asking(script: Json = None, clock: Callable[[], float] = lambda: 0.0) -> Ask:
    """A function that sends a text to an endpoint of a new service."""
    parsed = SandboxScript.parse(script, "script.yaml")
    service = Service(parsed, Unsigned(), BearerCheck("KEY", "secret", clock), clock)

    def ask(endpoint: str = "llama-3", text: str = "hello", **more: Any) -> Reply:
        body = json.dumps({"inputs": text, **more}).encode()
        incoming = Incoming("POST", f"/endpoints/{endpoint}/invocations", {}, body)
        return service.reply(incoming, read_invocation(incoming))

    return ask


def faulty(**faults: Json) -> Ask:
    return asking({"endpoints": {"*": {"faults": faults}}})


def code(reply: Reply) -> str:
    """The error code as clients read it, `200` and the like where there is none."""
    return dict(reply.headers).get("x-amzn-ErrorType", f"{reply.status}:").removesuffix(":")


def document(reply: Reply) -> Any:
    return json.loads(reply.body)


def test_without_a_script_every_endpoint_answers() -> None:
    assert document(asking()("any-name"))["generated_text"]


def test_the_same_question_gets_the_same_answer_and_another_endpoint_answers_differently() -> None:
    text = "Explain how a steam engine works"

    assert asking()("one", text) == asking()("one", text)
    assert asking()("one", text).body != asking()("two", text).body


def test_missing_endpoints_are_not_found() -> None:
    reply = asking({"missing": ["gone-*"]})("gone-x")

    assert (reply.status, code(reply)) == (400, "ValidationError")
    assert document(reply) == {"Message": "Endpoint gone-x of account 123456789012 not found."}


@pytest.mark.parametrize("name", ["a_b", "-a", "ä", "a" * 64])
def test_names_that_no_endpoint_can_have_are_refused(name: str) -> None:
    reply = asking()(name)

    assert code(reply) == "ValidationError"
    assert document(reply)["Message"].startswith(f"1 validation error detected: Value '{name}' at 'endpointName'")


@pytest.mark.parametrize(
    ("fault", "status", "error", "body"),
    [
        ("throttling", 400, "ThrottlingException", {"message": None}),
        ("unavailable", 503, "ServiceUnavailable", "The service is currently unavailable"),
        ("internalFailure", 500, "InternalFailure", {"Message": None}),
        ("internalDependency", 530, "InternalDependencyException", "because of a dependency"),
        ("accessDenied", 403, "AccessDeniedException", "not authorized to perform: sagemaker:InvokeEndpoint"),
        (
            "expiredToken",
            403,
            "ExpiredTokenException",
            {"message": "The security token included in the request is expired"},
        ),
        ("notFound", 400, "ValidationError", {"Message": "Endpoint llama-3 of account 123456789012 not found."}),
        ("noCapacity", 400, "ValidationError", {"Message": "Endpoint llama-3 has no capacity to serve the request."}),
        ("validation", 400, "ValidationError", "not valid for this endpoint"),
        ("batchFailed", 200, "200", {"code": 424, "message": "Batch inference failed"}),
        ("generationFailed", 200, "200", '"finish_reason":"error"'),
    ],
)
def test_each_fault_has_its_literal_form(fault: str, status: int, error: str, body: Json) -> None:
    reply = faulty(**{fault: 1})()

    assert (reply.status, code(reply)) == (status, error)
    if isinstance(body, str):
        assert body in reply.body.decode()
    else:
        assert document(reply) == body


def test_a_bad_gateway_answers_in_html_without_a_code() -> None:
    reply = faulty(badGateway=1)()

    assert (reply.status, reply.content_type, reply.headers) == (502, "text/html", ())
    assert b"502 Bad Gateway" in reply.body


def test_faults_of_the_connection() -> None:
    assert faulty(emptyBody=1)().body == b""
    assert faulty(disconnect=1)().ending is Ending.CUT
    assert faulty(truncated=1)().ending is Ending.TRUNCATED
    assert faulty(timeout=1)().ending is Ending.NEVER


def test_a_model_error_carries_the_answer_of_the_container() -> None:
    reply = faulty(modelError={"share": 1, "status": 503, "message": "busy"})()

    assert (reply.status, code(reply)) == (424, "ModelError")
    assert document(reply) == {
        "ErrorCode": "SERVER_ERROR_FROM_MODEL",
        "LogStreamArn": "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/llama-3",
        "Message": 'Received server error (503) from primary with message "busy". See '
        "https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        "#logEventViewer:group=/aws/sagemaker/Endpoints/llama-3 in account 123456789012 for more information.",
        "OriginalMessage": "busy",
        "OriginalStatusCode": 503,
    }


def test_status_0_is_a_time_out_of_the_container() -> None:
    failure = document(faulty(modelError={"share": 1, "status": 0})())

    assert failure["OriginalStatusCode"] == 0
    assert failure["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out'
    )


def test_a_script_can_set_every_fault_that_there_is() -> None:
    settable = set(FaultsEntry.known_keys()) - {"coldStart"} | {"modelNotReady"}

    assert settable == {*FAULTS.names(), *STREAM_FAULTS.names()}


def test_first_attempts_fail_in_turn_and_then_the_request_succeeds() -> None:
    ask = faulty(throttling={"first": 1}, unavailable={"first": 2})

    assert [code(ask(text="a")) for _ in range(4)] == ["ThrottlingException", *["ServiceUnavailable"] * 2, "200"]
    assert code(ask(text="b")) == "ThrottlingException"


def test_shares_hold_and_do_not_depend_on_the_order_of_calls() -> None:
    faults = {"throttling": 0.3, "modelError": 0.2}
    texts = [f"question {number}" for number in range(1000)]

    forward, backward = faulty(**faults), faulty(**faults)
    one = {text: code(forward(text=text)) for text in texts}
    other = {text: code(backward(text=text)) for text in reversed(texts)}

    assert one == other
    outcomes = list(one.values())
    assert 250 < outcomes.count("ThrottlingException") < 350
    assert 150 < outcomes.count("ModelError") < 250


def test_another_seed_draws_other_faults() -> None:
    def outcomes(seed: int) -> list[str]:
        ask = asking({"endpoints": {"*": {"seed": seed, "faults": {"throttling": 0.5}}}})
        return [code(ask(text=str(number))) for number in range(50)]

    assert outcomes(1) == outcomes(1)
    assert outcomes(1) != outcomes(2)


def test_an_attempt_that_failed_may_succeed_later() -> None:
    ask = faulty(throttling=0.5)

    assert {code(ask(text="again")) for _ in range(40)} == {"ThrottlingException", "200"}


def test_a_cold_endpoint_is_not_ready_for_its_first_requests() -> None:
    ask = faulty(coldStart=2)

    assert [code(ask("a", text=str(number))) for number in range(3)] == [*["ModelNotReadyException"] * 2, "200"]
    assert ask("b").status == 429


def test_a_cold_endpoint_is_not_ready_for_some_seconds() -> None:
    now = [100.0]
    ask = asking({"endpoints": {"*": {"faults": {"coldStart": {"seconds": 3}}}}}, lambda: now[0])

    statuses = []
    for moment in (100.0, 102.9, 103.0):
        now[0] = moment
        statuses.append(ask().status)
    assert statuses == [429, 429, 200]


def test_latency_belongs_to_the_container_and_not_to_the_service() -> None:
    def delay(**faults: Json) -> float:
        return asking({"endpoints": {"*": {"latency": 120, "faults": faults}}})().delay_ms

    assert (delay(), delay(modelError=1), delay(throttling=1)) == (120, 120, 0)


def test_jitter_stays_within_its_bounds() -> None:
    ask = asking({"endpoints": {"*": {"latency": 10, "jitter": 30}}})

    delays = [ask(text=str(number)).delay_ms for number in range(200)]

    assert 0 <= min(delays) < 5 < 35 < max(delays) < 40


def test_the_first_rule_and_the_first_answer_that_fit_count() -> None:
    ask = asking(
        {
            "endpoints": {
                "mistral-*": {"answers": [{"pattern": "tea", "answer": "A"}, {"pattern": "t", "answer": "B"}]},
                "*": {"answers": [{"answer": "C"}]},
            }
        }
    )

    asked = [("mistral-1", "tea"), ("mistral-1", "toast"), ("other", "tea")]
    assert [document(ask(*pair))["generated_text"] for pair in asked] == ["A", "B", "C"]


def test_an_answer_may_use_the_groups_of_its_pattern() -> None:
    answers = [{"pattern": r"from (\w+) to (?P<there>\w+)", "answer": r"\g<there> is far from \1"}]

    reply = asking({"endpoints": {"*": {"answers": answers}}})(text="A trip from Rome to Oslo")

    assert document(reply)["generated_text"] == "Oslo is far from Rome"


def test_an_answer_takes_the_shape_that_the_script_names() -> None:
    ask = asking({"endpoints": {"*": {"shape": "tgi", "answers": [{"answer": r"C:\1"}]}}})

    assert document(ask()) == [{"generated_text": r"C:\1"}]


def test_whole_bodies_go_out_as_they_are() -> None:
    answers = [
        {"pattern": "nested", "body": {"custom": {"responseField": "ü"}}},
        {"pattern": "json", "body": '{"a":  1}'},
        {"pattern": "csv", "body": "1,2", "contentType": "text/csv"},
        {"pattern": "null", "body": None},
        {"body": "plain"},
    ]
    ask = asking({"endpoints": {"*": {"answers": answers}}})

    replies = [ask(text=text) for text in ("nested", "json", "csv", "null", "")]
    assert [(reply.body.decode(), reply.content_type) for reply in replies] == [
        ('{"custom":{"responseField":"ü"}}', "application/json"),
        ('{"a":  1}', "application/json"),
        ("1,2", "text/csv"),
        ("null", "application/json"),
        ("plain", "text/plain; charset=utf-8"),
    ]


def test_a_whole_body_with_an_error_status_is_a_model_error() -> None:
    answers = [{"body": {"error": "too long"}, "status": 413}]

    failure = document(asking({"endpoints": {"*": {"answers": answers}}})())

    assert (failure["OriginalStatusCode"], failure["OriginalMessage"]) == (413, '{"error":"too long"}')


def test_a_prompt_can_be_bound_to_a_fault() -> None:
    ask = asking({"endpoints": {"*": {"answers": [{"pattern": "poison", "fault": "throttling"}]}}})

    assert [code(ask(text=text)) for text in ("poison", "bread", "poison")] == [
        "ThrottlingException",
        "200",
        "ThrottlingException",
    ]


def test_the_fault_of_a_prompt_has_the_message_and_status_of_the_faults() -> None:
    answers = [{"pattern": "poison", "fault": "modelError"}]
    faults = {"modelError": {"status": 429, "message": "busy"}}
    ask = asking({"endpoints": {"*": {"faults": faults, "answers": answers}}})

    assert ask(text="bread").status == 200
    failure = document(ask(text="poison"))
    assert (failure["OriginalStatusCode"], failure["OriginalMessage"]) == (429, "busy")
