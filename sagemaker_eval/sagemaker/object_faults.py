"""Failures of S3: what boto3 raises, as faults that may pass and as errors that end the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.sagemaker.credential_failures import credential_failure
from sagemaker_eval.sagemaker.faults import FAULTS, FaultContext, classify
from sagemaker_eval.sagemaker.hints import one_line

_MISSING = frozenset({"NoSuchKey", "404"})
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "403"})
_ELSEWHERE = frozenset(
    {"301", "307", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"}
)
_THROTTLED = frozenset({"RequestLimitExceeded", "ServiceUnavailable", "SlowDown", "Throttling"})
_PASSING = frozenset({"OperationAborted", "RequestTimeout"})

_OF_S3 = ("Object", "Bucket")
"""How S3's operations end, other than those by which credentials are got."""

_NETWORK_CODES = {
    "ReadTimeoutError": "ReadTimeout",
    "ConnectTimeoutError": "ConnectTimeout",
    "ProxyConnectionError": "ProxyError",
    "SSLError": "SSLError",
    "ConnectionError": "ConnectionError",
    "HTTPClientError": "ConnectionClosed",
    "HTTPError": "ConnectionClosed",
}
"""Classes of botocore and urllib3 to the codes of `network.py`; the nearest ancestor decides."""


@dataclass(frozen=True, slots=True)
class ObjectCall:
    """What was asked of S3: the operation by its IAM action (`s3:PutObject`), and for which object."""

    action: str
    bucket: str
    key: str
    region: str
    partition: str = "aws"


def is_missing(error: Exception) -> bool:
    """Whether a read failed because there is no such object, as far as S3 tells those who may not list the bucket."""
    code, message, _ = _told(error)
    return code in _MISSING or (code in _DENIED and "s3:ListBucket" in message)


def object_error(error: Exception, call: ObjectCall) -> Exception:
    """What to raise for an exception of boto3: a `SetupError` or an `EndpointFault`, or `error` where it is neither's.

    What failed may also have been a call that renews credentials on the way.
    """
    if isinstance(error, (EndpointFault, SetupError)):
        return error
    if getattr(error, "response", None) is None:
        return _unanswered(error, call)
    if not getattr(error, "operation_name", call.action).endswith(_OF_S3):
        return credential_failure(error, None)
    return _answered(error, call)


def _answered(error: Exception, call: ObjectCall) -> EndpointFault | SetupError:
    code, message, status = _told(error)
    said = one_line(message) or "no further message"
    where = f"s3://{call.bucket}/{call.key}"
    row = FAULTS.get(code)
    if code in _DENIED:
        return SetupError(f"S3 denies `{call.action}` on `{where}`: {said}", _permission(call))
    if code == "NoSuchBucket":
        return SetupError(f"there is no S3 bucket `{call.bucket}`", _which_bucket(call))
    if code in _ELSEWHERE:
        return SetupError(
            f"the S3 bucket `{call.bucket}` is not in {call.region} ({code}): {said}",
            "use a bucket in the endpoint's region",
        )
    if row is not None and row.stops_run:  # credentials that are wrong for one service are wrong for all
        fault = classify(code, status, {"Message": message}, FaultContext("", call.region, f"S3 in {call.region}"))
        return SetupError(fault.message, fault.hint)
    return EndpointFault(f"S3 failed for `{where}` ({code}): {said}", code=code, retry=_retry(code, status))


def _retry(code: str, status: int) -> Retry:
    if code in _THROTTLED or status in (429, 503):
        return Retry.PATIENT
    return Retry.COUNTED if code in _PASSING or status >= 500 else Retry.NEVER


def _unanswered(error: Exception, call: ObjectCall) -> Exception:
    """What never got as far as S3, or not back: the network, credentials, or members that botocore does not send."""
    from botocore.exceptions import BotoCoreError, ParamValidationError
    from urllib3.exceptions import HTTPError

    if not isinstance(error, (BotoCoreError, HTTPError, OSError, EOFError)):
        return error
    if isinstance(error, ParamValidationError):
        return SetupError(f"`{call.bucket}` cannot be asked for: {one_line(str(error))}", _which_bucket(call))
    names = (ancestor.__name__ for ancestor in type(error).__mro__)
    code = next((_NETWORK_CODES[name] for name in names if name in _NETWORK_CODES), None)
    if code is None:
        return credential_failure(error, None)
    return EndpointFault(
        f"cannot reach S3 for bucket `{call.bucket}` ({code}): {one_line(str(error))}",
        code=code,
        retry=Retry.COUNTED,
        hint="check the network, and the proxy variables where they are set; inside a VPC, its endpoint for S3",
    )


def _told(error: Exception) -> tuple[str, str, int]:
    """Code, message and HTTP status of an error that S3 answered with; empty for any other exception."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    told = response.get("Error") or {}
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode") or 0
    return str(told.get("Code") or ""), str(told.get("Message") or ""), int(status)


def _permission(call: ObjectCall) -> str:
    """The IAM statements that the caller lacks."""
    arn = f"arn:{call.partition}:s3:::{call.bucket}"
    statement = {"Effect": "Allow", "Action": call.action, "Resource": f"{arn}/*"}
    hint = f"the IAM policy of the caller must include {json.dumps(statement)}"
    if call.action != "s3:GetObject":
        return hint
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn}
    return f"{hint} and {json.dumps(listing)}, without which S3 denies what is merely not there yet"


def _which_bucket(call: ObjectCall) -> str:
    if call.action == "s3:GetObject":
        return "the endpoint leaves its answers there: check `AsyncInferenceConfig` of its configuration"
    return "correct `async: {bucket: …}`"
