"""Calls that a cassette does not have: in what they differ from the nearest one that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from sagemaker_eval.calling.cache_sketch import changed_paths, values_at
from sagemaker_eval.calling.cassette import JSON, Asked, Entry, body_bytes
from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import Call, Json, Operation

_MOST_COMPARED = 2_000
"""Calls of a cassette among which the nearest is looked for."""

_MOST_EXPLAINED = 100
"""Calls of a run that are explained: where more are missing, the configuration is another one."""

_SHOWN_PATHS = 3
_SHOWN_TEXT = 40
_BEFORE = 12
_WORD = re.compile(rb"\w+")

_PARTS = {
    "endpoint": "the endpoint",
    "operation": "the operation",
    "content_type": "`contentType`",
    "accept": "`acceptType`",
    "routing": "the routing",
    "repeat": "the repetition",
    "config": "the prompt's `config`",
    "settings": "the provider's `config`",
}
_USUAL = {"operation": Operation.INVOKE.value, "content_type": JSON, "accept": JSON}
_ABSENT = object()


class NotRecorded(CaseError):
    """A call is not in the cassette that the run is answered from."""

    kind = "replay"

    def __init__(self, path: str, differences: str, case: str = "") -> None:
        of_case = f"{case}: " if case else ""
        super().__init__(
            f"{of_case}the cassette `{path}` does not have this call: {differences}",
            f"where that is meant, record anew: `sageval eval --record {path}`",
        )
        self._parts = (path, differences)

    def of(self, call: Call) -> NotRecorded:
        """The same, naming the case that the call belongs to."""
        return NotRecorded(*self._parts, _case(call))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A call as it is compared: its values by their paths, and the words of its body."""

    asked: Asked
    values: dict[str, Json]
    words: frozenset[bytes]

    @classmethod
    def of(cls, asked: Asked) -> _Drawn:
        body = body_bytes(asked.body)
        variables = {f"vars.{name}": value for name, value in asked.vars.items()}
        return cls(asked, (values_at(body) or {"": asked.body}) | variables, frozenset(_WORD.findall(body)))


class Nearest:
    """Says in what a call differs from the nearest of those that `entries` gives."""

    def __init__(self, entries: Callable[[], Iterable[Entry]]) -> None:
        self._entries = entries
        self._known: list[_Drawn] | None = None
        self._explained = 0

    def differences(self, asked: Asked) -> str:
        """In words, on one line."""
        if self._explained >= _MOST_EXPLAINED:
            return "so many others are missing too that it is not compared"
        self._explained += 1
        if self._known is None:
            self._known = [_Drawn.of(entry.asked) for entry in islice(self._entries(), _MOST_COMPARED)]
        if not self._known:
            return "it has none at all"
        wanted = _Drawn.of(asked)
        nearest = min(self._known, key=lambda known: _distance(known, wanted))
        return f"compared with the nearest one, {'; '.join(_told(nearest, wanted))}"


def _distance(kept: _Drawn, wanted: _Drawn) -> tuple[int, int, int]:
    """(is it another endpoint, parts and values that differ, words of the body that do)."""
    differing = len(list(_differing(kept.asked, wanted.asked))) + len(changed_paths(kept.values, wanted.values))
    return int(kept.asked.endpoint != wanted.asked.endpoint), differing, len(kept.words ^ wanted.words)


def _differing(kept: Asked, asked: Asked) -> Iterator[str]:
    return (name for name in _PARTS if getattr(kept, name) != getattr(asked, name))


def _told(kept: _Drawn, wanted: _Drawn) -> Iterator[str]:
    for name in _differing(kept.asked, wanted.asked):
        before, now = getattr(kept.asked, name), getattr(wanted.asked, name)
        if name == "repeat":
            before, now = before + 1, now + 1
        usual = _USUAL.get(name, _ABSENT)
        yield f"{_PARTS[name]} differs: {_shown(before or usual)} -> {_shown(now or usual)}"
    paths = changed_paths(kept.values, wanted.values)
    for path in paths[:_SHOWN_PATHS]:
        yield f"{_place(path)} differs: {_change(kept.values.get(path, _ABSENT), wanted.values.get(path, _ABSENT))}"
    if len(paths) > _SHOWN_PATHS:
        yield f"and {len(paths) - _SHOWN_PATHS} more differences"
    if not paths and kept.asked.body != wanted.asked.body:
        yield "the body differs in how its JSON is written, or further on than is compared"


def _place(path: str) -> str:
    return f"`{path}`" if path else "the prompt"


def _change(before: object, now: object) -> str:
    if isinstance(before, str) and isinstance(now, str):
        alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, now, strict=False)))
        start = max(0, alike - _BEFORE)
        return f"{_shown(before[start:], start > 0)} -> {_shown(now[start:], start > 0)}"
    return f"{_shown(before)} -> {_shown(now)}"


def _shown(value: object, continued: bool = False) -> str:
    if value is _ABSENT:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return f"`{'…' if continued else ''}{text[:_SHOWN_TEXT]}{'…' if len(text) > _SHOWN_TEXT else ''}`"


def _case(call: Call) -> str:
    """A case in words: its description, else its variables, and which repetition it is."""
    named = call.test.description if call.test is not None else None
    own = {name: value for name, value in call.vars.items() if not name.startswith("_")}
    told = named or ", ".join(f"{name}: {_shown(value)}" for name, value in islice(own.items(), _SHOWN_PATHS))
    words = f"case `{named}`" if named else f"case with {told}" if told else "case without variables"
    return f"{words}, repetition {call.repeat + 1}" if call.repeat else words
