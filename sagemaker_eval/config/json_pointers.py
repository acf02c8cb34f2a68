"""Local JSON pointers (RFC 6901, as the fragment of a URI): what `$ref` has, and where it leads in a document."""

from __future__ import annotations

import re
from urllib.parse import unquote

from sagemaker_eval.config.yaml_places import Pointer
from sagemaker_eval.model import Json

REFERENCE = "$ref"

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

MOST_HOPS = 32
"""References that may lead to one another before a value comes."""


def pointer_steps(reference: str) -> tuple[str, ...] | None:
    """The steps of `#/a/b`, decoded; None where the text is no pointer into the document itself."""
    if reference == "#":
        return ()
    if not reference.startswith("#/"):
        return None
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/"))


def pointer_text(steps: Pointer) -> str:
    """The pointer that has these steps, as `$ref` takes it."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def step_within(value: Json, step: str | int) -> str | int | None:
    """The key or index that a step means in a map or list; None where it leads nowhere."""
    if isinstance(value, dict):
        return step if step in value else None
    if isinstance(value, list):
        index = int(step) if _INDEX.fullmatch(str(step)) else len(value)
        return index if index < len(value) else None
    return None


def written_at(document: Json, pointer: Pointer) -> Pointer:
    """Where the value that `pointer` leads to, once every `$ref` is expanded, stands in `document` as written.

    A pointer that leads nowhere comes back from its first wrong step on.
    """
    return _written_at(document, pointer, MOST_HOPS)


def _written_at(document: Json, pointer: Pointer, hops: int) -> Pointer:
    value: Json = document
    at: Pointer = ()
    for number, step in enumerate(pointer):
        while hops and isinstance(value, dict) and step not in value and isinstance(value.get(REFERENCE), str):
            steps = pointer_steps(value[REFERENCE])
            if steps is None:
                break
            hops -= 1
            at = _written_at(document, steps, hops)
            value = _value_at(document, at)
        found = step_within(value, step)
        if found is None:
            return at + pointer[number:]
        value, at = value[found], (*at, found)
    return at


def _value_at(document: Json, pointer: Pointer) -> Json:
    for step in pointer:
        found = step_within(document, step)
        if found is None:
            return None
        document = document[found]
    return document
