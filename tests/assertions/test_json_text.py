"""Which texts are JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json

DEEP = 1500

GOOD: list[tuple[str, object]] = [
    ("null", None),
    (" \t\r\n1 \n", 1),
    ('{"a": 1, "a": 2}', {"a": 2}),
    ('"\\u00e9\\n"', "é\n"),
    ('"\\ud83d"', "\ud83d"),
    ("-0", 0),
    ("1E+2", 100.0),
    ("1e400", float("inf")),
    ("9" * 5000, float("inf")),
    ("[[], {}]", [[], {}]),
]
BAD = [
    "",
    " ",
    "NaN",
    "[Infinity]",
    "-Infinity",
    "{a: 1}",
    "{'a': 1}",
    "[1,]",
    '{"a": 1,}',
    "[1 2]",
    "01",
    "1.",
    ".5",
    "+1",
    "0x1",
    '"a',
    '"\n"',
    '"\t"',
    '"\\x41"',
    '"\\u12"',
    "True",
    "nul",
    "1 2",
    "// note\n1",
    "```json\n1\n```",
    "\ufeff1",
    "\u00a01",
    "\v1",
    "{",
    "]",
]


@pytest.mark.parametrize(("text", "document"), GOOD)
def test_json_is_read(text: str, document: object) -> None:
    assert parse_json(text) == document


@pytest.mark.parametrize("text", BAD)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        parse_json(text)


def is_json(text: str) -> bool:
    """Whether a text is JSON; it may be too deep to be held, which differs between versions of Python."""
    try:
        parse_json(text)
    except NotJson:
        return False
    except RecursionError:
        return True
    return True


def wrapped(text: str) -> list[str]:
    """A text deep inside arrays and objects."""
    return [
        "[" * DEEP + text + "]" * DEEP,
        "[1, [" * DEEP + text + ", 2]]" * DEEP,
        '{"k": ' * DEEP + text + "} " * DEEP,
        '[{"j": [], "k": ' * DEEP + text + ' , "l": {}}]' * DEEP,
    ]


@pytest.mark.parametrize(("text", "document"), GOOD)
def test_however_deep_it_is_json(text: str, document: object) -> None:
    assert all(map(is_json, wrapped(text)))


@pytest.mark.parametrize("text", [text for text in BAD if text.strip(" ]")])
def test_however_deep_it_is_no_json(text: str) -> None:
    assert not any(map(is_json, wrapped(text)))


@pytest.mark.parametrize("closing", ["", "]" * (DEEP - 1), "]" * (DEEP + 1), "]" * (DEEP - 1) + "}", "]" * DEEP + " 1"])
def test_deep_brackets_must_close(closing: str) -> None:
    assert not is_json("[" * DEEP + "1" + closing)


def test_what_is_too_deep_to_hold_is_told_from_what_is_broken() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(RecursionError):
        parse_json(deep)
    with pytest.raises(NotJson):
        parse_json(deep + "]")


TOKENS = ["[", "]", "{", "}", ",", ":", '"a"', "1", "-2.5e3", "null", "true", " ", "\n", "x", '"\\"']


@given(st.lists(st.sampled_from(TOKENS), max_size=12).map("".join))
def test_deep_texts_are_judged_as_shallow_ones(text: str) -> None:
    try:
        json.loads(f"[{text}]")
        expected = True
    except ValueError:
        expected = False
    assert is_json("[" * DEEP + text + "]" * DEEP) is expected
