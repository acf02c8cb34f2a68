"""What a grader's reply says, however a model words it: its parts as members of objects, or as labelled lines.

Tolerant of form, never of substance: what is not stated is `Unreadable`, and so is what is stated twice and differs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from sagemaker_eval.assertions.base import shortened
from sagemaker_eval.assertions.graded.asking import Unreadable
from sagemaker_eval.assertions.graded.loose_json import MOST_CHARACTERS, pieces
from sagemaker_eval.assertions.values import finite_number
from sagemaker_eval.model import Json, compact_json

T = TypeVar("T")

Members = Mapping[str, Json]
"""The members of an object, or labels and what stands after them. Names are folded (`fold`)."""

Convert = Callable[[Members, bool], T | None]
"""Takes what is wanted out of members; None where they are about something else. Raises `Unreadable`.

The flag says whether the object is complete: in one that was cut, what is absent may only not have come yet.
"""

PASS_NAMES = ("pass", "passed", "passes", "verdict", "result", "outcome", "decision", "judgement", "judgment")
SCORE_NAMES = ("score", "rating")
REASON_NAMES = ("reason", "reasoning", "explanation", "rationale", "justification", "comment", "feedback")

_TRUE = frozenset({"true", "yes", "y", "pass", "passed", "passes", "1", "✅", "✓", "✔"})
_FALSE = frozenset({"false", "no", "n", "fail", "failed", "fails", "0", "❌", "✗", "✘", "✕"})
_LEADING_WORD = re.compile(r"([✅✓✔❌✗✘✕]).|([a-z]+)[*_`]*\s*(?:[.,;:(–—]|-\s)")
_LONE_WORD = re.compile(
    r"(?:[✅❌]\ufe0f?\s*)?(pass|passed|passes|fail|failed|fails|true|false)\b(?=\s*(?:$|[.,;!(–—-]|:\s*\S))"
    r"|(yes|no|✅|❌)(?=\W*$)",
    re.IGNORECASE,
)

_DECORATION = " \t\r\n*_`~\"'“”‘’#>|•()[]{}\ufe0f"
_THOUGHT = r"(?:think|thinking|thought|reasoning|scratchpad)"
_END_OF_THOUGHT = re.compile(rf"</{_THOUGHT}>|<\|channel\|>final<\|message\|>", re.IGNORECASE)
_OPEN_THOUGHT = re.compile(rf"<{_THOUGHT}>|<\|channel\|>analysis", re.IGNORECASE)
_SPECIAL_TOKEN = re.compile(r"<\|[\w ]{1,30}\|>|</?s>|\[/?INST\]")

_TAG = re.compile(r"<([a-z_]{4,20})>([^<]*)</\1>", re.IGNORECASE)
_LABELLED = re.compile(
    r"""(?P<before>[\s>#*_`~\-–•|\d.)("'{\[✅❌]*+)
    (?P<final>(?:final|overall)\s+)?
    (?P<label>[a-z]{1,30}(?:[ _]?[a-z]{1,30})?)
    [\s*_`"')\]]*+(?:->|→|=>|[:=|])++[\s*_`"'(|]*+
    (?P<value>\S.*)$""",
    re.IGNORECASE | re.VERBOSE,
)
_BLANKS_AND_BARS = " \t\r\n\v\f|"
_FOLDED = re.compile(r"[\W_]+")

_PLAIN = r"[+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)"
_SCORE = re.compile(
    rf"(?P<number>{_PLAIN})(?:\s*+(?:(?P<percent>%)|(?:/|out\s+of)\s*+(?P<most>{_PLAIN})(?:\s*+points?)?))?"
    r"(?=\s*+(?:$|[,;(–—]|-\s|\.\s|\.$))",
    re.IGNORECASE,
)


def answer_of(reply: str) -> str:
    """A reply without the thinking that stands before the answer. Raises `Unreadable` where nothing is left."""
    text = reply[-MOST_CHARACTERS:].replace("\u200b", "").replace("\ufeff", "")
    for end in list(_END_OF_THOUGHT.finditer(text))[-1:]:
        text = text[end.end() :]
    if opened := _OPEN_THOUGHT.search(text):
        text = text[: opened.start()]
    text = _SPECIAL_TOKEN.sub("", text).strip()
    if not text:
        raise Unreadable("is empty" if not reply.strip() else "has no answer after the thinking")
    return _decoded(text)


def read_objects(answer: str, convert: Convert[T]) -> T | None:
    """What `convert` finds in the last complete object of an answer that tells it; None where no object does.

    Objects inside objects and lists count too; several of one document that tell different things are `Unreadable`, and
    so is an answer whose end, an object that was cut, is missing.
    """
    found: T | None = None
    flaw: Unreadable | None = None
    for piece in pieces(answer):
        try:
            inside = _inside(piece.value, convert, piece.complete)
            if inside is not None:
                found, flaw = inside, None
            elif not piece.complete:
                flaw = flaw or Unreadable("was cut off")
        except Unreadable as error:
            found, flaw = (found if piece.complete else None), error
    if found is None and flaw is not None:
        raise flaw
    return found


def _inside(value: Json, convert: Convert[T], complete: bool) -> T | None:
    if isinstance(value, dict):
        members = {fold(name): member for name, member in value.items()}
        if (found := convert(members, complete)) is not None:
            return found
    within = value.values() if isinstance(value, dict) else value
    nested = [_inside(item, convert, complete) for item in within if isinstance(item, dict | list)]
    told = [item for item in nested if item is not None]
    if any(item != told[0] for item in told):
        raise Unreadable("gives several answers that differ")
    return told[0] if told else None


def labels(answer: str, names: tuple[str, ...]) -> dict[str, Json]:
    """What stands after the labels `names` at the beginnings of lines (and after commas), by folded name.

    "Overall" and "final" before a label say which counts; else a label that comes twice has to say the same.
    """
    found: dict[str, tuple[bool, str]] = {}
    for line in _segments(_TAG.sub(_labelled_line, answer), names):
        match = _LABELLED.match(line)
        if match is None or (name := fold(match["label"])) not in names:
            continue
        final, value = match["final"] is not None, match["value"].rstrip(_BLANKS_AND_BARS)
        known = found.get(name)
        if known is not None and known[0] == final and known[1].lower() != value.lower() and name not in REASON_NAMES:
            raise Unreadable(f"gives `{name}` more than once, and differently")
        if known is None or final >= known[0]:
            found[name] = (final, value)
    return {name: value for name, (_, value) in found.items()}


def _labelled_line(tag: re.Match[str]) -> str:
    return f"\n{tag[1]}: {tag[2].strip()}\n"


def _segments(text: str, names: tuple[str, ...]) -> Iterator[str]:
    """Lines, cut also where a label follows a comma, a semicolon or a bar."""
    name = rf"[*_\"'][\s*_\"']*+(?:{'|'.join(names)})|(?:{'|'.join(names)})"
    split = re.compile(rf"\n|[,;|]\s*+(?=(?:{name})\b[\s*_\"']*+[:=])", re.IGNORECASE)
    return (segment for segment in split.split(text) if segment.strip())


def fold(name: str) -> str:
    """A member's name without case and signs: `**Is_Pass**` and `isPass` are `ispass`."""
    return _FOLDED.sub("", name).lower()


def member(members: Members, names: tuple[str, ...]) -> Json:
    """The first of the named members that is there and neither empty nor an object or list, else None."""
    there = (members[name] for name in names if members.get(name) not in (None, ""))
    return next((value for value in there if not isinstance(value, dict | list)), None)


def as_boolean(value: Json) -> bool | None:
    """Yes or no, as a boolean, a word, a sign, or 1 and 0; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value == 1 if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    word = value.strip(_DECORATION + ".!,").lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    leading = _LEADING_WORD.match(word)
    return as_boolean(leading[1] or leading[2]) if leading else None


def as_number(value: Json, scale: float | None = 1.0) -> float | None:
    """A finite number, also in words: `0.8`, `80%`, `8/10`, `8 out of 10`; None for anything else.

    A share such as `8/10` becomes that part of `scale`; it is 8 where `scale` is None.
    """
    if isinstance(value, bool):
        return None if scale is None else float(value) * scale
    if isinstance(value, int | float):
        return finite_number(value)
    found = _SCORE.match(value.strip(_DECORATION)) if isinstance(value, str) else None
    if found is None:
        return None
    number = float(found["number"].replace(",", "."))
    whole = 100.0 if found["percent"] else float((found["most"] or "0").replace(",", "."))
    return number / whole * scale if whole > 0 and scale is not None else number


def lone_word(answer: str) -> bool | None:
    """The verdict of an answer that begins or ends with a line of one: `PASS`, `Fail - it is rude`, `Yes.`

    Raises `Unreadable` where the first line and the last one differ.
    """
    lines = [line.strip(_DECORATION + "-–") for line in answer.splitlines() if line.strip(_DECORATION + "-–")]
    ends = [as_boolean(found[1] or found[2]) for line in (lines[:1] + lines[-1:]) if (found := _LONE_WORD.match(line))]
    if len(set(ends)) > 1:
        raise Unreadable("says both yes and no")
    return ends[0] if ends else None


def shown(value: Json) -> str:
    """A value inside a message."""
    return shortened(value if isinstance(value, str) else compact_json(value), 60)


def _decoded(text: str) -> str:
    """A reply that is a JSON text holding the answer, or has its quotation marks escaped without being one."""
    if text[0] == '"':
        try:
            inner = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            inner = None
        if isinstance(inner, str) and inner.strip():
            return inner.strip()
    return text.replace('\\"', '"').replace("\\n", "\n") if re.search(r'\{(?:\s|\\n)*\\"', text) else text
