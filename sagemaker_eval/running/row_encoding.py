"""A row as one line of JSON, whatever it holds."""

from __future__ import annotations

import json

import msgspec

from sagemaker_eval.model import Json


def encode_row(row: dict[str, Json]) -> bytes:
    """A row as a line of JSON. NaN and infinity, which JSON lacks, become null; lone surrogates stay escaped."""
    try:
        return _FAST.encode(row)
    except (UnicodeEncodeError, OverflowError, TypeError, RecursionError):
        return _encode_with_care(row)


def _encode_with_care(row: dict[str, Json]) -> bytes:
    """What the fast encoder does not take: lone surrogates, integers of more than 64 bits."""
    try:
        return _ENCODER.encode(row).encode()
    except UnicodeEncodeError:
        return _ASCII_ENCODER.encode(row).encode()
    except ValueError:
        return _ASCII_ENCODER.encode(_finite(row)).encode()


_FAST = msgspec.json.Encoder(enc_hook=dict)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=dict)

_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=dict)


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if abs(value) != float("inf") and value == value else None
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "items"):
        return {name: _finite(item) for name, item in value.items()}
    return value
