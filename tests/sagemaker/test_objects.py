"""S3 as an asynchronous endpoint's caller sees it: moto's for what works, scripted refusals for what does not."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from moto.server import ThreadedMotoServer

from sagemaker_eval.errors import EndpointFault, Retry, SagevalError, SetupError
from sagemaker_eval.sagemaker.objects import Location, Objects, S3Client

PLACE = Location("evals", "in/one.json")


@pytest.fixture
def moto() -> Iterator[Callable[[], S3Client]]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urllib.request.urlopen(f"http://{host}:{port}/moto-api/reset", b"").close()  # its servers share what they hold
    client = boto3.client(
        "s3", "us-east-1", endpoint_url=f"http://{host}:{port}", aws_access_key_id="k", aws_secret_access_key="s"
    )
    client.create_bucket(Bucket="evals")
    yield lambda: client
    client.close()
    server.stop()


class Refusing:
    """A client whose calls all end in one exception."""

    def __init__(self, error: Exception) -> None:
        self.meta = SimpleNamespace(region_name="eu-west-1", partition="aws")
        self._error = error

    def put_object(self, **members: Any) -> Mapping[str, Any]:
        raise self._error

    get_object = head_object = delete_object = put_object


def refusal(code: str, message: str = "", status: int = 400, operation: str = "GetObject") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, operation)  # type: ignore[arg-type]


def run(make_client: Callable[[], S3Client], story: Callable[[Objects], Awaitable[None]]) -> list[str]:
    """Tells a story of objects, and gives the notices that came of it."""
    notices: list[str] = []

    async def telling() -> None:
        objects = Objects(make_client, notices.append)
        try:
            await story(objects)
        finally:
            await objects.close()

    asyncio.run(telling())
    return notices


def error_of(error: Exception, act: str = "get") -> SagevalError:
    caught: list[SagevalError] = []

    async def story(objects: Objects) -> None:
        with pytest.raises((SetupError, EndpointFault)) as raised:
            await (objects.put(PLACE, b"", "") if act == "put" else objects.get(PLACE))
        caught.append(raised.value)

    run(lambda: Refusing(error), story)
    return caught[0]


def test_what_was_put_can_be_read_until_it_is_deleted(moto: Callable[[], S3Client]) -> None:
    async def story(objects: Objects) -> None:
        assert await objects.get(PLACE) is None
        await objects.put(PLACE, b'{"inputs": "hi"}', "application/json")
        stored = await objects.get(PLACE)
        assert stored is not None
        assert (stored.body, stored.content_type) == (b'{"inputs": "hi"}', "application/json")
        assert stored.modified is not None
        assert await objects.exists(PLACE)
        await objects.delete(PLACE)
        assert not await objects.exists(PLACE)
        await objects.delete(PLACE)

    assert run(moto, story) == []


def test_a_discarded_object_is_gone_when_the_objects_are_closed(moto: Callable[[], S3Client]) -> None:
    async def story(objects: Objects) -> None:
        await objects.put(PLACE, b"1", "")
        objects.discard(PLACE)

    async def afterwards(objects: Objects) -> None:
        assert await objects.get(PLACE) is None

    run(moto, story)
    run(moto, afterwards)


def test_an_object_that_is_put_again_outlives_its_earlier_discard(moto: Callable[[], S3Client]) -> None:
    async def story(objects: Objects) -> None:
        for body in (b"1", b"2", b"3"):
            objects.discard(PLACE)
            await objects.put(PLACE, body, "")
        await objects.make_ready()
        stored = await objects.get(PLACE)
        assert stored is not None and stored.body == b"3"

    run(moto, story)


def test_a_bucket_that_does_not_exist_stops_the_run(moto: Callable[[], S3Client]) -> None:
    async def story(objects: Objects) -> None:
        with pytest.raises(SetupError, match="there is no S3 bucket `elsewhere`") as written:
            await objects.put(Location("elsewhere", "x"), b"", "")
        assert written.value.hint == "correct `async: {bucket: …}`"
        with pytest.raises(SetupError, match="there is no S3 bucket `elsewhere`") as read:
            await objects.get(Location("elsewhere", "x"))
        assert "AsyncInferenceConfig" in str(read.value.hint)

    run(moto, story)


def test_one_client_is_made_for_all_threads() -> None:
    made = threading.Semaphore(1)

    def make() -> S3Client:
        assert made.acquire(blocking=False), "a second client"
        return Refusing(refusal("NoSuchKey", status=404))

    async def story(objects: Objects) -> None:
        assert await asyncio.gather(*(objects.get(PLACE) for _ in range(30))) == [None] * 30

    run(make, story)


def test_an_object_is_missing_where_only_listing_is_denied() -> None:
    """S3's answer to a caller who may read the object if there were one, and may not list the bucket."""
    denied = refusal("AccessDenied", "User: u is not authorized to perform: s3:ListBucket on resource: evals", 403)

    async def story(objects: Objects) -> None:
        assert await objects.get(PLACE) is None

    run(lambda: Refusing(denied), story)


def statements_in(hint: str | None) -> list[dict[str, Any]]:
    text, found = str(hint), []
    while "{" in text:
        text = text[text.index("{") :]
        statement, end = json.JSONDecoder().raw_decode(text)
        found.append(statement)
        text = text[end:]
    return found


