"""The faults that a script can cause, each in the form that the caller sees.

| name | the caller sees |
|---|---|
| `throttling` | 400 ThrottlingException, with a null message |
| `modelError` | 424 ModelError around `status` (500; 0 is a time-out) and `message`, the container's body |
| `unavailable`, `internalFailure`, `internalDependency` | 503, 500 and 530 under those names |
| `badGateway` | 502 with an HTML body and no error code |
| `accessDenied`, `expiredToken` | 403 AccessDeniedException, ExpiredTokenException |
| `notFound`, `noCapacity`, `validation` | 400 ValidationError: no such endpoint, scaled to zero, as `message` says |
| `batchFailed`, `generationFailed` | 200 whose body is an error of LMI |
| `emptyBody` | 200 without a body |
| `truncated`, `disconnect`, `timeout` | a body that breaks off, a connection that is cut, no answer at all |
| `containerTimeout` | 424 ModelError 0, what `timeout` becomes after 60 s, at once |
| `modelNotReady` | 429 ModelNotReadyException; what `coldStart` gives |

All of them strike before a stream begins; those that break one are in `streaming.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.registry import Registry
from sagemaker_eval.sandbox.replies import (
    ACCOUNT,
    Ending,
    Reply,
    aws_error,
    endpoint_not_found,
    html_error,
    model_error,
    validation_error,
)
from sagemaker_eval.sandbox.rules import FaultSetting

_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
_ORIGINALS: dict[int, str] = {
    0: _TIMED_OUT,
    400: compact_json({"code": 400, "type": "BadRequestException", "message": "The request cannot be processed."}),
    422: compact_json({"error": "Input validation error: the request is not valid", "error_type": "validation"}),
    424: compact_json({"error": "Request failed during generation: Server error", "error_type": "generation"}),
    429: compact_json({"error": "Model is overloaded", "error_type": "overloaded"}),
    503: compact_json({"code": 503, "type": "ServiceUnavailableException", "message": "No worker is available."}),
}
_CRASHED = compact_json({"code": 500, "type": "InternalServerException", "message": "Worker died."})


@dataclass(frozen=True, slots=True)
class Circumstance:
    """Whom a fault strikes. `setting` is the script's."""

    endpoint: str
    region: str
    setting: FaultSetting

    def message(self, default: str) -> str:
        return default if self.setting.message is None else self.setting.message


Fault = Callable[[Circumstance], Reply]

FAULTS: Registry[Fault] = Registry("fault")

CONTAINER_FAULTS = frozenset(
    {"modelError", "batchFailed", "generationFailed", "emptyBody", "truncated", "disconnect", "timeout"}
)
"""Faults that strike after the time that the container takes; the service itself refuses at once."""


@FAULTS.register("throttling")
def throttling(at: Circumstance) -> Reply:
    return aws_error(400, "ThrottlingException", {"message": at.setting.message})


@FAULTS.register("modelError")
def failing_model(at: Circumstance) -> Reply:
    status = at.setting.status
    return model_error(at.endpoint, at.region, status, at.message(_ORIGINALS.get(status, _CRASHED)))


@FAULTS.register("containerTimeout")
def container_timeout(at: Circumstance) -> Reply:
    return model_error(at.endpoint, at.region, 0, at.message(_TIMED_OUT))


@FAULTS.register("modelNotReady")
def model_not_ready(at: Circumstance) -> Reply:
    message = at.message("The model is not ready for inference yet. Wait and try your request again.")
    return aws_error(429, "ModelNotReadyException", {"Message": message})


@FAULTS.register("unavailable")
def unavailable(at: Circumstance) -> Reply:
    message = at.message("The service is currently unavailable. Try your request again later.")
    return aws_error(503, "ServiceUnavailable", {"Message": message})


@FAULTS.register("internalFailure")
def internal_failure(at: Circumstance) -> Reply:
    return aws_error(500, "InternalFailure", {"Message": at.setting.message})


@FAULTS.register("internalDependency")
def internal_dependency(at: Circumstance) -> Reply:
    message = at.message("Your request failed because of a dependency of the service. Try it again.")
    return aws_error(530, "InternalDependencyException", {"Message": message})


@FAULTS.register("badGateway")
def bad_gateway(at: Circumstance) -> Reply:
    return html_error(502, at.message("Bad Gateway"))


@FAULTS.register("accessDenied")
def access_denied(at: Circumstance) -> Reply:
    endpoint = f"arn:aws:sagemaker:{at.region}:{ACCOUNT}:endpoint/{at.endpoint}"
    message = at.message(
        f"User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: sagemaker:InvokeEndpoint on "
        f"resource: {endpoint} because no identity-based policy allows the sagemaker:InvokeEndpoint action"
    )
    return aws_error(403, "AccessDeniedException", {"Message": message})


@FAULTS.register("expiredToken")
def expired_token(at: Circumstance) -> Reply:
    message = at.message("The security token included in the request is expired")
    return aws_error(403, "ExpiredTokenException", {"message": message})


@FAULTS.register("notFound")
def not_found(at: Circumstance) -> Reply:
    return endpoint_not_found(at.endpoint)


@FAULTS.register("noCapacity")
def no_capacity(at: Circumstance) -> Reply:
    return validation_error(at.message(f"Endpoint {at.endpoint} has no capacity to serve the request."))


@FAULTS.register("validation")
def validation(at: Circumstance) -> Reply:
    return validation_error(at.message("The request is not valid for this endpoint."))


@FAULTS.register("batchFailed")
def batch_failed(at: Circumstance) -> Reply:
    return _success({"code": 424, "message": at.message("Batch inference failed")})


@FAULTS.register("generationFailed")
def generation_failed(at: Circumstance) -> Reply:
    error = at.message("The prompt cannot be processed")
    return _success({"generated_text": "", "error": error, "code": 400, "details": {"finish_reason": "error"}})


@FAULTS.register("emptyBody")
def empty_body(at: Circumstance) -> Reply:
    return Reply(200, b"")


@FAULTS.register("truncated")
def truncated(at: Circumstance) -> Reply:
    whole = compact_json({"generated_text": at.message("This answer never comes to its")})
    return Reply(200, whole.encode(), ending=Ending.TRUNCATED)


@FAULTS.register("disconnect")
def disconnect(at: Circumstance) -> Reply:
    return Reply(0, b"", ending=Ending.CUT)


@FAULTS.register("timeout")
def timeout(at: Circumstance) -> Reply:
    return Reply(0, b"", ending=Ending.NEVER)


def _success(document: Json) -> Reply:
    return Reply(200, compact_json(document).encode())
