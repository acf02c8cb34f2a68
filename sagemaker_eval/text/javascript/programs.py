"""What the JavaScript engine is given and what it gives back, as plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sagemaker_eval.model import Json

Step = Literal["call", "commonjs", "module"]
Kind = Literal["value", "undefined", "function", "unusable", "raised", "missing", "time", "memory", "unsettled"]

_EXTENSIONS = {
    "require": re.compile(r"\brequire\b"),
    "console": re.compile(r"\bconsole\b"),
    "timers": re.compile(r"\b(?:set|clear)Timeout\b"),
    "clone": re.compile(r"\bstructuredClone\b"),
}
"""Names that the language lacks. What defines them is loaded only where the code names them: it costs time per call."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may use: seconds of computing, bytes of memory, bytes of stack (about 850 per nested call)."""

    seconds: float = 5.0
    memory: int = 64 << 20
    stack: int = 8 << 20

    @property
    def patience(self) -> float:
        """Seconds by the clock on the wall after which a call is given up that the engine did not stop."""
        return 3 * self.seconds


@dataclass(frozen=True, slots=True)
class Program:
    """Code as the engine takes it. The first line of `text` holds the first line of the user's code.

    For the steps `call` and `commonjs` its value is a function; for `module` it is the text of a module. `calls` says
    whether a function that comes out of `call` is called in turn. `name` and `other` say which export of a file is
    meant: the one asked for, and the one to take where there is no default.
    """

    text: str
    step: Step
    calls: bool = False
    name: str | None = None
    other: str | None = None
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arguments:
    """A list of values as text: JSON, or (`json` false) a literal with numbers that JSON does not know."""

    text: str
    json: bool = True

    @classmethod
    def of(cls, values: Sequence[Json]) -> Arguments:
        """Raises RecursionError where the values are nested too deeply, TypeError where they are no JSON values."""
        try:
            return cls(json.dumps(values, allow_nan=False, default=_plain))
        except ValueError:
            return cls(json.dumps(values, default=_plain), json=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """How a run ended. `payload` is the value, the error (`name`, `message`), or the names of the functions there are.

    `line` is the line of the user's code where it happened, where the engine knows it.
    """

    kind: Kind
    payload: Json = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """Why a text is no program: the engine's words, and the place, in lines and bytes that count from 1."""

    message: str
    line: int | None = None
    byte: int | None = None


def needed_extensions(code: str) -> tuple[str, ...]:
    """What has to be loaded before `code`."""
    return tuple(name for name, mention in _EXTENSIONS.items() if mention.search(code))


def _plain(value: object) -> object:
    """Mappings that are no dicts, as the model has them."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")
