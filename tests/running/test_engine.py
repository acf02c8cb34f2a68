"""What a run makes of tests with options: who answers, in which order, and what later cases see of earlier ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, ProviderSpec, TestCase, UserCode

Carried = Callable[..., list[dict[str, Json]]]

TWO = (ProviderSpec("echo", "echo", label="one"), ProviderSpec("echo", "echo", label="two"))


def outputs(rows: list[dict[str, Json]]) -> list[Any]:
    return [row["response"]["output"] for row in rows]


def test_an_answer_given_in_advance_is_judged_like_any_other(carried_out: Carried) -> None:
    test = TestCase(vars={"q": "x"}, provider_output={"a": 1}, assertions=(AssertionSpec("equals", {"a": 1}),))
    (row,) = carried_out([test])
    assert (row["response"]["output"], row["success"]) == ({"a": 1}, True)


def test_a_tests_own_provider_answers_under_the_columns_name(carried_out: Carried) -> None:
    shouting = ProviderSpec("echo", "echo", label="other")
    (row,) = carried_out([TestCase(vars={"q": "x"}, provider=shouting)], providers=TWO[:1])
    assert (row["provider"]["label"], row["response"]["output"]) == ("one", "x")
    assert row["testCase"]["provider"] == "echo"


def test_a_tests_own_provider_brings_its_own_transform(carried_out: Carried) -> None:
    column = ProviderSpec("echo", "echo", transform=UserCode("output + '1'"))
    own = ProviderSpec("echo", "echo", transform=UserCode("output + '2'"))
    tests = [TestCase(vars={"q": "x"}, provider=own), TestCase(vars={"q": "x"})]
    assert outputs(carried_out(tests, providers=[column])) == ["x2", "x1"]


def test_the_providers_transform_comes_before_the_tests(carried_out: Carried) -> None:
    provider = ProviderSpec("echo", "echo", transform=UserCode("output + '1'"))
    test = TestCase(vars={"q": "x"}, options={"transform": UserCode("output + '2'")})
    assert outputs(carried_out([test], providers=[provider])) == ["x12"]


def test_a_transform_that_fails_keeps_the_answer_on_record(carried_out: Carried) -> None:
    (row,) = carried_out([TestCase(vars={"q": "x"}, options={"transform": UserCode("output.no.such")})])
    assert (row["outcome"], row["errorKind"], row["response"]["output"]) == ("errored", "script", "x")


def test_a_stored_output_is_a_variable_of_all_later_cases(carried_out: Carried) -> None:
    tests = [
        TestCase(vars={"q": "Lyon"}, options={"storeOutputAs": "city"}),
        TestCase(vars={"q": "In {{city}}"}),
        TestCase(vars={"q": "{{city}}", "city": "Nantes"}),
    ]
    assert outputs(carried_out(tests)) == ["Lyon", "In Lyon", "Lyon"]


def test_a_conversation_sees_its_earlier_turns_and_no_others(carried_out: Carried) -> None:
    prompt = "{% for turn in _conversation %}{{ turn.output }}/{% endfor %}{{q}}"
    tests = [TestCase(vars={"q": name}, metadata={"conversationId": name[0]}) for name in ("a1", "b1", "a2", "a3")]
    assert outputs(carried_out(tests, prompts=[prompt])) == ["a1", "b1", "a1/a2", "a1/a1/a2/a3"]


def test_a_case_may_take_its_turn_without_seeing_the_others(carried_out: Carried) -> None:
    prompt = "{% for turn in _conversation %}{{ turn.output }}/{% endfor %}{{q}}"
    tests = [TestCase(vars={"q": "a"}), TestCase(vars={"q": "b"}, options={"disableConversationVar": True})]
    assert outputs(carried_out([*tests, TestCase(vars={"q": "c"})], prompts=[prompt])) == ["a", "b", "a/b/c"]


def test_a_turn_has_the_providers_own_output(carried_out: Carried) -> None:
    prompt = "{% for turn in _conversation %}{{ turn.output }}/{% endfor %}{{q}}"
    provider = ProviderSpec("echo", "echo", transform=UserCode("output.toUpperCase()"))
    tests = [TestCase(vars={"q": "a"}), TestCase(vars={"q": "b"}, options={"transform": UserCode("output + '!'")})]
    assert outputs(carried_out(tests, prompts=[prompt], providers=[provider])) == ["A", "A/B!"]


def test_the_cell_of_a_column_that_a_test_leaves_out_stays_empty(carried_out: Carried) -> None:
    rows = carried_out([TestCase(vars={"q": "x"}, providers=("two",)), TestCase(vars={"q": "y"})], providers=TWO)
    assert [(row["testIdx"], row["promptIdx"]) for row in rows] == [(0, 1), (1, 0), (1, 1)]


def test_the_variables_of_the_run_are_there_for_templates(carried_out: Carried) -> None:
    text = "{{__evalId}} {{__evalStepId}} {{__repeatIndex}}"
    rows = carried_out([TestCase(options={"repeat": 2})], prompts=[text])
    assert outputs(rows) == ["run test-0-prompt-0-0 0", "run test-1-prompt-0-1 1"]


def test_the_best_score_of_a_row_wins(carried_out: Carried) -> None:
    asserted = (AssertionSpec("javascript", "output.length / 10"), AssertionSpec("max-score"))
    rows = carried_out([TestCase(vars={"q": "x"}, assertions=asserted)], prompts=["{{q}}", "{{q}}{{q}}"], providers=TWO)
    assert [row["outcome"] for row in rows] == ["failed", "passed", "failed", "failed"]
    assert rows[0]["error"] == "scores 0.10; the best answer scores 0.20"
    assert rows[3]["error"] == "scores 0.20; an earlier answer scores as much"
    assert [row["gradingResult"]["componentResults"][1]["pass"] for row in rows] == [False, True, False, False]


def test_a_row_with_one_answer_left_cannot_be_compared(carried_out: Carried) -> None:
    failing = ProviderSpec("echo", "echo", label="broken", transform=UserCode("output.no.such"))
    asserted = (AssertionSpec("contains", "x"), AssertionSpec("max-score"))
    rows = carried_out([TestCase(vars={"q": "x"}, assertions=asserted)], providers=[TWO[0], failing])
    assert [row["outcome"] for row in rows] == ["errored", "errored"]
    assert rows[0]["error"] == "there is no other answer to compare with"
    assert rows[0]["gradingResult"]["componentResults"][0]["pass"]


def test_a_comparison_of_one_column_is_refused_before_the_run(carried_out: Carried) -> None:
    with pytest.raises(ConfigError, match="this test gets only one"):
        carried_out([TestCase(vars={"q": "x"}, assertions=(AssertionSpec("max-score"),))])


@pytest.mark.parametrize(
    ("code", "passed", "reason"),
    [
        ("({pass: namedScores.m > 0.4, score: 0.9, reason: 'mine'})", True, "mine"),
        ("({pass: false, score: 0, reason: context.componentResults[0].reason})", False, "Assertion passed"),
        ("true", False, "assertScoringFunction returned no object with `pass`, `score` and `reason`"),
        ("namedScores.x.y", False, "assertScoringFunction"),
        ("({pass: true, score: 1 / 0, reason: 'r'})", False, "assertScoringFunction returned an object whose `score`"),
    ],
)
def test_a_scoring_function_decides_in_place_of_the_mean(
    carried_out: Carried, code: str, passed: bool, reason: str
) -> None:
    asserted = (AssertionSpec("contains", "x", metric="m"), AssertionSpec("contains", "y", metric="m"))
    (row,) = carried_out([TestCase(vars={"q": "x"}, assertions=asserted, scoring=UserCode(code))])
    assert row["success"] is passed
    assert row["gradingResult"]["reason"].startswith(reason)


def test_a_scoring_function_sees_code_by_its_text_and_names_only_numbers(carried_out: Carried, tmp_path: Path) -> None:
    (tmp_path / "check.py").write_text("def get_assert(output, context):\n    return True\n")
    asserted = (AssertionSpec("python", UserCode("file://check.py", str(tmp_path)), metric="m"),)
    code = (
        "({pass: true, score: 1, reason: context.componentResults[0].assertion.value,"
        " namedScores: {m: 'high', none: null, more: 0.5}})"
    )
    (row,) = carried_out([TestCase(vars={"q": "x"}, assertions=asserted, scoring=UserCode(code))])
    assert row["gradingResult"]["reason"] == "file://check.py"
    assert row["namedScores"] == {"m": 1.0, "more": 0.5}


@pytest.mark.parametrize(
    ("output", "text"), [(5.0, "5"), (0.5, "0.5"), ([1.0, {"a": 2.0}], '[1,{"a":2}]'), (True, "true")]
)
def test_numbers_are_judged_as_javascript_prints_them(carried_out: Carried, output: Json, text: str) -> None:
    transform = UserCode(f"python: {output!r}")
    asserted = (AssertionSpec("regex", "^" + re.escape(text) + "$"),)
    (row,) = carried_out([TestCase(vars={"q": "x"}, options={"transform": transform}, assertions=asserted)])
    assert row["success"], row["error"]
