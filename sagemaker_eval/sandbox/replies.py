"""What the stand-in sends back, and the refusals of SageMaker Runtime in the form that they have on the wire.

An error is an HTTP status, a header `x-amzn-ErrorType: <Code>:` and a JSON body. Errors of the service's own model
write `Message`, those that every AWS service shares write `message`, which may be null.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum, auto

from sagemaker_eval.model import Json, compact_json

ACCOUNT = "123456789012"
"""The account that messages and log streams name."""

SERVER_ERROR = 500
_UNKNOWN_OPERATION = {"Output": {"__type": "com.amazon.coral.service#UnknownOperationException"}, "Version": "1.0"}
_HTML = "<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n"


class Ending(Enum):
    """How the connection treats a reply: sent whole, cut before or within it, or never sent at all.

    Of a reply in chunks all chunks are sent first: then the connection is reset, closed too early, or left silent.
    """

    COMPLETE = auto()
    CUT = auto()
    TRUNCATED = auto()
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of a streamed reply that are written at once, `wait_ms` after those before them."""

    data: bytes
    wait_ms: float = 0.0
    has_token: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response. `delay_ms` passes before it is sent.

    A streamed one has its `chunks` in place of a body. `place` is held from before the delay until the end.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay_ms: float = 0.0
    ending: Ending = Ending.COMPLETE
    chunks: tuple[Chunk, ...] | None = None
    place: AbstractAsyncContextManager[object] | None = field(default=None, compare=False, repr=False)


class Refusal(Exception):
    """The request ends here; `reply` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def aws_error(status: int, code: str, document: Json) -> Reply:
    """An error as AWS words it: `code` goes into the header, `document` is the body."""
    return Reply(status, compact_json(document).encode(), headers=(("x-amzn-ErrorType", f"{code}:"),))


def html_error(status: int, title: str) -> Reply:
    """What a load balancer in front of the service answers: no JSON and no error code."""
    return Reply(status, _HTML.format(title=f"{status} {title}").encode(), "text/html")


def unknown_operation() -> Reply:
    return aws_error(404, "UnknownOperationException", _UNKNOWN_OPERATION)


def validation_error(message: str) -> Reply:
    return aws_error(400, "ValidationError", {"Message": message})


def endpoint_not_found(endpoint: str) -> Reply:
    return validation_error(f"Endpoint {endpoint} of account {ACCOUNT} not found.")


def model_error(endpoint: str, region: str, status: int, original: str) -> Reply:
    """HTTP 424 for a container that answered `status` with the body `original`; status 0 is its time-out."""
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    blame = "server" if status >= SERVER_ERROR or status == 0 else "client"
    console = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
    message = (
        f'Received {blame} error ({status}) from primary with message "{original}". '
        f"See {console} in account {ACCOUNT} for more information."
    )
    document = {
        "ErrorCode": f"{blame.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{group}",
        "Message": message,
        "OriginalMessage": original,
        "OriginalStatusCode": status,
    }
    return aws_error(424, "ModelError", document)
