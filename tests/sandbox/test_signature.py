from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.replies import Refusal
from sagemaker_eval.sandbox.signature import Incoming, Scope, SignatureCheck, claimed_scope

TARGET = "/endpoints/llama-3/invocations"


def signed(
    body: bytes = b"{}",
    target: str = TARGET,
    headers: Mapping[str, str] | None = None,
    service: str = "sagemaker",
    region: str = "us-east-1",
) -> Incoming:
    request = AWSRequest("POST", f"http://localhost{target}", {"Host": "localhost", **(headers or {})}, body)
    SigV4Auth(Credentials("KEY", "secret"), service, region).add_auth(request)
    return Incoming("POST", target, {name.lower(): value for name, value in request.headers.items()}, body)


def changed(incoming: Incoming, **headers: str | None) -> Incoming:
    merged = {**incoming.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    kept = {name: value for name, value in merged.items() if value is not None}
    return Incoming(incoming.method, incoming.target, kept, incoming.body)


def refusal(incoming: Incoming, now: float | None = None) -> tuple[int, str, str]:
    """Status, code and message of the refusal."""
    with pytest.raises(Refusal) as caught:
        SignatureCheck("KEY", "secret", time.time if now is None else lambda: now).region(incoming)
    reply = caught.value.reply
    document: Any = json.loads(reply.body)
    return reply.status, dict(reply.headers)["x-amzn-ErrorType"].rstrip(":"), document["message"]


@given(st.binary(max_size=200), st.text("abc~%/ -", max_size=10), st.sampled_from(["us-east-1", "eu-west-3"]))
def test_what_botocore_signs_is_accepted_for_its_region(body: bytes, name: str, region: str) -> None:
    target = f"/endpoints/{name.strip().replace(' ', '%20')}/invocations?x=1&b=2"

    incoming = signed(body, target, {"X-Amzn-SageMaker-Custom-Attributes": "a  b"}, region=region)

    assert SignatureCheck("KEY", "secret").region(incoming) == region


@given(st.binary(min_size=1, max_size=50))
def test_another_body_than_the_signed_one_is_refused(tail: bytes) -> None:
    incoming = signed(b"{}")
    forged = Incoming(incoming.method, incoming.target, incoming.headers, incoming.body + tail)

    assert refusal(forged)[:2] == (403, "InvalidSignatureException")


def test_the_message_shows_the_canonical_request_and_the_string_to_sign() -> None:
    _, _, message = refusal(changed(signed(), host="elsewhere"))

    assert f"'POST\n{TARGET}\n\nhost:elsewhere\n" in message
    assert "The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n" in message


def test_a_stated_digest_must_be_that_of_the_body() -> None:
    assert refusal(signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}))[1] == "InvalidSignatureException"


def test_without_authorization_the_token_is_missing() -> None:
    expected = (403, "MissingAuthenticationTokenException", "Missing Authentication Token")

    assert refusal(changed(signed(), authorization=None)) == expected


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("Bearer abc", "Unsupported AWS 'algorithm': 'Bearer'."),
        (
            "AWS4-HMAC-SHA256 Credential=KEY/20250101/us-east-1/sagemaker/aws4_request",
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' "
            "parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=KEY/us-east-1, SignedHeaders=host, Signature=00",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
            "'KEY/us-east-1'",
        ),
    ],
)
def test_a_malformed_authorization_is_incomplete(authorization: str, message: str) -> None:
    assert refusal(changed(signed(), authorization=authorization)) == (403, "IncompleteSignatureException", message)


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_the_signing_time_must_be_there_and_be_one(date: str | None) -> None:
    assert refusal(changed(signed(), x_amz_date=date))[1] == "IncompleteSignatureException"


def test_a_signature_lives_for_fifteen_minutes() -> None:
    incoming = signed()
    moment = time.time()

    _, code, late = refusal(incoming, moment + 16 * 60)
    _, _, early = refusal(incoming, moment - 16 * 60)

    assert code == "InvalidSignatureException"
    assert late.startswith("Signature expired: ")
    assert early.startswith("Signature not yet current: ")


def test_the_scope_must_be_of_this_service_and_day() -> None:
    other_day = changed(
        signed(), authorization=signed().headers["authorization"].replace("Credential=KEY/20", "Credential=KEY/19")
    )

    assert refusal(signed(service="s3"))[2] == "Credential should be scoped to correct service: 'sagemaker'. "
    assert refusal(other_day)[2].startswith("Date in Credential scope does not match YYYYMMDD")


def test_the_host_must_be_signed() -> None:
    incoming = signed()
    authorization = incoming.headers["authorization"].replace("SignedHeaders=host;", "SignedHeaders=")

    message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    assert refusal(changed(incoming, authorization=authorization))[2] == message


def test_each_service_has_its_own_scope() -> None:
    incoming = signed(service="pricing")

    assert SignatureCheck("KEY", "secret").of_service("pricing").region(incoming) == "us-east-1"
    assert refusal(incoming)[2] == "Credential should be scoped to correct service: 'sagemaker'. "


@given(st.text("abc./~", min_size=1, max_size=12))
def test_the_path_of_an_object_is_signed_as_it_is(key: str) -> None:
    request = AWSRequest("GET", f"http://localhost/bucket/{key}", {"Host": "localhost"}, b"")
    S3SigV4Auth(Credentials("KEY", "secret"), "s3", "eu-west-3").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}

    incoming = Incoming("GET", f"/bucket/{key}", headers, b"")

    assert SignatureCheck("KEY", "secret").of_service("s3").region(incoming) == "eu-west-3"


@pytest.mark.parametrize("stated", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_an_object_may_come_unsigned_and_a_call_of_sagemaker_may_not(stated: str) -> None:
    headers = {"X-Amz-Content-SHA256": stated}
    check = SignatureCheck("KEY", "secret").of_service("s3")

    assert check.region(signed(b"anything", headers=headers, service="s3")) == "us-east-1"
    assert refusal(signed(b"anything", headers=headers))[1] == "InvalidSignatureException"


def test_the_scope_that_a_caller_claims_is_read_without_a_check() -> None:
    forged = changed(signed(service="s3", region="eu-west-3"), host="elsewhere")

    assert claimed_scope(forged.headers) == Scope("eu-west-3", "s3")
    assert claimed_scope({}) is None
    assert claimed_scope({"authorization": "Bearer abc"}) is None
