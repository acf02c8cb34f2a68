from __future__ import annotations

from typing import Any

import pytest

from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.sagemaker.faults import FAULTS, FaultContext, as_setup_error, classify

CONTEXT = FaultContext(
    endpoint="My-Endpoint",
    region="us-west-2",
    url="https://runtime.sagemaker.us-west-2.amazonaws.com",
    body_size=7_000_000,
    timeout_ms=80_000,
)
NEVER, ONCE, COUNTED, PATIENT, LOADING = Retry.NEVER, Retry.ONCE, Retry.COUNTED, Retry.PATIENT, Retry.LOADING


def fault_of(
    code: str, message: str | None = "words of the service.", status: int = 400, **fields: Any
) -> EndpointFault:
    return classify(code, status, {"Message": message, "RequestId": "id-1", **fields}, CONTEXT)


@pytest.mark.parametrize(
    ("code", "status", "retry", "stops_run"),
    [
        ("ModelError", 424, ONCE, False),
        ("ValidationError", 400, NEVER, False),
        ("ModelNotReadyException", 429, LOADING, False),
        ("ServiceUnavailable", 503, COUNTED, False),
        ("InternalFailure", 500, COUNTED, False),
        ("InternalDependencyException", 530, COUNTED, False),
        ("ModelStreamError", 200, COUNTED, False),
        ("InternalStreamFailure", 200, COUNTED, False),
        ("ThrottlingException", 400, PATIENT, False),
        ("Throttling", 429, PATIENT, False),
        ("TooManyRequestsException", 429, PATIENT, False),
        ("RequestLimitExceeded", 503, PATIENT, False),
        ("SlowDown", 503, PATIENT, False),
        ("AccessDeniedException", 403, NEVER, True),
        ("AccessDenied", 400, NEVER, True),
        ("NotAuthorized", 400, NEVER, True),
        ("ExpiredTokenException", 403, NEVER, True),
        ("ExpiredToken", 403, NEVER, True),
        ("UnrecognizedClientException", 403, NEVER, True),
        ("InvalidClientTokenId", 403, NEVER, True),
        ("InvalidSignatureException", 403, NEVER, True),
        ("SignatureDoesNotMatch", 403, NEVER, True),
        ("IncompleteSignature", 400, NEVER, True),
        ("MissingAuthenticationToken", 403, NEVER, True),
        ("OptInRequired", 403, NEVER, True),
        ("RequestExpired", 400, NEVER, True),
        ("400", 400, NEVER, False),
        ("403", 403, NEVER, True),
        ("404", 404, NEVER, True),
        ("408", 408, COUNTED, False),
        ("413", 413, NEVER, False),
        ("429", 429, PATIENT, False),
        ("500", 500, COUNTED, False),
        ("502", 502, COUNTED, False),
        ("503", 503, COUNTED, False),
        ("504", 504, COUNTED, False),
        ("530", 530, COUNTED, False),
        ("ConnectionError", None, COUNTED, False),
        ("DNSError", None, COUNTED, False),
        ("ConnectTimeout", None, COUNTED, False),
        ("ReadTimeout", None, COUNTED, False),
        ("ConnectionClosed", None, COUNTED, False),
        ("ProxyError", None, COUNTED, False),
        ("SSLError", None, COUNTED, False),
        ("CertificateError", None, NEVER, True),
    ],
)
def test_each_code_has_its_class(code: str, status: int | None, retry: Retry, stops_run: bool) -> None:
    fault = classify(code, status, {"Message": "words of the service."}, CONTEXT)
    assert (fault.code, fault.retry, fault.stops_run) == (code, retry, stops_run)


@pytest.mark.parametrize(
    ("status", "retry", "stops_run"),
    [(400, NEVER, False), (429, PATIENT, False), (500, COUNTED, False), (599, COUNTED, False), (302, NEVER, True)],
)
def test_an_unknown_code_is_judged_by_its_status(status: int, retry: Retry, stops_run: bool) -> None:
    fault = fault_of("BrandNewException", status=status)
    assert (fault.code, fault.retry, fault.stops_run) == ("BrandNewException", retry, stops_run)


@pytest.mark.parametrize("code", [*FAULTS, "ModelError", "BrandNewException"])
@pytest.mark.parametrize("message", [None, "", "{odd} braces {0}\nand lines."])
def test_every_message_is_one_line_without_a_final_period(code: str, message: str | None) -> None:
    fault = fault_of(code, message)
    assert "\n" not in fault.message and not fault.message.endswith(".")
    assert "None" not in fault.message
    assert fault.request_id == "id-1"


@pytest.mark.parametrize("code", [code for code, row in FAULTS.items() if row.stops_run])
def test_what_stops_the_run_says_what_to_do(code: str) -> None:
    error = as_setup_error(fault_of(code))
    assert isinstance(error, SetupError)
    assert error.hint


def test_access_denied_shows_the_statement_that_is_missing() -> None:
    fault = fault_of("AccessDeniedException", None, 403)
    assert fault.message == "access denied to endpoint `My-Endpoint` in us-west-2 (AccessDeniedException)"
    assert fault.hint == (
        'the IAM policy of the caller must include {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", '
        '"Resource": "arn:aws:sagemaker:us-west-2:*:endpoint/my-endpoint"}'
    )


