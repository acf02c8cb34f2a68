"""Readers of what graders list: steps, questions, statements, sentences, a decision on each of several things.

Each takes a reply and gives what it says, or raises `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sagemaker_eval.assertions.graded.asking import Read, Unreadable
from sagemaker_eval.assertions.graded.loose_json import pieces
from sagemaker_eval.assertions.graded.reading import Convert, answer_of, read_objects
from sagemaker_eval.model import Json, compact_json

_MARKED = re.compile(r"^\s*(?:[-*•–]\s+|\(?\d{1,3}[.):]\s*)")
_QUOTES = " \t\"'“”‘’`*_"
_QUESTION = re.compile(r"^\W*question\s*\d*\s*[:.)]\W*", re.IGNORECASE)

_ATTRIBUTED = re.compile(r"[\[(*]\s*(not[\s_-]+|un)?attributed\s*[\])*]", re.IGNORECASE)
_ATTRIBUTED_LAST = re.compile(r"\b(not[\s_-]+|un)?attributed\W*$", re.IGNORECASE)

_NUMBERED = re.compile(r"\W*(?:statement\s+)?(\d{1,3})\s*[*_`]*[.):\]-]", re.IGNORECASE)
_ENDS_IN_DECISION = re.compile(r"\b(yes|no)\b[\s*_`\"')\].!]*$", re.IGNORECASE)
_BEGINS_WITH_DECISION = re.compile(r"[\s*_`\"'(\[:-]*(yes|no)\b(?=\s*(?:$|[*_`.,;:(–—]|-\s))", re.IGNORECASE)
_VERDICT = re.compile(r"\bverdict\W{1,6}(yes|no)\b", re.IGNORECASE)
_FINAL = re.compile(r".*\bfinal verdicts?\b[^:\n]*:", re.IGNORECASE | re.DOTALL)
_DECISION = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def steps(reply: str) -> list[str]:
    """The steps of a plan: `{"steps": [...]}`, a list of texts, or numbered lines."""
    answer = answer_of(reply)
    found = _told(answer, "steps") or list(_marked_lines(answer))
    if not found:
        raise Unreadable("has no list of steps")
    return found


def _texts(value: Json) -> list[str] | None:
    if isinstance(value, str) and value.strip():
        return [value.strip()]
    if not isinstance(value, list) or not value:
        return None
    return [item if isinstance(item, str) else compact_json(item) for item in value]


def _told(answer: str, name: str) -> list[str] | None:
    """The texts of a complete object's member, or of a list that stands alone."""

    convert: Convert[list[str]] = lambda members, complete: _texts(members.get(name)) if complete else None  # noqa: E731
    told = read_objects(answer, convert)
    if told is not None:
        return told
    return next((texts for piece in pieces(answer) if piece.complete and (texts := _texts(piece.value))), None)


def _marked_lines(answer: str) -> Iterator[str]:
    """The texts of the lines that have a number or a bullet before them."""
    for line in answer.splitlines():
        found = _MARKED.match(line)
        if found is not None and (text := line[found.end() :].strip(_QUOTES)):
            yield text


def text_lines(answer: str) -> Iterator[str]:
    """The lines of an answer without numbers, bullets, quotation marks, fences and headings that end with a colon."""
    for line in answer.splitlines():
        text = _MARKED.sub("", line).strip(_QUOTES)
        if text and not text.endswith(":") and not line.lstrip().startswith("```"):
            yield text


def single_question(reply: str) -> str:
    """The one question of a reply, also behind a label, in quotation marks, or among other lines."""
    answer = answer_of(reply)
    lines = _told(answer, "question") or [_QUESTION.sub("", line) for line in text_lines(answer)]
    asked = [line for line in lines if line.endswith("?")]
    if asked or len(lines) == 1:
        return asked[0] if asked else lines[0]
    raise Unreadable("has no question")


def statements(reply: str) -> list[str]:
    """The statements of a reply, one on each line; none where it says `NONE`."""
    answer = answer_of(reply)
    if answer.strip(_QUOTES + "[]().").lower() == "none":
        return []
    found = _told(answer, "statements") or list(_marked_lines(answer)) or list(text_lines(answer))
    if not found:
        raise Unreadable("has no statements")
    return found


def attributions(reply: str) -> list[bool]:
    """Whether each tagged line is `[Attributed]`, not `[Not Attributed]`; the last tag of a line counts."""
    lines = answer_of(reply).splitlines()
    for pattern in (_ATTRIBUTED, _ATTRIBUTED_LAST):
        tagged = [tags[-1][1] is None for line in lines if (tags := list(pattern.finditer(line)))]
        if tagged:
            return tagged
    raise Unreadable("has no line with [Attributed] or [Not Attributed]")


def decisions(count: int) -> Read[list[bool]]:
    """The reader of a yes or no on each of `count` numbered things: on their lines, or listed at the end."""

    def read(reply: str) -> list[bool]:
        answer = answer_of(reply)
        found: list[bool] = []
        for way in (_listed, _numbered, _labelled, _on_each_line):
            if len(found := way(answer) or found) == count:
                return found
        raise Unreadable(f"has {len(found)} decisions on {count} statements")

    return read


def _listed(answer: str) -> list[bool]:
    """After "final verdict for each statement, in order:"."""
    found = _FINAL.match(answer)
    return _each(_DECISION.findall(answer[found.end() :])) if found else []


def _numbered(answer: str) -> list[bool]:
    """At the end of a line that begins with a number (else behind the number, or on a line of its own below)."""
    found: dict[int, bool] = {}
    number = 0
    for line in answer.splitlines():
        if (numbered := _NUMBERED.match(line)) is not None:
            number, line = int(numbered[1]), line[numbered.end() :]
        decided = _ENDS_IN_DECISION.search(line) or _BEGINS_WITH_DECISION.match(line)
        if decided and number:
            found[number] = decided[1].lower() == "yes"
    return [found[place] for place in sorted(found)] if sorted(found) == list(range(1, len(found) + 1)) else []


def _labelled(answer: str) -> list[bool]:
    return _each(_VERDICT.findall(answer))


def _on_each_line(answer: str) -> list[bool]:
    return _each([found[1] for line in answer.splitlines() if (found := _ENDS_IN_DECISION.search(line))])


def _each(words: list[str]) -> list[bool]:
    return [word.lower() == "yes" for word in words]
