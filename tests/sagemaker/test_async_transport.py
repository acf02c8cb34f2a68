"""Asynchronous inference, told as stories: an endpoint on loopback, S3 in memory (and moto's once), virtual time."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from aiohttp import web
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.model import Answer, AsyncOptions, Operation, Request
from sagemaker_eval.sagemaker.async_transport import AsyncTransport
from sagemaker_eval.sagemaker.connections import ConnectionPool, Sender
from sagemaker_eval.sagemaker.objects import Objects
from sagemaker_eval.sagemaker.session import static_target
from sagemaker_eval.sagemaker.signed_calls import SignedCalls
from sagemaker_eval.sagemaker.wire import Wire

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REQUEST = Request("ep", b'{"inputs": "hi"}', operation=Operation.ASYNC)
ANSWER = b'{"generated_text": "hello"}'
BUCKET = AsyncOptions(bucket="evals", prefix="in/")


class S3:
    """Objects in memory, by `bucket/key`; `refusals` are raised by the reads to come, one each."""

    def __init__(self) -> None:
        self.meta = SimpleNamespace(region_name="us-west-2", partition="aws")
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.put: list[str] = []
        self.refusals: list[ClientError] = []

    def put_object(self, **members: Any) -> Mapping[str, Any]:
        key = f"{members['Bucket']}/{members['Key']}"
        self.put.append(key)
        self.objects[key] = (members["Body"], NOW)
        return {}

    def get_object(self, **members: Any) -> Mapping[str, Any]:
        if self.refusals:
            raise self.refusals.pop(0)
        body, modified = self._found(members)
        return {"Body": BytesIO(body), "ContentType": "application/json", "LastModified": modified}

    def head_object(self, **members: Any) -> Mapping[str, Any]:
        self._found(members)
        return {}

    def delete_object(self, **members: Any) -> Mapping[str, Any]:
        self.objects.pop(f"{members['Bucket']}/{members['Key']}", None)
        return {}

    def _found(self, members: Mapping[str, Any]) -> tuple[bytes, datetime]:
        found = self.objects.get(f"{members['Bucket']}/{members['Key']}")
        if found is None:
            raise refusal("NoSuchKey", 404)
        return found


def refusal(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "GetObject")  # type: ignore[arg-type]


@dataclass
class World:
    """An endpoint and its S3. `sleeps` has the pauses; `at` does something when virtual time has come so far."""

    s3: S3 = field(default_factory=S3)
    replies: list[web.Response] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    at: dict[float, Callable[[], object]] = field(default_factory=dict)
    time: float = 0.0
    url: str = ""

    async def invoked(self, incoming: web.Request) -> web.Response:
        self.paths.append(incoming.path)
        self.heads.append({name.lower(): value for name, value in incoming.headers.items()})
        self.bodies.append(await incoming.read())
        return self.replies.pop(0) if self.replies else accepted(f"out/{len(self.heads)}")

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds
        for moment in [moment for moment in self.at if moment <= self.time]:
            self.at.pop(moment)()

    def answers(self, key: str, body: bytes = ANSWER, modified: datetime = NOW) -> Callable[[], None]:
        return lambda: self.s3.objects.update({f"evals/{key}": (body, modified)})

    @asynccontextmanager
    async def transport(self, options: AsyncOptions = BUCKET, client: Any = None) -> AsyncIterator[AsyncTransport]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.invoked)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        target = static_target(self.url, "us-west-2", "account:111111111111", "AKIAEXAMPLE", "secret")
        pool = ConnectionPool(8, proxies=False)
        objects = Objects(lambda: client or self.s3, self.notices.append)
        transport = AsyncTransport(
            SignedCalls(Wire(target), target.credentials, 5_000),
            Sender(pool, 5_000),
            options,
            objects,
            clock=lambda: self.time,
            sleep=self.sleep,
        )
        try:
            yield transport
        finally:
            await transport.close()
            await pool.close()
            await runner.cleanup()

    def tell(self, story: Callable[[AsyncTransport], Awaitable[None]], options: AsyncOptions = BUCKET) -> None:
        async def telling() -> None:
            async with self.transport(options) as transport:
                await story(transport)

        asyncio.run(telling())

    def answer(self, options: AsyncOptions = BUCKET, request: Request = REQUEST) -> Answer:
        answers: list[Answer] = []

        async def story(transport: AsyncTransport) -> None:
            answers.append(await transport(request))

        self.tell(story, options)
        return answers[0]

    def fault(self, options: AsyncOptions = BUCKET, request: Request = REQUEST) -> EndpointFault:
        with pytest.raises(EndpointFault) as caught:
            self.answer(options, request)
        return caught.value


def accepted(output: str, failure: str | None = None, **headers: str) -> web.Response:
    told = {"X-Amzn-SageMaker-OutputLocation": f"s3://evals/{output}", "x-amzn-RequestId": "id-1", **headers}
    if failure:
        told["X-Amzn-SageMaker-FailureLocation"] = f"s3://evals/{failure}"
    return web.Response(status=202, headers=told, body=b'{"InferenceId": "x"}')


def error(status: int, code: str, message: str = "no") -> web.Response:
    body = json.dumps({"Message": message}).encode()
    return web.Response(status=status, body=body, headers={"x-amzn-ErrorType": code})


def test_a_request_goes_through_s3_and_its_answer_comes_back() -> None:
    world = World()
    world.at[5.0] = world.answers("out/1")
    seen: list[bytes] = []

    async def story(transport: AsyncTransport) -> None:
        world.at[1.0] = lambda: seen.append(world.s3.objects[world.s3.put[0]][0])
        answer = await transport(REQUEST)
        assert (answer.body, answer.content_type, answer.request_id) == (ANSWER, "application/json", "id-1")
        assert dict(answer.told) == {
            "inferenceId": world.heads[0]["x-amzn-sagemaker-inference-id"],
            "outputLocation": "s3://evals/out/1",
        }

    world.tell(story)
    assert seen == [REQUEST.body]
    assert world.paths == ["/endpoints/ep/async-invocations"]
    assert world.heads[0]["x-amzn-sagemaker-inputlocation"] == f"s3://{world.s3.put[0]}"
    assert world.heads[0]["x-amzn-sagemaker-content-type"] == "application/json"
    assert re.fullmatch(r"sageval-[0-9a-f]{32}-[0-9a-f]{8}-1", world.heads[0]["x-amzn-sagemaker-inference-id"])
    assert world.bodies == [b""]
    assert list(world.s3.objects) == ["evals/out/1"], "the request is cleaned up"


def test_a_small_request_needs_no_bucket() -> None:
    world = World()
    world.at[1.0] = world.answers("out/1")
    assert world.answer(AsyncOptions()).body == ANSWER
    assert world.bodies == [REQUEST.body]
    assert "x-amzn-sagemaker-inputlocation" not in world.heads[0]
    assert world.s3.put == []


def test_a_large_request_needs_a_bucket() -> None:
    world = World()
    large = replace(REQUEST, body=b"x" * 128_001)
    fault = world.fault(AsyncOptions(), large)
    assert (fault.code, fault.retry, fault.attempts) == ("413", Retry.NEVER, 0)
    assert "async: {bucket: " in str(fault.hint)
    assert world.heads == []
    world.at[1.0] = world.answers("out/1")
    assert world.answer(BUCKET, large).body == ANSWER


def test_even_s3_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagemaker_eval.sagemaker.async_failures.MAX_PAYLOAD", 10)
    world = World()
    fault = world.fault()
    assert (fault.code, fault.retry, fault.attempts) == ("413", Retry.NEVER, 0)
    assert (world.s3.put, world.heads) == ([], [])


def test_pauses_grow_up_to_fifteen_seconds() -> None:
    world = World()
    world.at[100.0] = world.answers("out/1")
    answer = world.answer(replace(BUCKET, poll_ms=2_000))
    assert world.sleeps[:3] == [2.0, 3.0, 4.5]
    assert max(world.sleeps) == 15.0
    assert answer.timings.wire == sum(world.sleeps) * 1000 == answer.timings.total


def test_the_time_of_the_upload_is_no_time_of_the_model() -> None:
    world = World()
    world.at[4.0] = world.answers("out/1")

    def slow_put(**members: Any) -> Mapping[str, Any]:
        world.time += 3.0
        return S3.put_object(world.s3, **members)

    world.s3.put_object = slow_put  # type: ignore[method-assign]
    timings = world.answer().timings
    assert (timings.queue, timings.wire, timings.total) == (3000.0, 1000.0, 4000.0)


def test_settings_become_members_of_the_call() -> None:
    world = World()
    world.at[1.0] = world.answers("out/1")
    routing = (("CustomAttributes", "a=b"), ("InferenceId", "mine"))
    options = replace(BUCKET, request_ttl_seconds=600, invocation_timeout_seconds=1200)
    world.answer(options, replace(REQUEST, routing=routing))
    head = world.heads[0]
    assert head["x-amzn-sagemaker-inference-id"] == "mine"
    assert head["x-amzn-sagemaker-custom-attributes"] == "a=b"
    assert head["x-amzn-sagemaker-requestttlseconds"] == "600"
    assert head["x-amzn-sagemaker-invocationtimeoutseconds"] == "1200"


@pytest.mark.parametrize(
    ("told", "status", "retry", "words"),
    [
        (
            b'Received server error (500) from primary with message "boom". See https://console',
            500, Retry.ONCE, "the model container answered 500 (ModelError): boom",
        ),
        (
            b'{"Message": "m", "OriginalStatusCode": 503, "OriginalMessage": "queue full"}',
            503, Retry.COUNTED, "the model container answered 503 (ModelError): queue full",
        ),
        (
            b'Received server error (0) from primary with message "Your invocation timed out"',
            0, Retry.NEVER, "the model did not answer within the invocation timeout",
        ),
        (b"CUDA out of memory", None, Retry.NEVER, "CUDA out of memory"),
        (b'["odd"]', None, Retry.ONCE, '["odd"]'),
        (b'{"failureReason": "gone"}', None, Retry.ONCE, "gone"),
        (b"\xff", None, Retry.ONCE, "\N{REPLACEMENT CHARACTER}"),
    ],
)  # fmt: skip
def test_a_failure_object_is_a_model_error(told: bytes, status: int | None, retry: Retry, words: str) -> None:
    world = World(replies=[accepted("out/1", "failed/1")])
    world.at[5.0] = world.answers("failed/1", told)
    fault = world.fault()
    assert (fault.code, fault.original_status, fault.retry) == ("ModelError", status, retry)
    assert words in str(fault)
    assert [key for key in world.s3.objects if key.startswith("evals/in/")] == []


def test_a_request_that_waited_too_long_in_the_queue_is_not_queued_again() -> None:
    world = World(replies=[accepted("out/1", "failed/1")])
    world.at[5.0] = world.answers("failed/1", b"The request expired in the queue")
    fault = world.fault()
    assert (fault.code, fault.retry) == ("QueueExpired", Retry.NEVER)
    assert "requestTtlSeconds" in str(fault.hint)


def test_a_timeout_of_the_container_names_the_setting_that_allows_more() -> None:
    world = World(replies=[accepted("out/1", "failed/1")])
    world.at[5.0] = world.answers("failed/1", b'{"OriginalStatusCode": 0, "OriginalMessage": "timed out"}')
    assert "invocationTimeoutSeconds" in str(world.fault().hint)


def test_waiting_ends_and_is_not_begun_again() -> None:
    world = World(replies=[accepted("out/1", "failed/1")])
    fault = world.fault(replace(BUCKET, timeout_ms=60_000))
    assert (fault.code, fault.retry) == ("AsyncTimeout", Retry.NEVER)
    assert str(fault) == "no answer from `ep` within 60 s at `s3://evals/out/1`"
    assert "S3FailurePath" not in str(fault.hint)
    assert sum(world.sleeps) == world.time == 60.0
    assert world.s3.objects == {}


def test_an_endpoint_that_cannot_tell_failures_is_named_as_such() -> None:
    fault = World().fault(replace(BUCKET, timeout_ms=1_000))
    assert "it has no `S3FailurePath`" in str(fault.hint)


def test_an_answer_at_the_last_moment_counts() -> None:
    world = World()
    world.at[10.0] = world.answers("out/1")
    assert world.answer(replace(BUCKET, timeout_ms=10_000)).body == ANSWER


def test_a_hiccup_of_s3_is_waited_out() -> None:
    world = World()
    world.s3.refusals = [refusal("SlowDown", 503), refusal("InternalError", 500)]
    world.at[1.0] = world.answers("out/1")
    assert world.answer().body == ANSWER


def test_a_further_attempt_goes_on_waiting_instead_of_asking_twice() -> None:
    world = World()
    world.s3.refusals = [refusal("InternalError", 500)] * 5

    async def story(transport: AsyncTransport) -> None:
        with pytest.raises(EndpointFault) as caught:
            await transport(REQUEST)
        assert (caught.value.code, caught.value.retry) == ("InternalError", Retry.COUNTED)
        before = world.time
        world.at[before + 2.0] = world.answers("out/1")
        answer = await transport(REQUEST)
        assert answer.body == ANSWER
        assert answer.timings.wire == (world.time - before) * 1000, "what went before is no wire time"

    world.tell(story)
    assert len(world.heads) == len(world.s3.put) == 1


def test_two_equal_calls_at_a_time_are_two_invocations_with_one_object() -> None:
    world = World()
    world.at[3.0] = world.answers("out/1")

    async def story(transport: AsyncTransport) -> None:
        both = asyncio.gather(transport(REQUEST), transport(REQUEST), return_exceptions=True)
        world.at[20.0] = world.answers("out/2")
        assert [type(end) for end in await both] == [Answer, Answer]

    world.tell(story)
    assert len(set(world.s3.put)) == 1
    assert len({head["x-amzn-sagemaker-inference-id"] for head in world.heads}) == 2
    assert sorted(world.s3.objects) == ["evals/out/1", "evals/out/2"]


def test_repetitions_are_calls_of_their_own() -> None:
    world = World()
    for n in (1, 2):
        world.at[float(n)] = world.answers(f"out/{n}")

    async def story(transport: AsyncTransport) -> None:
        await asyncio.gather(transport(REQUEST), transport(replace(REQUEST, repeat=1)))

    world.tell(story)
    assert len(set(world.s3.put)) == 2


def test_a_throttled_call_does_not_upload_again() -> None:
    world = World(replies=[error(400, "ThrottlingException")])
    world.at[1.0] = world.answers("out/2")

    async def story(transport: AsyncTransport) -> None:
        with pytest.raises(EndpointFault) as caught:
            await transport(REQUEST)
        assert caught.value.retry is Retry.PATIENT
        assert (await transport(REQUEST)).body == ANSWER

    world.tell(story)
    first, second = (head["x-amzn-sagemaker-inference-id"] for head in world.heads)
    assert first == second
    assert len(world.s3.put) == 1


def test_a_lost_call_that_was_answered_is_not_made_again() -> None:
    """Where outputs are named after inference ids, the answer to a call that ended in a 500 can be found."""
    world = World()

    async def named(incoming: web.Request) -> web.Response:
        world.heads.append(dict(incoming.headers))
        key = f"out/{incoming.headers['X-Amzn-SageMaker-Inference-Id']}.out"
        world.answers(key, incoming.headers["X-Amzn-SageMaker-InputLocation"].encode())()
        return error(500, "InternalFailure") if len(world.heads) == 2 else accepted(key)

    world.invoked = named  # type: ignore[method-assign]

    async def story(transport: AsyncTransport) -> None:
        await transport(REQUEST)
        second = replace(REQUEST, body=b"{}")
        with pytest.raises(EndpointFault) as caught:
            await transport(second)
        assert caught.value.code == "InternalFailure"
        answer = await transport(second)
        assert answer.body.decode() == f"s3://{world.s3.put[1]}"

    world.tell(story)
    assert len(world.heads) == 2


def test_a_lost_call_without_a_trace_is_made_again_under_the_same_id() -> None:
    world = World(replies=[error(503, "ServiceUnavailable")])
    world.at[1.0] = world.answers("out/2")

    async def story(transport: AsyncTransport) -> None:
        with pytest.raises(EndpointFault):
            await transport(REQUEST)
        assert (await transport(REQUEST)).body == ANSWER

    world.tell(story)
    assert len({head["x-amzn-sagemaker-inference-id"] for head in world.heads}) == 1
    assert list(world.s3.objects) == ["evals/out/2"]


def test_an_attempt_after_a_failure_is_a_new_invocation() -> None:
    world = World(replies=[accepted("out/1", "failed/1")])
    world.at[1.0] = world.answers("failed/1", b'{"OriginalStatusCode": 503}')

    async def story(transport: AsyncTransport) -> None:
        with pytest.raises(EndpointFault):
            await transport(REQUEST)
        world.answers("out/2")()
        assert (await transport(REQUEST)).body == ANSWER

    world.tell(story)
    assert len({head["x-amzn-sagemaker-inference-id"] for head in world.heads}) == 2
    assert len(world.s3.put) == 2


def test_an_older_answer_of_the_same_name_is_not_taken_for_this_one() -> None:
    date = format_datetime(NOW, usegmt=True)
    world = World(replies=[accepted("out/mine.json", Date=date)])
    world.answers("out/mine.json", b"old", NOW.replace(hour=11))()
    world.at[5.0] = world.answers("out/mine.json", ANSWER, NOW)
    assert world.answer(BUCKET, replace(REQUEST, routing=(("Filename", "mine.json"),))).body == ANSWER


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 24 Nov 2026 12:00:00 -0000"])
def test_where_the_time_is_not_told_any_answer_of_the_name_counts(date: str) -> None:
    world = World(replies=[accepted("out/mine.json", Date=date)])
    world.answers("out/mine.json", ANSWER, NOW.replace(hour=11))()
    assert world.answer(BUCKET, replace(REQUEST, routing=(("Filename", "mine.json"),))).body == ANSWER


def test_a_request_that_another_run_removed_is_sent_again() -> None:
    world = World(replies=[accepted("out/1", "failed/1")])

    def removed() -> None:
        world.s3.objects.pop(world.s3.put[0])
        world.answers("failed/1", b"input not found")()

    world.at[1.0] = removed
    fault = world.fault()
    assert (fault.code, fault.retry) == ("InputRemoved", Retry.COUNTED)
    assert "`prefix`" in str(fault.hint)


def test_a_refused_request_is_cleaned_up() -> None:
    world = World(replies=[error(400, "ValidationError", "not like this")])
    assert world.fault().code == "ValidationError"
    assert len(world.s3.put) == 1
    assert world.s3.objects == {}


def test_what_no_attempt_came_back_for_is_cleaned_up_at_the_end() -> None:
    world = World(replies=[error(500, "InternalFailure")])
    assert world.fault().retry is Retry.COUNTED
    assert world.s3.objects == {}


def test_a_cancelled_call_is_cleaned_up() -> None:
    world = World()

    async def story(transport: AsyncTransport) -> None:
        call = asyncio.ensure_future(transport(REQUEST))
        world.at[1.0] = call.cancel
        with pytest.raises(asyncio.CancelledError):
            await call

    world.tell(story)
    assert len(world.s3.put) == 1
    assert world.s3.objects == {}


def test_an_upload_that_is_denied_stops_the_run_before_anything_is_asked() -> None:
    world = World()

    def denied(**members: Any) -> Mapping[str, Any]:
        raise refusal("AccessDenied", 403)

    world.s3.put_object = denied  # type: ignore[method-assign]
    with pytest.raises(SetupError, match="s3:PutObject"):
        world.answer()
    assert world.heads == []


@pytest.mark.parametrize("told", [{}, {"X-Amzn-SageMaker-OutputLocation": "https://evals/out"}])
def test_an_endpoint_that_does_not_say_where_its_answer_will_be_is_a_fault(told: dict[str, str]) -> None:
    world = World(replies=[web.Response(status=202, headers=told)])
    fault = world.fault()
    assert (fault.code, fault.retry) == ("BadResponse", Retry.NEVER)
    assert str(fault).startswith("the endpoint ")


def test_a_connection_that_breaks_leaves_open_whether_the_call_was_taken() -> None:
    world = World()

    async def cut(incoming: web.Request) -> web.Response:
        assert incoming.transport is not None
        incoming.transport.abort()
        return web.Response()

    world.invoked = cut  # type: ignore[method-assign]
    fault = world.fault()
    assert (fault.code, fault.retry) == ("ConnectionClosed", Retry.COUNTED)


def test_a_call_that_was_accepted_is_accepted_however_its_answer_ends() -> None:
    world = World()
    world.at[1.0] = world.answers("out/1")

    async def cut(incoming: web.Request) -> web.StreamResponse:
        told = {"X-Amzn-SageMaker-OutputLocation": "s3://evals/out/1", "Content-Length": "100"}
        response = web.StreamResponse(status=202, headers=told)
        await response.prepare(incoming)
        assert incoming.transport is not None
        incoming.transport.close()
        return response

    world.invoked = cut  # type: ignore[assignment]
    assert world.answer().body == ANSWER


def test_a_place_that_the_user_prepared_is_taken_as_it_is() -> None:
    world = World()
    world.at[1.0] = world.answers("out/1")
    request = replace(REQUEST, routing=(("InputLocation", "s3://mine/prepared.json"),))
    assert world.answer(BUCKET, request).body == ANSWER
    assert world.heads[0]["x-amzn-sagemaker-inputlocation"] == "s3://mine/prepared.json"
    assert (world.bodies, world.s3.put) == ([b""], [])


def test_making_ready_sends_nothing() -> None:
    world = World()

    async def story(transport: AsyncTransport) -> None:
        await transport.make_ready(replace(REQUEST, body=b"x" * 200_000))

    world.tell(story)
    assert (world.heads, world.s3.put) == ([], [])


def test_the_objects_of_moto_do_as_well() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    session = boto3.Session("k", "s", region_name="us-east-1")
    client = session.client("s3", endpoint_url=f"http://{host}:{port}")
    urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", b"").close()  # its servers share what they hold
    client.create_bucket(Bucket="evals")
    world = World()
    world.at[3.0] = lambda: client.put_object(Bucket="evals", Key="out/1", Body=ANSWER)

    async def story() -> None:
        async with world.transport(client=client) as transport:
            assert (await transport(REQUEST)).body == ANSWER

    try:
        asyncio.run(story())
        kept = [entry["Key"] for entry in client.list_objects_v2(Bucket="evals")["Contents"]]
        assert kept == ["out/1"]
    finally:
        client.close()
        server.stop()
