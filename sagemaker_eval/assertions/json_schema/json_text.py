"""Reading JSON exactly as JavaScript's JSON.parse does (RFC 8259)."""

from __future__ import annotations

import json
import re

from sagemaker_eval.model import Json

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<sign>[\[\]{},:])
        | (?P<text>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*")
        | (?P<scalar>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)
    )""",
    re.VERBOSE,
)
_BLANKS = re.compile(r"[ \t\n\r]*")
_OPENERS = {"[": ("]", "item or end"), "{": ("}", "key or end")}
_PLAIN_STEPS: dict[tuple[str | None, str], str] = {
    ("value", "text"): "end",
    ("value", "scalar"): "end",
    ("item or end", "text"): "end",
    ("item or end", "scalar"): "end",
    ("key", "text"): "colon",
    ("key or end", "text"): "colon",
    ("colon", ":"): "value",
}


class NotJson(ValueError):
    """A text that is no JSON document."""


def _refuse(constant: str) -> Json:
    raise NotJson(f"`{constant}` is not JSON")


def _integer(digits: str) -> int | float:
    """Python reads no integer of thousands of digits; JavaScript has it as a double, or as infinity."""
    return int(digits) if len(digits) < 1000 else float(digits)


_decode = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer).decode


def parse_json(text: str) -> Json:
    """The document of a JSON text. Raises `NotJson`, and `RecursionError` for one that is nested too deeply to hold."""
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(str(error)) from error
    except RecursionError:
        if not _is_well_formed(text):
            raise NotJson("it is nested deeply, and broken") from None
        raise


def _is_well_formed(text: str) -> bool:
    """Whether a text is JSON, however deep."""
    closers: list[str] = []
    due: str | None = "value"
    position = 0
    while due != "end" or closers:
        found = _TOKEN.match(text, position)
        if found is None:
            return False
        position = found.end()
        due = _after(due, found["sign"] or str(found.lastgroup), closers)
    return _BLANKS.fullmatch(text, position) is not None


def _after(due: str | None, token: str, closers: list[str]) -> str | None:
    """What is due after a token, None where the token itself was not; `closers` are the brackets to come."""
    if closers and token == closers[-1] and due in ("end", "item or end", "key or end"):
        closers.pop()
        return "end"
    if due == "end" and token == ",":
        return "key" if closers[-1] == "}" else "value"
    if due in ("value", "item or end") and token in _OPENERS:
        closer, due = _OPENERS[token]
        closers.append(closer)
        return due
    return _PLAIN_STEPS.get((due, token))
