from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.objects import Objects, StoredObject
from sagemaker_eval.sandbox.replies import Reply
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck
from tests.sandbox.plane_clients import KEY_ID, SECRET, connected

BUCKET = "a-bucket"
LOCAL = "http://127.0.0.1:1"
HEADERS = {"authorization": "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/s3/aws4_request, Signature=0"}


def store(clock: Callable[[], float] = lambda: 0.0, denied: Iterable[str] = ()) -> Objects:
    return Objects(clock, denied, SignatureCheck(KEY_ID, SECRET))


def client(objects: Objects | None = None, endpoint_url: str | None = LOCAL, **settings: Any) -> Any:
    """A boto3 client of a store on loopback: its buckets are in the path."""
    return connected("s3", (objects or store()).reply, endpoint_url=endpoint_url, **settings)


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call()
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def keys(listed: dict[str, Any]) -> list[str]:
    return [each["Key"] for each in listed.get("Contents", [])]


@given(st.binary(max_size=300), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_what_was_put_is_got_whatever_bytes_and_key(body: bytes, key: str) -> None:
    s3 = client()

    s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == body
    assert keys(s3.list_objects_v2(Bucket=BUCKET)) == [key]


@pytest.mark.parametrize("settings", [{}, {"s3": {"addressing_style": "path"}}])
@pytest.mark.parametrize("endpoint_url", [LOCAL, "http://localhost:1", "https://127.0.0.1:1", None])
def test_buckets_may_be_in_the_path_or_in_the_host(endpoint_url: str | None, settings: Any) -> None:
    objects = store()

    client(objects, endpoint_url, **settings).put_object(Bucket=BUCKET, Key="in/a b+c.json", Body=b"{}")

    stored = objects.get(BUCKET, "in/a b+c.json")
    assert stored is not None
    assert stored.body == b"{}"


def test_type_metadata_and_time_are_kept() -> None:
    s3 = client(store(clock=lambda: 1767323045.0))
    s3.put_object(
        Bucket=BUCKET, Key="k", Body=b"x", ContentType="text/csv", Metadata={"case": "7"}, ContentEncoding="x"
    )

    head = s3.head_object(Bucket=BUCKET, Key="k")

    assert (head["ContentType"], head["Metadata"], head["ContentEncoding"]) == ("text/csv", {"case": "7"}, "x")
    assert (head["ContentLength"], head["LastModified"].timestamp()) == (1, 1767323045.0)
    assert head["ETag"] == s3.get_object(Bucket=BUCKET, Key="k")["ETag"]


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
@pytest.mark.parametrize("endpoint_url", [LOCAL, None])
def test_checksums_are_taken_from_headers_or_trailers_and_given_back(algorithm: str, endpoint_url: str | None) -> None:
    s3 = client(endpoint_url=endpoint_url)

    put = s3.put_object(Bucket=BUCKET, Key="k", Body=b"body" * 100, ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")

    assert got["Body"].read() == b"body" * 100
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"] != ""


def chunked(*chunks: bytes, trailer: bytes = b"", decoded: int | None = None) -> Reply:
    """The reply to an upload in chunks as they are given."""
    headers = {
        **HEADERS,
        "host": "localhost",
        "content-encoding": "aws-chunked,gzip",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
    if decoded is not None:
        headers["x-amz-decoded-content-length"] = str(decoded)
    reply = Objects().reply(Incoming("PUT", f"/{BUCKET}/k", headers, b"".join(chunks) + trailer + b"\r\n"))
    assert reply is not None
    return reply


def test_chunks_are_put_together() -> None:
    crc = base64.b64encode(zlib.crc32(b"abcdefg").to_bytes(4))
    trailer = b"x-amz-checksum-crc32:" + crc + b"\r\n"

    reply = chunked(b"3\r\nabc\r\n", b"4;chunk-signature=00\r\ndefg\r\n", b"0\r\n", trailer=trailer, decoded=7)

    assert reply.status == 200
    assert ("x-amz-checksum-crc32", crc.decode()) in reply.headers


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(lambda: chunked(b"3\r\nabc\r\n"), id="no last chunk"),
        pytest.param(lambda: chunked(b"4\r\nabc\r\n", b"0\r\n"), id="a chunk too short"),
        pytest.param(lambda: chunked(b"x\r\nabc\r\n", b"0\r\n"), id="no size"),
        pytest.param(lambda: chunked(b"3\r\nabc\r\n", b"0\r\n", decoded=4), id="another length"),
        pytest.param(
            lambda: chunked(b"3\r\nabc\r\n", b"0\r\n", trailer=b"x-amz-checksum-crc32:AAAAAA==\r\n"), id="checksum"
        ),
    ],
)
def test_broken_uploads_are_refused(reply: Callable[[], Reply]) -> None:
    assert (reply().status, b"<Code>BadDigest</Code>" in reply().body) == (400, True)


def test_parts_of_an_object() -> None:
    s3 = client()
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"0123456789")

    def part(wanted: str) -> bytes:
        body: bytes = s3.get_object(Bucket=BUCKET, Key="k", Range=wanted)["Body"].read()
        return body

    assert [part(f"bytes={wanted}") for wanted in ("0-3", "8-", "-2", "5-99")] == [b"0123", b"89", b"89", b"56789"]
    assert refusal(lambda: part("bytes=10-")) == (416, "InvalidRange")
    assert refusal(lambda: part("lines=1")) == (400, "InvalidArgument")


