from __future__ import annotations

import json

import pytest

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.faults import FaultContext
from sagemaker_eval.sagemaker.openai_faults import openai_fault

CONTEXT = FaultContext("ep", "us-west-2", "https://runtime", account="111111111111")


def fault_of(status: int, error: Json, **headers: str) -> EndpointFault:
    body = error if isinstance(error, bytes) else json.dumps({"error": error}).encode()
    return openai_fault(status, headers, body, CONTEXT, frozenset({"t0ken"}))


@pytest.mark.parametrize(
    ("status", "error", "code", "retry", "stops"),
    [
        (429, {"message": "slow down", "type": "rate_limit_error", "code": "429"}, "429", Retry.PATIENT, False),
        (429, {"message": "slow", "type": "ThrottlingException"}, "ThrottlingException", Retry.PATIENT, False),
        (400, {"message": "bad", "type": "invalid_request_error"}, "400", Retry.NEVER, False),
        (400, {"message": "maximum context length is 4096"}, "400", Retry.NEVER, False),
        (404, {"message": "The model `x` does not exist.", "type": "NotFoundError"}, "404", Retry.NEVER, False),
        (408, {"message": "too late"}, "408", Retry.COUNTED, False),
        (413, {"message": "too much"}, "413", Retry.NEVER, False),
        (424, {"message": "generation failed"}, "424", Retry.ONCE, False),
        (500, {"message": "boom", "type": "InternalFailure"}, "InternalFailure", Retry.COUNTED, False),
        (500, {"message": "boom", "type": "InternalServerError"}, "500", Retry.ONCE, False),
        (503, {"message": "busy", "code": 503}, "503", Retry.COUNTED, False),
        (424, {"message": "m (500)", "type": "ModelError"}, "ModelError", Retry.ONCE, False),
        (400, {"message": "Endpoint ep of account 1 not found."}, "ValidationError", Retry.NEVER, True),
        (400, {"message": "Inference component c has no capacity"}, "ValidationError", Retry.LOADING, False),
        (401, {"message": "The token is expired", "type": "x"}, "ExpiredTokenException", Retry.NEVER, True),
        (502, b"<html>Bad Gateway</html>", "502", Retry.COUNTED, False),
        (302, b"", "302", Retry.NEVER, True),
        (404, b"", "404", Retry.NEVER, True),
    ],
)
def test_the_class_of_a_fault(status: int, error: Json, code: str, retry: Retry, stops: bool) -> None:
    fault = fault_of(status, error)
    assert (fault.code, fault.retry, fault.stops_run) == (code, retry, stops)


def test_words_come_out_of_the_envelope() -> None:
    assert "too many" in str(fault_of(400, {"message": "too many", "type": "t", "param": None, "code": None}))
    assert "plain words" in str(fault_of(500, b'{"error": "plain words"}'))
    assert "older form" in str(fault_of(500, b'{"object": "error", "message": "older form", "code": 500}'))


def test_aws_names_its_errors_in_a_header_too() -> None:
    headers = {"x-amzn-ErrorType": "AccessDeniedException:", "x-amzn-RequestId": "id-1"}
    fault = fault_of(403, {"message": "no"}, **headers)
    assert (fault.code, fault.stops_run, fault.request_id) == ("AccessDeniedException", True, "id-1")
    assert "no" in str(fault)


def test_a_refused_token_names_both_permissions() -> None:
    message = "u is not authorized to perform: sagemaker:CallWithBearerToken on resource: *"
    fault = fault_of(401, {"message": message, "type": "authentication_error"})
    assert (fault.code, fault.stops_run) == ("401", True)
    assert message in str(fault)
    assert '"sagemaker:CallWithBearerToken", "Resource": "*"' in str(fault.hint)
    assert "arn:aws:sagemaker:us-west-2:111111111111:endpoint/ep" in str(fault.hint)


def test_the_containers_own_errors_lead_to_its_log() -> None:
    fault = fault_of(422, {"message": "`top_p` must be > 0.0"})
    assert fault.original_status == 422
    assert "/aws/sagemaker/Endpoints/ep" in str(fault.hint)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_what_quotes_the_token_is_not_quoted_in_turn(status: int) -> None:
    fault = fault_of(status, {"message": "no: Bearer t0ken"})
    assert "Bearer ***" in str(fault)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"error": null}', b'{"error": {"message": 1}}', b"[" * 9999])
def test_any_body_is_a_fault(body: bytes) -> None:
    assert fault_of(500, body).retry in {Retry.ONCE, Retry.COUNTED}
