from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sagemaker.service import parse_error


def test_the_code_comes_from_the_header_and_the_fields_from_the_body() -> None:
    body = {
        "Message": "Received server error (500)",
        "OriginalStatusCode": 500,
        "OriginalMessage": "boom",
        "LogStreamArn": "arn:aws:logs:x",
    }
    headers = {"x-amzn-ErrorType": "ModelError:http://internal", "x-amzn-RequestId": "id-1"}
    error = parse_error(424, headers, json.dumps(body).encode())
    assert (error.code, error.status, error.request_id) == ("ModelError", 424, "id-1")
    assert error.fields == body


def test_fields_of_other_types_than_the_models_are_left_out() -> None:
    body = {"Message": 7, "OriginalStatusCode": "500", "OriginalMessage": {"a": 1}, "LogStreamArn": 5}
    error = parse_error(424, {"x-amzn-ErrorType": "ModelError"}, json.dumps(body).encode())
    assert (error.code, error.fields) == ("ModelError", {"Message": "7", "OriginalStatusCode": 500})


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        ("ModelStreamError", {"ErrorCode": "ModelInvocationTimeExceeded"}),
        ("InternalStreamFailure", {}),
        ("ModelNotReadyException", {}),
        ("InternalDependencyException", {}),
    ],
)
def test_errors_of_every_operation_are_known(code: str, fields: dict[str, str]) -> None:
    body = {"Message": "no", **fields}
    error = parse_error(400, {"x-amzn-ErrorType": f"{code}:"}, json.dumps(body).encode())
    assert (error.code, error.fields) == (code, body)


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (
            400,
            b'{"__type": "com.amazon.coral.validate#ValidationException", "message": "no"}',
            "ValidationException",
            "no",
        ),
        (400, b'{"code": "Throttling"}', "Throttling", ""),
        (400, b'{"message": null}', "400", None),
        (503, b"<html>sorry</html>", "503", "Service Unavailable"),
        (413, b"too big", "413", "too big"),
        (500, b'["not", "an", "object"]', "500", '["not", "an", "object"]'),
        (424, b'{"code": 424, "message": "late"}', "424", "late"),
        (502, b"", "502", "Bad Gateway"),
        (400, b"\xff\xfe", "400", "��"),
    ],
)
def test_what_carries_no_code_keeps_its_status(status: int, body: bytes, code: str, message: str | None) -> None:
    error = parse_error(status, {}, body)
    assert (error.code, error.fields["Message"]) == (code, message)


KEYS = ["message", "Message", "code", "Code", "__type", "OriginalStatusCode", "OriginalMessage", "LogStreamArn"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(
    st.integers(300, 599),
    st.dictionaries(st.sampled_from(["x-amzn-ErrorType", "X-Amzn-RequestId", "Content-Type"]), st.text()),
    st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_can_be_parsed(status: int, headers: dict[str, str], body: bytes) -> None:
    error = parse_error(status, headers, body)
    assert error.code
    assert "Message" in error.fields
