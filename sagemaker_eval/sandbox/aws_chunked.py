"""The content encoding `aws-chunked` in which AWS SDKs upload objects, and the checksums that come with them.

    <size in hex>[;chunk-signature=...]\\r\\n <bytes> \\r\\n ... 0\\r\\n <trailer>: <value>\\r\\n ... \\r\\n

Source: Amazon S3 API reference, "Signature calculations: transferring payload in multiple chunks" and "Checking object
integrity".
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ENCODING = "aws-chunked"
CHECKSUM = "x-amz-checksum-"
_NEWLINE = b"\r\n"

_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}


class BrokenUpload(Exception):
    """The body is not in the form that its headers promise. The message is one clause."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of an object, and its checksums by header as the caller stated them."""

    body: bytes = field(repr=False)
    checksums: Mapping[str, str] = field(default_factory=dict)


def upload(headers: Mapping[str, str], body: bytes) -> Upload:
    """What a request uploads. Raises `BrokenUpload` where chunks are broken or a checksum is wrong.

    Checksums that take more than Python's own library (CRC-32C, CRC-64/NVME) are kept unchecked, as are the signatures
    of single chunks.
    """
    stated = headers
    if is_chunked(headers):
        body, trailers = _decode(body)
        if headers.get("x-amz-decoded-content-length", str(len(body))) != str(len(body)):
            raise BrokenUpload("the chunks are not as long as x-amz-decoded-content-length says")
        stated = {**headers, **trailers}
    checksums = {name: value for name, value in stated.items() if name.startswith(CHECKSUM)}
    for name, value in checksums.items():
        digest = _DIGESTS.get(name.removeprefix(CHECKSUM))
        if digest and not hmac.compare_digest(b64encode(digest(body)), value.encode()):
            raise BrokenUpload(f"the value of {name} is not the checksum of the body")
    return Upload(body, {name: value for name, value in checksums.items() if name != f"{CHECKSUM}algorithm"})


def is_chunked(headers: Mapping[str, str]) -> bool:
    """Whether a request's body is in this encoding."""
    return headers.get("x-amz-content-sha256", "").startswith("STREAMING-") or ENCODING in encodings(headers)


def encodings(headers: Mapping[str, str]) -> list[str]:
    """The content encodings, in their order."""
    return [each.strip() for each in headers.get("content-encoding", "").split(",") if each.strip()]


def _decode(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The bytes of all chunks, and the trailers by lower-case name."""
    chunks: list[bytes] = []
    at = 0
    while True:
        line, at = _line(body, at)
        size = _size(line)
        if size == 0:
            return b"".join(chunks), _trailers(body[at:])
        chunks.append(body[at : at + size])
        if body[at + size : at + size + 2] != _NEWLINE:
            raise BrokenUpload("a chunk is not as long as it says")
        at += size + 2


def _line(body: bytes, at: int) -> tuple[bytes, int]:
    end = body.find(_NEWLINE, at)
    if end < 0:
        raise BrokenUpload("the last chunk, which is empty, is missing")
    return body[at:end], end + 2


def _size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise BrokenUpload("a chunk does not begin with its size") from None


def _trailers(rest: bytes) -> dict[str, str]:
    lines = (line.decode("latin-1").partition(":") for line in rest.split(_NEWLINE) if line)
    return {name.strip().lower(): value.strip() for name, _, value in lines}
