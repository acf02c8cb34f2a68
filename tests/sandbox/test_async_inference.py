from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_eval.sandbox.async_inference import AsyncInference
from sagemaker_eval.sandbox.deployments import AsyncDeployment, Deployment, Variant
from sagemaker_eval.sandbox.objects import Objects, StoredObject
from sagemaker_eval.sandbox.replies import Ending, Reply, aws_error, endpoint_not_found, model_error
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck
from tests.sandbox.plane_clients import KEY_ID, SECRET, connected
from tests.sandbox.plane_scripts import script

ANSWER = Reply(200, b'{"generated_text":"hi"}', delay_ms=2000)
INPUT = "s3://inputs/case-7.json"


class Stage:
    """An asynchronous endpoint `queue` whose container answers `reply`, its store, and a client of it."""

    def __init__(self, reply: Reply = ANSWER, deployment: Deployment | None = None, secret: str = SECRET) -> None:
        self.now = 0.0
        self.reply = reply
        self.asked: list[Incoming] = []
        self.objects = Objects(lambda: self.now)
        self.objects.put("inputs", "case-7.json", StoredObject(b'{"inputs":"hello"}'))
        ours = deployment or Deployment(asynchronous=AsyncDeployment("s3://out/answers", "s3://out/failures"))
        rules = {"queue": ours, "plain": Deployment()}
        self.inference = AsyncInference(
            self._invoke, self.objects, lambda: self.now, script(rules), SignatureCheck(KEY_ID, SECRET)
        )
        self.replies: list[Reply | None] = []
        self.client = connected("sagemaker-runtime", self._answer, secret)

    def _invoke(self, incoming: Incoming) -> Reply:
        self.asked.append(incoming)
        return self.reply

    def _answer(self, incoming: Incoming) -> Reply | None:
        self.replies.append(self.inference.reply(incoming))
        return self.replies[-1]

    def send(self, endpoint: str = "queue", **members: Any) -> dict[str, Any]:
        members = members or {"InputLocation": INPUT}
        accepted: dict[str, Any] = self.client.invoke_endpoint_async(EndpointName=endpoint, **members)
        return accepted

    def read(self, location: str) -> bytes | None:
        """The object at a location, None where there is none yet."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        stored = self.objects.get(bucket, key)
        return stored.body if stored else None


def refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_request_is_accepted_and_its_answer_comes_later() -> None:
    stage = Stage()

    accepted = stage.send()

    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["OutputLocation"].startswith("s3://out/answers/")
    assert accepted["FailureLocation"].startswith("s3://out/failures/")
    assert len(accepted["InferenceId"]) == 36
    stage.now = 1.99
    assert stage.read(accepted["OutputLocation"]) is None
    stage.now = 2.0
    assert stage.read(accepted["OutputLocation"]) == ANSWER.body
    assert stage.read(accepted["FailureLocation"]) is None


def test_the_container_gets_the_object_under_the_headers_of_a_plain_invocation() -> None:
    stage = Stage()

    stage.send(InputLocation=INPUT, ContentType="application/json", Accept="text/plain", CustomAttributes="a=b")

    (asked,) = stage.asked
    assert (asked.target, asked.body) == ("/endpoints/queue/invocations", b'{"inputs":"hello"}')
    assert (asked.headers["content-type"], asked.headers["accept"]) == ("application/json", "text/plain")
    assert asked.headers["x-amzn-sagemaker-custom-attributes"] == "a=b"


def test_a_small_body_may_come_along() -> None:
    stage = Stage()

    stage.send(Body=b"x" * 128_000)

    assert stage.asked[0].body == b"x" * 128_000


def test_the_answer_keeps_its_type() -> None:
    stage = Stage(Reply(200, b"text", "text/plain"))

    bucket, _, key = stage.send()["OutputLocation"].removeprefix("s3://").partition("/")

    stored = stage.objects.get(bucket, key)
    assert stored is not None
    assert stored.content_type == "text/plain"


def test_names_of_outputs_may_be_given() -> None:
    accepted = Stage().send(InputLocation=INPUT, Filename="case.json", S3OutputPathExtension="/run-1/")

    assert accepted["OutputLocation"] == "s3://out/answers/run-1/case.json"
    assert accepted["FailureLocation"] == "s3://out/failures/run-1/case-error.json"


def test_what_the_container_fails_at_becomes_a_failure_object() -> None:
    stage = Stage(model_error("queue", "eu-west-1", 500, "CUDA error"))

    accepted = stage.send()

    failure = stage.read(accepted["FailureLocation"]) or b""
    assert failure.startswith(b'Received server error (500) from primary with message "CUDA error".')
    assert stage.read(accepted["OutputLocation"]) is None


@pytest.mark.parametrize(
    ("reply", "due", "status"),
    [
        (Reply(0, b"", ending=Ending.NEVER), 30.0, b"(0)"),
        (Reply(200, b"late", delay_ms=31_000), 30.0, b"(0)"),
        (Reply(0, b"", ending=Ending.CUT, delay_ms=5_000), 5.0, b"(500)"),
        (Reply(200, b"half", ending=Ending.TRUNCATED), 0.0, b"(500)"),
    ],
)
def test_a_container_that_hangs_or_dies_has_failed(reply: Reply, due: float, status: bytes) -> None:
    stage = Stage(reply)

    accepted = stage.send(InputLocation=INPUT, InvocationTimeoutSeconds=30)

    stage.now = due - 0.01
    assert stage.read(accepted["FailureLocation"]) is None
    stage.now = due
    assert status in (stage.read(accepted["FailureLocation"]) or b"")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (aws_error(400, "ThrottlingException", {"message": None}), "ThrottlingException"),
        (aws_error(503, "ServiceUnavailable", {"Message": "x"}), "ServiceUnavailable"),
        (endpoint_not_found("queue"), "ValidationError"),
    ],
)
def test_what_the_service_refuses_is_refused_at_once(reply: Reply, code: str) -> None:
    stage = Stage(reply)

    assert refusal(lambda: stage.send(InputLocation=INPUT, InferenceId="id"))[0] == code
    assert stage.inference.accepted("id") == 0
    assert stage.objects.listed("out") == []


def test_an_input_that_cannot_be_read_is_a_failure_later() -> None:
    stage = Stage()

    accepted = stage.send(InputLocation="s3://inputs/gone.json")

    assert b"s3://inputs/gone.json does not exist" in (stage.read(accepted["FailureLocation"]) or b"")
    assert stage.asked == []


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"Body": b""}, "Either InputLocation or Body"),
        ({"Body": b"x", "InputLocation": INPUT}, "mutually exclusive"),
        ({"Body": b"x" * 128_001}, "less than or equal to 128000"),
        ({"InputLocation": "https://inputs/case"}, "'inputLocation'"),
        ({"InputLocation": "s3://inputs"}, "'inputLocation'"),
        ({"InputLocation": INPUT, "InferenceId": "x" * 65}, "'inferenceId'"),
        ({"InputLocation": INPUT, "Filename": "a.b.c"}, "'filename'"),
        ({"InputLocation": INPUT, "Filename": "x" * 33}, "'filename'"),
        ({"InputLocation": INPUT, "S3OutputPathExtension": "s3://out"}, "'s3OutputPathExtension'"),
        ({"InputLocation": INPUT, "RequestTTLSeconds": 21_601}, "'requestTTLSeconds'"),
        ({"InputLocation": INPUT, "InvocationTimeoutSeconds": 3601}, "'invocationTimeoutSeconds'"),
    ],
)
def test_wrong_members_are_refused(members: dict[str, Any], words: str) -> None:
    stage = Stage()

    code, message = refusal(lambda: stage.send(**members))

    assert (code, stage.asked) == ("ValidationError", [])
    assert words in message


def test_an_endpoint_that_is_not_asynchronous_refuses() -> None:
    code, message = refusal(lambda: Stage().send("plain"))

    assert (code, "does not support asynchronous inference" in message) == ("ValidationError", True)


def test_an_endpoint_of_which_the_script_says_nothing_writes_to_the_bucket_of_the_account() -> None:
    location = Stage().send("any")["OutputLocation"]

    assert location.startswith("s3://sagemaker-eu-west-1-123456789012/async-endpoint-outputs/any/")


def test_requests_with_the_same_id_are_all_worked_on_and_counted() -> None:
    stage = Stage()

    first, second = (stage.send(InputLocation=INPUT, InferenceId="same") for _ in range(2))

    assert first["OutputLocation"] != second["OutputLocation"]
    assert (len(stage.asked), stage.inference.accepted("same"), stage.inference.accepted("other")) == (2, 2, 0)


def test_a_reply_may_be_lost_though_its_request_was_accepted() -> None:
    stage = Stage(deployment=Deployment(asynchronous=AsyncDeployment("s3://out/a", "s3://out/b", lost=1)))

    for _ in range(2):
        stage.send(InputLocation=INPUT, InferenceId="id")

    assert [reply.ending for reply in stage.replies if reply] == [Ending.CUT, Ending.COMPLETE]
    stage.now = 2.0
    assert len(stage.objects.listed("out")) == 2


def test_requests_wait_for_an_instance_in_the_order_of_their_arrival() -> None:
    busy = AsyncDeployment("s3://out/a", "s3://out/b", max_concurrent=1)
    stage = Stage(deployment=Deployment(asynchronous=busy, variants=(Variant(instances=2),)))

    locations = [stage.send()["OutputLocation"] for _ in range(5)]

    def done_at(now: float) -> list[bool]:
        stage.now = now
        return [stage.read(location) is not None for location in locations]

    assert done_at(2.0) == [True, True, False, False, False]
    assert done_at(4.0) == [True, True, True, True, False]
    assert done_at(6.0) == [True, True, True, True, True]


def test_a_request_expires_in_the_queue() -> None:
    busy = AsyncDeployment("s3://out/a", "s3://out/b", max_concurrent=1)
    stage = Stage(Reply(200, b"x", delay_ms=100_000), Deployment(asynchronous=busy))
    stage.send()

    late = stage.send(InputLocation=INPUT, RequestTTLSeconds=60)

    stage.now = 59.9
    assert stage.read(late["FailureLocation"]) is None
    stage.now = 60.0
    assert b"expired in the queue" in (stage.read(late["FailureLocation"]) or b"")


def test_a_wrong_key_is_refused() -> None:
    assert refusal(lambda: Stage(secret="another").send())[0] == "InvalidSignatureException"


def test_other_requests_are_not_asynchronous() -> None:
    inference = AsyncInference(lambda _: ANSWER, Objects(), lambda: 0.0)

    assert inference.reply(Incoming("POST", "/endpoints/e/invocations", {}, b"{}")) is None
    assert inference.reply(Incoming("GET", "/endpoints/e/async-invocations", {}, b"")) is None


def test_the_reply_names_the_given_id() -> None:
    incoming = Incoming("POST", "/endpoints/e/async-invocations", {"x-amzn-sagemaker-inference-id": "row-7"}, b"{}")

    reply = AsyncInference(lambda _: ANSWER, Objects(), lambda: 0.0).reply(incoming)

    assert reply is not None
    assert json.loads(reply.body) == {"InferenceId": "row-7"}
