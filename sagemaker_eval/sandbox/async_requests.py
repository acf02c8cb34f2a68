"""An InvokeEndpointAsync request, read and checked. Source: the operation's model in botocore and its API reference."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote
from uuid import uuid4

from sagemaker_eval.sandbox.replies import Refusal, validation_error
from sagemaker_eval.sandbox.s3_locations import split_location
from sagemaker_eval.sandbox.signature import Incoming

MAX_INLINE = 128_000
"""Bytes of a request that comes without an object."""

_PATH = re.compile(r"/endpoints/([^/?]+)/async-invocations(?:\?.*)?")
_PREFIX = "x-amzn-sagemaker-"
_DEFAULT_TIMEOUT = 900
_DEFAULT_TTL = 21_600
_LONGEST_ID = 64
_LONGEST_FILENAME = 32
_LONGEST_EXTENSION = 512


def async_endpoint(incoming: Incoming) -> str | None:
    """The endpoint that an InvokeEndpointAsync request names; None for any other request."""
    match = _PATH.fullmatch(incoming.target)
    return unquote(match[1]) if match and incoming.method == "POST" else None


@dataclass(frozen=True, slots=True)
class AsyncRequest:
    """What is asked of an endpoint: the body itself, or `source`, the bucket and key that it is read from.

    `filename` and `extension` are names under the output path; `lifetime` and `time_out` are seconds, in the queue and
    in the container.
    """

    endpoint: str
    inference_id: str
    body: bytes = field(repr=False)
    source: tuple[str, str] | None
    filename: str | None
    extension: str
    lifetime: int
    time_out: int

    @classmethod
    def of(cls, incoming: Incoming, endpoint: str) -> AsyncRequest:
        """The request. Raises `Refusal` where a member is missing or wrong."""
        headers = incoming.headers
        return cls(
            endpoint=endpoint,
            inference_id=_inference_id(headers),
            body=incoming.body,
            source=_source(headers, incoming.body),
            filename=_filename(headers),
            extension=_extension(headers),
            lifetime=_seconds(headers, "RequestTTLSeconds", 60, 21_600, _DEFAULT_TTL),
            time_out=_seconds(headers, "InvocationTimeoutSeconds", 1, 3_600, _DEFAULT_TIMEOUT),
        )


def plain_invocation(incoming: Incoming, endpoint_path: str, body: bytes) -> Incoming:
    """The InvokeEndpoint request that a worker makes of an asynchronous one."""
    headers = dict(incoming.headers)
    for name, plain in (("content-type", "content-type"), ("accept", "accept")):
        value = headers.pop(f"{_PREFIX}{name}", None)
        headers.pop(plain, None)
        if value is not None:
            headers[plain] = value
    return Incoming("POST", f"/endpoints/{endpoint_path}/invocations", headers, body)


def _inference_id(headers: Mapping[str, str]) -> str:
    given = headers.get(f"{_PREFIX}inference-id")
    if given is None:
        return str(uuid4())
    _require(0 < len(given) <= _LONGEST_ID and not given[0].isspace(), "InferenceId", given)
    return given


def _source(headers: Mapping[str, str], body: bytes) -> tuple[str, str] | None:
    location = headers.get(f"{_PREFIX}inputlocation")
    if location is None:
        if not body:
            raise _refused("Either InputLocation or Body must be given.")
        if len(body) > MAX_INLINE:
            raise _refused(f"Body must have length less than or equal to {MAX_INLINE}; it has {len(body)} bytes.")
        return None
    if body:
        raise _refused("InputLocation and Body are mutually exclusive.")
    found = split_location(location)
    if found is None or not found[1]:
        raise _bad("InputLocation", location)
    return found


def _filename(headers: Mapping[str, str]) -> str | None:
    given = headers.get(f"{_PREFIX}filename")
    if given is not None:
        _require(0 < len(given) <= _LONGEST_FILENAME and given.count(".") <= 1 and "/" not in given, "Filename", given)
    return given


def _extension(headers: Mapping[str, str]) -> str:
    given = headers.get(f"{_PREFIX}s3outputpathextension", "")
    _require(
        len(given) <= _LONGEST_EXTENSION and not given.lower().startswith(("s3:", "https:")),
        "S3OutputPathExtension",
        given,
    )
    return given.strip("/")


def _seconds(headers: Mapping[str, str], member: str, least: int, most: int, default: int) -> int:
    given = headers.get(f"{_PREFIX}{member.lower()}")
    if given is None:
        return default
    _require(given.isdecimal() and least <= int(given) <= most, member, given)
    return int(given)


def _require(sound: bool, member: str, value: str) -> None:
    if not sound:
        raise _bad(member, value)


def _bad(member: str, value: str) -> Refusal:
    where = member[0].lower() + member[1:]
    return _refused(f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy its constraint")


def _refused(message: str) -> Refusal:
    return Refusal(validation_error(message))