def test_access_denied_takes_the_resource_that_the_refusal_names() -> None:
    arn = "arn:aws:sagemaker:us-west-2:111111111111:inference-component/my-component"
    refusal = f"User: arn:aws:iam::1:user/x is not authorized to perform: sagemaker:InvokeEndpoint on resource: {arn}."
    fault = fault_of("AccessDeniedException", refusal, 403)
    assert f'"Resource": "{arn}"' in str(fault.hint)


def test_the_account_and_the_partition_are_filled_in_where_they_are_known() -> None:
    context = FaultContext("ep", "cn-north-1", "https://x", account="222222222222")
    hint = str(classify("AccessDenied", 403, {}, context).hint)
    assert "arn:aws-cn:sagemaker:cn-north-1:222222222222:endpoint/ep" in hint


def test_an_endpoint_that_is_not_there_comes_with_a_check_list() -> None:
    fault = fault_of("ValidationError", "Endpoint My-Endpoint of account 123456789012 not found.")
    assert fault.stops_run
    assert fault.message == (
        "endpoint `My-Endpoint` not found in us-west-2 (ValidationError): "
        "Endpoint My-Endpoint of account 123456789012 not found"
    )
    assert fault.hint == (
        "check that the name matches exactly, that the endpoint is deployed and in service, and that us-west-2 is "
        "its region: `aws sagemaker list-endpoints --region us-west-2`"
    )


def test_text_decides_nothing_where_the_code_says_something_else() -> None:
    fault = fault_of("InternalFailure", "Endpoint My-Endpoint of account 123456789012 not found.", 500)
    assert (fault.retry, fault.stops_run) == (COUNTED, False)


@pytest.mark.parametrize(
    ("message", "retry", "stops_run", "hint"),
    [
        ("Inference Component Name header is required for ...", NEVER, True, "set `inferenceComponentName` to one of"),
        ("Inference Component Name header is not allowed for ...", NEVER, True, "remove `inferenceComponentName`"),
        ("Inference component c has no capacity", LOADING, False, "scaled to zero"),
        ("Endpoint x has no capacity", LOADING, False, "`warmUp`"),
        ("You must accept the EULA", NEVER, True, "`customAttributes: accept_eula=true`"),
        ("Endpoint x is configured for asynchronous inference", NEVER, False, "`async: true`"),
    ],
)
def test_validation_errors_are_told_apart_by_their_text(message: str, retry: Retry, stops_run: bool, hint: str) -> None:
    fault = fault_of("ValidationError", message)
    assert (fault.retry, fault.stops_run) == (retry, stops_run)
    assert hint in str(fault.hint)


def test_the_log_of_a_component_has_its_own_group() -> None:
    context = FaultContext("ep", "us-west-2", "https://x", component="summaries")
    hint = str(classify("ModelError", 424, {"OriginalStatusCode": 500}, context).hint)
    assert "group `/aws/sagemaker/InferenceComponents/summaries`" in hint


def test_a_null_message_without_a_code_is_a_throttle_and_a_missing_one_is_not() -> None:
    assert classify("400", 400, {"Message": None}, CONTEXT).retry is PATIENT
    assert classify("400", 400, {"Message": ""}, CONTEXT).retry is NEVER
    assert classify("400", 400, {}, CONTEXT).retry is NEVER


def test_a_null_message_of_a_throttle_leaves_the_meaning() -> None:
    assert fault_of("ThrottlingException", None).message == "SageMaker throttled the call (ThrottlingException)"


def test_a_body_that_is_too_large_is_shown_with_its_size() -> None:
    fault = fault_of("413", "", 413)
    assert fault.message == "the request body of 7,000,000 bytes is too large (413)"
    assert "25 MB" in str(fault.hint)


def test_a_refused_signature_shows_the_reason_and_not_the_request() -> None:
    refusal = (
        "The request signature we calculated does not match. Check your key.\n\nThe Canonical String for this request "
        "should have been\n'POST\nx-amz-security-token:IQoJtoken'"
    )
    message = fault_of("InvalidSignatureException", refusal, 403).message
    assert message.endswith("does not match. Check your key")
    assert "IQoJtoken" not in message


def test_a_region_that_does_not_exist_is_suggested_another() -> None:
    context = FaultContext("ep", "us-esat-1", "https://runtime.sagemaker.us-esat-1.amazonaws.com")
    fault = classify("DNSError", None, {"Message": "Name or service not known"}, context)
    assert fault.message == (
        "the name in https://runtime.sagemaker.us-esat-1.amazonaws.com cannot be resolved (DNSError): "
        "Name or service not known"
    )
    assert fault.hint == "`us-esat-1` is not a known region: did you mean `us-east-1`?"


def test_a_known_region_that_cannot_be_resolved_points_to_the_network() -> None:
    assert classify("DNSError", None, {}, CONTEXT).hint == "check the network and the region"


def test_a_time_out_names_the_time_and_the_ways_out() -> None:
    fault = classify("ReadTimeout", None, {}, CONTEXT)
    assert fault.message == "no answer from `My-Endpoint` within 80,000 ms (ReadTimeout)"
    assert "asynchronous inference" in str(fault.hint)


def test_a_stream_that_lasted_too_long_is_not_tried_again() -> None:
    too_long = fault_of("ModelStreamError", ErrorCode="ModelInvocationTimeExceeded")
    assert too_long.retry is NEVER and "set `async:` in place of `stream`" in str(too_long.hint)
    assert fault_of("ModelStreamError", ErrorCode="StreamBroken").retry is COUNTED