def test_a_read_that_is_denied_names_both_permissions() -> None:
    error = error_of(refusal("AccessDenied", "Access Denied", 403))
    assert isinstance(error, SetupError)
    assert str(error) == "S3 denies `s3:GetObject` on `s3://evals/in/one.json`: Access Denied"
    assert statements_in(error.hint) == [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::evals/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::evals"},
    ]


def test_a_write_that_is_denied_names_its_permission() -> None:
    error = error_of(refusal("AccessDenied", "no", 403, "PutObject"), "put")
    assert isinstance(error, SetupError)
    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::evals/*"}
    assert statements_in(error.hint) == [statement]


@pytest.mark.parametrize(
    ("raised", "code", "retry"),
    [
        (refusal("SlowDown", "reduce your request rate", 503), "SlowDown", Retry.PATIENT),
        (refusal("InternalError", "try again", 500), "InternalError", Retry.COUNTED),
        (refusal("RequestTimeout", "idle", 400), "RequestTimeout", Retry.COUNTED),
        (refusal("InvalidObjectState", "archived", 403), "InvalidObjectState", Retry.NEVER),
        (EndpointConnectionError(endpoint_url="https://s3"), "ConnectionError", Retry.COUNTED),
        (ConnectTimeoutError(endpoint_url="https://s3"), "ConnectTimeout", Retry.COUNTED),
        (ReadTimeoutError(endpoint_url="https://s3"), "ReadTimeout", Retry.COUNTED),
        (ResponseStreamingError(error="cut"), "ConnectionClosed", Retry.COUNTED),
    ],
)
def test_what_may_pass_is_a_fault(raised: Exception, code: str, retry: Retry) -> None:
    fault = error_of(raised)
    assert isinstance(fault, EndpointFault)
    assert (fault.code, fault.retry, fault.stops_run) == (code, retry, False)
    assert "evals" in str(fault)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (refusal("ExpiredToken", "old", 400), "the AWS session has expired"),
        (refusal("InvalidAccessKeyId", "who?", 403), "AWS does not know the access key"),
        (refusal("PermanentRedirect", "elsewhere", 301), "the S3 bucket `evals` is not in eu-west-1"),
        (refusal("AccessDenied", "not you", 403, "AssumeRole"), "AWS refused to give credentials"),
        (NoCredentialsError(), "no AWS credentials"),
        (ParamValidationError(report="Invalid bucket name"), "`evals` cannot be asked for"),
    ],
)
def test_what_no_call_can_survive_stops_the_run(raised: Exception, said: str) -> None:
    error = error_of(raised)
    assert isinstance(error, SetupError)
    assert said in str(error)


def test_an_error_of_ours_keeps_its_own_words() -> None:
    expired = SetupError("sign in first", "so")
    assert error_of(expired) is expired


def test_an_object_is_taken_to_exist_where_s3_does_not_say() -> None:
    async def story(objects: Objects) -> None:
        assert await objects.exists(PLACE)

    run(lambda: Refusing(refusal("403", "Forbidden", 403, "HeadObject")), story)


def test_objects_that_cannot_be_deleted_are_told_once() -> None:
    async def story(objects: Objects) -> None:
        for n in range(5):
            objects.discard(Location("evals", str(n)))

    notices = run(lambda: Refusing(refusal("AccessDenied", "no", 403, "DeleteObject")), story)
    assert len(notices) == 1
    assert "s3:DeleteObject" in notices[0]


def test_nothing_is_discarded_after_the_end(moto: Callable[[], S3Client]) -> None:
    async def story(objects: Objects) -> None:
        await objects.close()
        objects.discard(PLACE)

    assert run(moto, story) == []


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "s3://bucket/", "s3:///key", "https://bucket/key"])
def test_only_whole_uris_are_locations(uri: str) -> None:
    assert Location.parse(uri) is None


def test_a_location_is_written_as_it_is_read() -> None:
    assert str(Location.parse("s3://bucket/a/b c?.out")) == "s3://bucket/a/b c?.out"


def test_a_body_that_breaks_off_is_a_fault() -> None:
    class Breaking(Refusing):
        def get_object(self, **members: Any) -> Mapping[str, Any]:
            return {"Body": SimpleNamespace(read=super().put_object)}

    async def story(objects: Objects) -> None:
        with pytest.raises(EndpointFault) as caught:
            await objects.get(PLACE)
        assert caught.value.code == "ConnectionClosed"

    run(lambda: Breaking(ResponseStreamingError(error="cut")), story)


def test_a_bug_stays_a_bug() -> None:
    async def story(objects: Objects) -> None:
        with pytest.raises(KeyError, match="Body"):
            await objects.get(PLACE)

    run(lambda: Refusing(KeyError("Body")), story)


def test_what_s3_leaves_open_is_left_open() -> None:
    class Bare(Refusing):
        def get_object(self, **members: Any) -> Mapping[str, Any]:
            return {"Body": BytesIO(b"x")}

    async def story(objects: Objects) -> None:
        stored = await objects.get(PLACE)
        assert stored is not None
        assert (stored.content_type, stored.modified) == ("", None)

    run(lambda: Bare(KeyError()), story)
