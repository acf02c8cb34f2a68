"""A cassette: the calls of a run and what came of them, as lines of JSON that can be read, committed and answered from.

The first line is the head; each further line is one distinct call with what it was answered, each time that it was
made. Lines are sorted by the call's key, so that a cassette that is recorded anew differs where answers do.
`docs/replay.md` describes the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec

from sagemaker_eval.errors import Retry
from sagemaker_eval.model import Json, Operation, Request

VERSION = 1
"""Of the file. A reader refuses any other."""

_ENCODING = b"sageval call 1"
"""Names how keys are made; another way takes another name."""

JSON = "application/json"

_KEY_DIGITS = 32

T = TypeVar("T")


class Head(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The first line. `run` is the id of the run that was recorded; `recorded_at` is when it began, ISO 8601 in UTC."""

    cassette: int
    sageval: str
    run: str
    recorded_at: str
    duration_ms: float
    complete: bool
    """Whether the run came to its end, so that every call of it is here."""


class Binary(msgspec.Struct, frozen=True):
    """A body that is no text."""

    base64: bytes


Body = str | Binary


class Asked(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A call as it is recorded, without what says where, when and as whom it was made.

    Of code of the user's own, `endpoint` is the provider's id, `body` the prompt and `operation` its kind; only it has
    the last three. What is None is as usual: JSON, asked for with InvokeEndpoint.
    """

    endpoint: str
    body: Body
    operation: str | None = None
    content_type: str | None = None
    accept: str | None = None
    routing: dict[str, str] = {}
    repeat: int = 0
    vars: dict[str, Json] = {}
    config: dict[str, Json] = {}
    """The prompt's."""
    settings: dict[str, Json] = {}
    """The provider's `config`."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """`model.TokenUsage`."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    estimated: bool = False
    requests: int = 0


class Times(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`model.Timings`, in ms; None stands for 0, and of the two of a stream for nothing known."""

    queue: float | None = None
    backoff: float | None = None
    cold_start: float | None = None
    wire: float | None = None
    first_token: float | None = None
    inter_token: float | None = None
    total: float | None = None


class TakenAnswer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`model.Answer`; without a body where that is the first answer's, without a content type where that is JSON."""

    body: Body | None = None
    content_type: str | None = None
    status: int = 200
    variant: str | None = None
    request_id: str | None = None
    usage: Usage | None = None
    timings: Times = Times()
    attempts: int = 1
    cached: bool = False
    told: tuple[tuple[str, str], ...] = ()


class TakenResponse(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What code of the user's own may tell of a `model.Response`."""

    output: Json
    raw: str = ""
    usage: Usage = Usage()
    finish_reason: str | None = None
    attempts: int = 1
    timings: Times = Times()
    cached: bool = False
    cost: float | None = None
    log_probs: tuple[float, ...] | None = None
    metadata: dict[str, Json] = {}


class TakenError(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A `CaseError`; of an `EndpointFault`, whose `code` is set, all that it tells."""

    kind: str
    message: str
    hint: str | None = None
    code: str | None = None
    retry: Retry = Retry.NEVER
    request_id: str | None = None
    original_status: int | None = None
    attempts: int = 1
    queued: float | None = None
    cold_start: float | None = None
    response: TakenResponse | None = None


class Take(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a call once: one of these, or none of them where the run was over before the call was."""

    answer: TakenAnswer | None = None
    response: TakenResponse | None = None
    error: TakenError | None = None


class Entry(msgspec.Struct, frozen=True):
    """A line: a call and what came of it each time, in the order of asking. The last stands for all further times."""

    key: str
    asked: Asked
    takes: tuple[Take, ...]


def asked_of(request: Request, scrub: Callable[[bytes], bytes]) -> Asked:
    """A request to an endpoint. Of the URL of a container, user, password and query are left out."""
    return Asked(
        endpoint=_named(request.endpoint),
        body=as_body(scrub(request.body)),
        operation=None if request.operation is Operation.INVOKE else request.operation.value,
        content_type=unusual(request.content_type),
        accept=unusual(request.accept),
        routing=dict(request.routing),
        repeat=request.repeat,
    )


def unusual(content_type: str) -> str | None:
    """A content type, unless it is the usual one."""
    return None if content_type == JSON else content_type


def key_of(asked: Asked, scrub: Callable[[bytes], bytes] = bytes) -> str:
    """128 bits of a SHA-256, in hex, over all that is asked, secrets masked."""
    return hashlib.sha256(_ENCODING + scrub(encoded(asked))).hexdigest()[:_KEY_DIGITS]


def as_body(body: bytes) -> Body:
    """Text where a body is text."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return Binary(body)


def body_bytes(body: Body) -> bytes:
    """A body as it was sent or came."""
    return body.base64 if isinstance(body, Binary) else body.encode("utf-8", "surrogatepass")


def encoded(value: Any) -> bytes:
    """A line's JSON, all keys sorted. Lone surrogates stay escaped."""
    try:
        return _ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError):
        plain = msgspec.to_builtins(value)
        return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()


def decoded(line: bytes, kind: type[T]) -> T:
    """What `encoded` wrote. Raises `ValueError` for anything else."""
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(line), kind)


def line_of(key: str, asked: Asked, takes: Sequence[Take]) -> bytes:
    """A call as a line of the file. It begins with the key, by which lines are found."""
    return b'{"key":"%s","asked":%s,"takes":%s}\n' % (key.encode(), encoded(asked), encoded(takes))


_ENCODER = msgspec.json.Encoder(order="sorted", enc_hook=dict)


def _named(endpoint: str) -> str:
    """The name of an endpoint as it is; of a container's URL nothing that could be a secret."""
    if "://" not in endpoint:
        return endpoint
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
