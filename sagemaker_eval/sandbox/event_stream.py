"""Writes messages of AWS's event stream, the framing of InvokeEndpointWithResponseStream.

Source of the format: the Smithy specification "Amazon Event Stream" (application/vnd.amazon.eventstream). A message is
a prelude (total length and length of the headers, both uint32, and the CRC-32 of these 8 bytes), headers, payload and
the CRC-32 of everything before it; all numbers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zlib import crc32

from sagemaker_eval.model import Json, compact_json

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct("!II")
_CHECKSUM = struct.Struct("!I")
_OVERHEAD = _PRELUDE.size + 2 * _CHECKSUM.size
_STRING = 7
"""The type of a header whose value is text."""


def message(headers: Mapping[str, str], payload: bytes = b"") -> bytes:
    """One message whose headers are all text."""
    return _framed(b"".join(_header(name, value) for name, value in headers.items()), payload)


def payload_part(data: bytes) -> bytes:
    """A PayloadPart event: bytes as the container wrote them."""
    return _framed(_PAYLOAD_PART, data)


def exception(kind: str, document: Json) -> bytes:
    """An exception that the operation's model knows, such as ModelStreamError."""
    headers = {":message-type": "exception", ":exception-type": kind, ":content-type": "application/json"}
    return message(headers, compact_json(document).encode())


def error(code: str, text: str) -> bytes:
    """An error that the model does not know."""
    return message({":message-type": "error", ":error-code": code, ":error-message": text})


def corrupted(framed: bytes) -> bytes:
    """`framed` with a checksum that does not fit it."""
    return framed[:-1] + bytes([framed[-1] ^ 0xFF])


def _framed(headers: bytes, payload: bytes) -> bytes:
    prelude = _PRELUDE.pack(_OVERHEAD + len(headers) + len(payload), len(headers))
    checked = prelude + _CHECKSUM.pack(crc32(prelude)) + headers + payload
    return checked + _CHECKSUM.pack(crc32(checked))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack("!B", len(key)) + key + struct.pack("!BH", _STRING, len(text)) + text


_PAYLOAD_PART = b"".join(
    _header(name, value)
    for name, value in {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }.items()
)
