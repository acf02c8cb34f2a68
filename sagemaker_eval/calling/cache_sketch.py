"""What is kept of a request's body: enough to say where two bodies differ, and no text of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from sagemaker_eval.model import Json

Sketch: TypeAlias = Mapping[str, Json]
"""Paths into a JSON body (`messages[0].content`) with what stood there: numbers, booleans and null as they are.

Of a text there is its length in characters and the beginning of its digest (`34:1f0c99ab`), since it may be private.
"""

MOST_LEAVES = 48
LONGEST_BODY = 64 * 1024
_LONGEST_PATH = 120


def body_digest(body: bytes) -> str:
    """The first 16 hex digits of a body's SHA-256: enough to tell the bodies of one cache apart."""
    return hashlib.sha256(body).hexdigest()[:16]


def sketch_of(body: bytes) -> Sketch | None:
    """The sketch of a JSON object or list, of which the first 48 values count; None for anything else or larger."""
    if len(body) > LONGEST_BODY or body[:1] not in (b"{", b"["):
        return None
    try:
        return {path: _drawn(value) for path, value in islice(_leaves(json.loads(body), ""), MOST_LEAVES)}
    except (ValueError, RecursionError):
        return None


def values_at(body: bytes) -> dict[str, Json]:
    """The values of a JSON body by the paths of its sketch; empty where it has none."""
    try:
        return dict(islice(_leaves(json.loads(body), ""), MOST_LEAVES))
    except (ValueError, RecursionError):
        return {}


def changed_paths(stored: Sketch, asked: Sketch) -> list[str]:
    """The paths at which two sketches differ, in the order of the request that is asked, then those that are gone."""
    missing = object()
    paths = [path for path, value in asked.items() if not _same(stored.get(path, missing), value)]
    return paths + [path for path in stored if path not in asked]


def text_length(drawn: Json) -> int | None:
    """How many characters the text had that stands in a sketch; None for what is no text."""
    return int(drawn.partition(":")[0]) if isinstance(drawn, str) else None


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    """The values of a document that hold no others, by their paths, of which the first 120 characters count."""
    if isinstance(value, dict) and value:
        inner = ((f"{path}.{name}" if path else name, member) for name, member in value.items())
    elif isinstance(value, list) and value:
        inner = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    else:
        yield path[:_LONGEST_PATH], value
        return
    for where, part in inner:
        if isinstance(part, dict | list):
            yield from _leaves(part, where)
        else:
            yield where[:_LONGEST_PATH], part


def _drawn(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{len(value)}:{digest[:8]}"


def _same(one: object, other: object) -> bool:
    """Equal, and of one type: to an endpoint, 1 and true are not the same."""
    return type(one) is type(other) and one == other
