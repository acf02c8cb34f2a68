from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.expected_column import check_limit, parse_expected, parse_number, split_list
from sagemaker_eval.errors import ConfigError

# What promptfoo 0.123.1 makes of each cell, from the `testCase.assert` of its results.
RECORDED = json.loads((Path(__file__).parent / "expected_cells.json").read_text(encoding="utf-8"))

REFUSED = {
    # promptfoo drops the number
    "contains(0.5): foo": "`contains` has no threshold",
    "not-contains(0.3): foo": "`contains` has no threshold",
    "starts-with(0.3): Once": "`starts-with` has no threshold",
    # promptfoo compares the output with the whole cell
    "Contains: foo": "`Contains` is not a type: types are written small",
    "CONTAINS: foo": "`CONTAINS` is not a type: types are written small",
    "select-best: the better one": "`select-best` cannot stand in a cell",
    "assert-set: x": "`assert-set` cannot stand in a cell",
    "human: x": "`human` cannot stand in a cell",
    "contians: x": "unknown assertion type `contians`",
    "not-foo: x": "unknown assertion type `not-foo`",
}

DIFFERENT: dict[str, dict[str, Any]] = {
    # A threshold that starts-with has no use for.
    "starts-with: Once": {"type": "starts-with", "value": "Once"},
    "not-starts-with: Once": {"type": "not-starts-with", "value": "Once"},
    # 0.75 is no distance, no milliseconds, no dollars and no perplexity.
    "levenshtein: abc": {"type": "levenshtein", "value": "abc"},
    "latency": {"type": "latency"},
    "latency: 1000": {"type": "latency", "threshold": 1000},
    "cost": {"type": "cost"},
    "perplexity": {"type": "perplexity"},
    # Every way to write a number.
    "similar(.5): hello": {"type": "similar", "value": "hello", "threshold": 0.5},
    "similar( 0.5 ): hello": {"type": "similar", "value": "hello", "threshold": 0.5},
    "similar(-1): hello": {"type": "similar", "value": "hello", "threshold": -1},
    "similar(1e3): hello": {"type": "similar", "value": "hello", "threshold": 1000},
    # The longest type counts.
    "similar:cosine: hello": {"type": "similar:cosine", "value": "hello", "threshold": 0.8},
    "similar:dot(0.5): hello": {"type": "similar:dot", "value": "hello", "threshold": 0.5},
    # Thresholds that promptfoo drops.
    "bleu(0.3): the text": {"type": "bleu", "value": "the text", "threshold": 0.3},
    "gleu(0.3): the text": {"type": "gleu", "value": "the text", "threshold": 0.3},
    "llm-rubric(0.8): is polite": {"type": "llm-rubric", "value": "is polite", "threshold": 0.8},
    "javascript(0.5): output": {"type": "javascript", "value": "output", "threshold": 0.5},
    "tool-call-f1(0.5): a,b": {"type": "tool-call-f1", "value": "a,b", "threshold": 0.5},
    "pi(0.5): is it good": {"type": "pi", "value": "is it good", "threshold": 0.5},
    "conversation-relevance(0.5)": {"type": "conversation-relevance", "threshold": 0.5},
    # Script files work.
    "file://check.js:fn": {"type": "javascript", "value": "file://check.js:fn"},
    "file://check.py": {"type": "python", "value": "file://check.py"},
    "file://check.py:get_assert": {"type": "python", "value": "file://check.py:get_assert"},
}


def as_json(value: Any) -> Any:
    """A schema as a document: promptfoo's results show it in another layout than the cell."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["cell"].replace("\n", " "))
def test_cells_mean_what_they_mean_to_promptfoo(recorded: dict[str, Any]) -> None:
    cell = recorded["cell"]
    if cell in REFUSED:
        with pytest.raises(ConfigError) as caught:
            parse_expected(cell)
        assert str(caught.value) == REFUSED[cell]
        return
    parsed = parse_expected(cell)
    expected = DIFFERENT.get(cell, recorded["promptfoo"])
    assert {**parsed, "value": as_json(parsed.get("value"))} == {**expected, "value": as_json(expected.get("value"))}


def test_every_listed_difference_is_one() -> None:
    recorded = {entry["cell"]: entry["promptfoo"] for entry in RECORDED}
    assert len(recorded) > 100
    assert all(recorded[cell] != different for cell, different in DIFFERENT.items())
    assert all(cell in recorded for cell in REFUSED)


@pytest.mark.parametrize(
    ("cell", "message", "hint"),
    [
        ("contians: x", "unknown assertion type `contians`", "did you mean `contains`? or write `equals: contians…`"),
        ("not-contians: x", "unknown assertion type `not-contians`", "did you mean `not-contains`?"),
        ("is_json: {}", "unknown assertion type `is_json`", "did you mean `is-json`?"),
        ("icontain(3)", "unknown assertion type `icontain`", "did you mean `icontains`?"),
        ("similar(high): x", "`similar(high)`: the threshold must be a number", "`equals: similar(high)…`"),
        ("similar(): x", "`similar()`: the threshold must be a number", "to compare with the text itself"),
        ("similar(1e999): x", "`similar(1e999)`: the threshold must be a number", "to compare"),
        ('contains-all: "a, b', "a double quote is never closed", 'a quote is written `""`'),
        ('contains-any: "a" b', "text follows a closing quote", "separate the parts"),
    ],
)
def test_what_is_nearly_an_assertion_is_refused(cell: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expected(cell)
    assert str(caught.value) == message
    assert hint in (caught.value.problems[0].hint or "")


@pytest.mark.parametrize(
    "text",
    ["Answer: 42", "12:30", "f(x)", "human", "max-score", "Python", "a-b: c", "note: similar: x", "answer: 42", "(.5)"],
)
def test_plain_text_is_compared(text: str) -> None:
    assert parse_expected(f" {text}\n") == {"type": "equals", "value": text}


def test_types_of_ours_are_known() -> None:
    assert parse_expected("json-diff(3): x", ("json-diff",)) == {"type": "json-diff", "value": "x", "threshold": 3}


@pytest.mark.parametrize("kind", ["latency", "not-cost", "perplexity"])
def test_some_types_need_a_number(kind: str) -> None:
    check_limit({"type": kind, "threshold": 0})
    with pytest.raises(ConfigError, match=f"`{kind}` needs a number"):
        check_limit({"type": kind})


def test_numbers() -> None:
    assert [parse_number(text) for text in ("1", " .5 ", "-2.", "1e3", "0")] == [1, 0.5, -2, 1000, 0]
    assert {parse_number(text) for text in ("", "1,5", "1 2", "nan", "inf", "0x1", "1_0", "٣", "1e999")} == {None}


@given(st.lists(st.text(min_size=1), max_size=5))
def test_quoted_parts_come_back(parts: list[str]) -> None:
    doubled = [part.replace("\\", "\\\\").replace('"', '""') for part in parts]
    assert split_list(", ".join(f'"{part}"' for part in doubled)) == parts


@given(st.text())
def test_any_cell_is_an_assertion_or_refused(cell: str) -> None:
    try:
        assert isinstance(parse_expected(cell)["type"], str)
    except ConfigError as error:
        assert error.problems[0].hint
