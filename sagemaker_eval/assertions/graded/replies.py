"""Readers of what graders decide: a judgement, yes or no, a category, points.

Each takes a reply and gives what it says, or raises `Unreadable`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sagemaker_eval.assertions.graded.asking import Read, Unreadable
from sagemaker_eval.assertions.graded.reading import (
    PASS_NAMES,
    REASON_NAMES,
    SCORE_NAMES,
    Convert,
    Members,
    answer_of,
    as_boolean,
    as_number,
    labels,
    lone_word,
    member,
    read_objects,
    shown,
)

MOST_POINTS = 10

_CATEGORY_NAMES = ("category", "choice", "option", "letter", "answer", "selection", "verdict")
_CATEGORY = re.compile(
    r"\W*(?:(?:category|option|choice|answer)\W+)?([A-E])(?=\W*$|\s*[):.,;(–—*]|\s+-\s)", re.IGNORECASE
)
_CATEGORY_WORDS = {
    "subset": "A",
    "superset": "B",
    "same": "C",
    "agree": "C",
    "agrees": "C",
    "disagree": "D",
    "disagrees": "D",
}
_CATEGORY_IN_BRACKETS = re.compile(r"\(([A-E])\)")
_CATEGORY_SAID = re.compile(r"\b(?:answer|category|choice|option)(?:\s+is)?\s*:?[\s*(\"'`]*([A-E])\b(?!\s+\w)")

_YES_OR_NO = re.compile(
    r"(?:^|[:=>]|\b(?:is|answer|verdict|conclusion|decision))[\s*_`\"'“(\[]*(yes|no|y|n)[\s*_`\"'”)\].!]*$",
    re.IGNORECASE,
)
_QUOTES = " \t\"'“”‘’`*_"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a grader says of an output. `score` is 1 or 0 where only `passed` was stated."""

    passed: bool
    score: float
    reason: str = field(default="", compare=False)


def judgement(threshold: float | None = None, own_prompt: bool = False) -> Read[Judgement]:
    """The reader of a reply that states `pass`, or a `score` to hold against `threshold`, or both, and a `reason`.

    A score goes from 0 to 1; only with a prompt of the user's own it may have any scale.
    """
    scale = None if threshold is not None and threshold > 1 else 1.0
    free = own_prompt or scale is None

    def convert(members: Members, complete: bool) -> Judgement | None:
        stated, score = member(members, PASS_NAMES), _score(members, scale, free)
        passed = None if stated is None else as_boolean(stated)
        if stated is None and score is None:
            if not complete and member(members, REASON_NAMES) is not None:
                raise Unreadable("was cut off before its verdict")
            return None
        if stated is not None and passed is None:
            raise Unreadable(f"has neither yes nor no as its verdict, but `{shown(stated)}`")
        if not complete and (stated is None or score is None):
            raise Unreadable("was cut off")
        if passed is None:
            if threshold is None or score is None:
                raise Unreadable("does not say whether the output passes")
            passed = score >= threshold
        return Judgement(passed, float(passed) if score is None else score, _reason(members))

    def read(reply: str) -> Judgement:
        answer = answer_of(reply)
        found = read_objects(answer, convert)
        return found if found is not None else _judged_in_lines(answer, convert)

    return read


def _judged_in_lines(answer: str, convert: Convert[Judgement]) -> Judgement:
    members = labels(answer, (*PASS_NAMES, *SCORE_NAMES, *REASON_NAMES))
    if not any(name in members for name in PASS_NAMES) and (word := lone_word(answer)) is not None:
        members["pass"] = word
    members.setdefault("reason", answer)
    found = convert(members, True)
    if found is None:
        raise Unreadable("has no verdict")
    return found


def _score(members: Members, scale: float | None, free: bool) -> float | None:
    written = member(members, SCORE_NAMES)
    if written is None:
        return None
    score = as_number(written, scale)
    if score is None:
        raise Unreadable(f"has a score that is no number: `{shown(written)}`")
    if not free and not 0 <= score <= 1:
        raise Unreadable(f"has a score of `{shown(written)}`, and a score goes from 0 to 1")
    return score


def _reason(members: Members) -> str:
    reason = member(members, REASON_NAMES)
    return "" if reason is None else str(reason).strip()


def yes_or_no(reply: str) -> bool:
    """The decision that a reply ends with: `Y`, `N`, `Answer: yes`; or that it begins with, alone on the line."""
    answer = answer_of(reply)
    lines = [line.strip() for line in answer.splitlines() if line.strip(_QUOTES + "-#>")]
    if lines and (last := _YES_OR_NO.search(lines[-1])):
        return last[1].lower() in ("y", "yes")
    first = _YES_OR_NO.match(lines[0].lstrip(_QUOTES + "(#>")) if lines else None
    if first is not None:
        return first[1].lower() in ("y", "yes")
    told = read_objects(answer, lambda members, complete: _decision(members) if complete else None)
    if told is None:
        raise Unreadable("does not end with Y or N")
    return told


def _decision(members: Members) -> bool | None:
    return as_boolean(member(members, ("answer", "meets", *PASS_NAMES)))


def category(reply: str) -> tuple[str, str]:
    """(letter from A to E, reason)."""
    answer = answer_of(reply)
    found = read_objects(answer, _categorised)
    if found is not None:
        return found
    letters = set(_CATEGORY_IN_BRACKETS.findall(answer)) or set(_CATEGORY_SAID.findall(answer))
    if len(letters) != 1:
        lines = [line for line in answer.splitlines() if line.strip()]
        letters = {letter for line in (lines[0], lines[-1]) if (letter := _letter(line))}
    if len(letters) != 1:
        raise Unreadable("names no category from A to E" if not letters else "names several categories")
    return letters.pop().upper(), answer


def _categorised(members: Members, complete: bool) -> tuple[str, str] | None:
    written = member(members, _CATEGORY_NAMES)
    if written is None:
        return None
    letter = _letter(str(written))
    if letter is None:
        raise Unreadable(f"has a category that is none from A to E: `{shown(written)}`")
    return letter, _reason(members)


def _letter(text: str) -> str | None:
    found = _CATEGORY.match(text)
    return found[1].upper() if found else _CATEGORY_WORDS.get(text.strip(_QUOTES + ".").lower())


def points(reply: str) -> tuple[float, str]:
    """(points from 0 to `MOST_POINTS`, reason)."""
    answer = answer_of(reply)
    found = read_objects(answer, _pointed)
    if found is None:
        members = labels(answer, (*SCORE_NAMES, *REASON_NAMES))
        members.setdefault("reason", answer)
        lines = [line for line in answer.splitlines() if line.strip()]
        if "score" not in members and (len(lines) == 1 or as_number(lines[-1]) is not None):
            members["score"] = lines[-1] if as_number(lines[-1]) is not None else None
        found = _pointed(members, True)
    if found is None:
        raise Unreadable("has no score")
    return found


def _pointed(members: Members, complete: bool) -> tuple[float, str] | None:
    written = member(members, SCORE_NAMES)
    if written is None:
        return None
    score = as_number(written, MOST_POINTS)
    if score is None or not 0 <= score <= MOST_POINTS:
        raise Unreadable(f"has a score of `{shown(written)}`, and a score goes from 0 to {MOST_POINTS}")
    return score, _reason(members)