def test_deleting_is_for_good_and_may_be_done_twice() -> None:
    s3 = client()
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")

    for _ in range(2):
        s3.delete_object(Bucket=BUCKET, Key="k")

    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key="k")) == (404, "NoSuchKey")
    assert refusal(lambda: s3.head_object(Bucket=BUCKET, Key="k")) == (404, "404")


def test_an_object_is_not_overwritten_where_that_is_asked() -> None:
    s3 = client()
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"first", IfNoneMatch="*")

    second = refusal(lambda: s3.put_object(Bucket=BUCKET, Key="k", Body=b"second", IfNoneMatch="*"))

    assert second == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"first"


def test_lists_have_prefixes_folders_and_pages() -> None:
    s3 = client()
    for key in ("a/1", "a/2", "b/1", "c", "ü & <x>"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")

    folders = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2}))
    by_folder = list(
        s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Delimiter="/", PaginationConfig={"PageSize": 1})
    )

    assert keys(s3.list_objects_v2(Bucket=BUCKET, Prefix="a/")) == ["a/1", "a/2"]
    assert keys(s3.list_objects_v2(Bucket=BUCKET, StartAfter="b/1")) == ["c", "ü & <x>"]
    assert [each["Prefix"] for each in folders["CommonPrefixes"]] == ["a/", "b/"]
    assert keys(folders) == ["c", "ü & <x>"]
    assert [keys(page) for page in pages] == [["a/1", "a/2"], ["b/1", "c"], ["ü & <x>"]]
    assert [page["KeyCount"] for page in by_folder] == [1, 1, 1, 1]
    assert s3.list_objects_v2(Bucket="another")["KeyCount"] == 0


def test_an_object_is_found_when_its_time_has_come() -> None:
    objects = store()
    is_there = [False]
    objects.put(BUCKET, "k", StoredObject(b"x"), lambda: is_there[0])
    s3 = client(objects)

    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key="k")) == (404, "NoSuchKey")
    assert keys(s3.list_objects_v2(Bucket=BUCKET)) == []
    is_there[0] = True
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
    assert keys(s3.list_objects_v2(Bucket=BUCKET)) == ["k"]


def test_who_may_not_list_is_not_told_what_is_missing() -> None:
    s3 = client(store(denied=["ListBucket"]))
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")

    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
    assert refusal(lambda: s3.get_object(Bucket=BUCKET, Key="gone")) == (403, "AccessDenied")
    assert refusal(lambda: s3.head_object(Bucket=BUCKET, Key="gone")) == (403, "403")
    assert refusal(lambda: s3.list_objects_v2(Bucket=BUCKET)) == (403, "AccessDenied")


@pytest.mark.parametrize("permission", ["PutObject", "GetObject", "DeleteObject"])
def test_each_permission_can_be_lacking(permission: str) -> None:
    s3 = client(store(denied=[permission]))
    calls: dict[str, Callable[[], object]] = {
        "PutObject": lambda: s3.put_object(Bucket=BUCKET, Key="k", Body=b"x"),
        "DeleteObject": lambda: s3.delete_object(Bucket=BUCKET, Key="k"),
        "GetObject": lambda: s3.get_object(Bucket=BUCKET, Key="k"),
    }

    assert refusal(calls[permission]) == (403, "AccessDenied")


def test_wrong_keys_are_refused_in_the_words_of_s3() -> None:
    wrong = connected("s3", store().reply, secret="another", endpoint_url=LOCAL)

    assert refusal(lambda: wrong.get_object(Bucket=BUCKET, Key="k")) == (403, "SignatureDoesNotMatch")


def test_operations_beyond_these_are_not_implemented() -> None:
    s3 = client()

    assert refusal(lambda: s3.get_object_tagging(Bucket=BUCKET, Key="k")) == (501, "NotImplemented")
    assert refusal(lambda: s3.list_objects(Bucket=BUCKET)) == (501, "NotImplemented")
    assert refusal(lambda: s3.list_buckets()) == (403, "AccessDenied")


def test_lists_must_be_asked_for_as_s3_offers_them() -> None:
    s3 = client()

    assert refusal(lambda: s3.list_objects_v2(Bucket=BUCKET, ContinuationToken="é")) == (400, "InvalidArgument")
    assert refusal(lambda: s3.list_objects_v2(Bucket=BUCKET, MaxKeys=-1)) == (400, "InvalidArgument")
    assert refusal(lambda: s3.put_object(Bucket=BUCKET, Key="x" * 1025, Body=b"")) == (400, "KeyTooLongError")


def test_every_bucket_exists() -> None:
    assert client().head_bucket(Bucket="whatever")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_requests_that_are_signed_for_another_service_are_not_for_s3() -> None:
    other = {"authorization": HEADERS["authorization"].replace("/s3/", "/sagemaker/")}

    assert Objects().reply(Incoming("PUT", "/endpoints/e", other, b"")) is None
    assert Objects().reply(Incoming("GET", f"/{BUCKET}/k", {}, b"")) is None
