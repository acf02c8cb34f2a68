"""Frames of an event stream, as the service sends them."""

from __future__ import annotations

import json
import struct
import zlib


def frame(payload: bytes, **headers: str) -> bytes:
    """One frame; in the names of the headers, `_` stands for `-` after a leading colon."""
    block = b"".join(header(f":{name.replace('_', '-')}", value) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + block + payload
    return message + struct.pack("!I", zlib.crc32(message))


def header(name: str, value: str) -> bytes:
    string_type = 7
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", string_type, len(value)) + value.encode()


def payload_part(payload: bytes) -> bytes:
    media_type = "application/octet-stream"
    return frame(payload, message_type="event", event_type="PayloadPart", content_type=media_type)


def exception(code: str, message: str, **fields: str) -> bytes:
    payload = json.dumps({"Message": message, **fields}).encode()
    return frame(payload, message_type="exception", exception_type=code, content_type="application/json")


def error(code: str, message: str) -> bytes:
    return frame(b"", message_type="error", error_code=code, error_message=message)
