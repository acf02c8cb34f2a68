"""javascript and python: what a user's own check may be, see and return."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Grade, Json, Response, UserCode, Verdict

Judged = Callable[..., Verdict]
Graded = Callable[..., Grade]
Specs = Callable[..., AssertionSpec]


@pytest.mark.parametrize(
    ("value", "more", "passed", "score"),
    [
        ("output.includes('fox')", {}, True, 1.0),
        ("output.includes('cat')", {}, False, 0.0),
        ("output.length / 10", {}, True, 0.7),
        ("output.length / 10", {"threshold": 0.8}, False, 0.7),
        ("0", {}, False, 0.0),
        ("const n = output.length; n > 3", {}, True, 1.0),
        ("const n = output.length\nreturn n > 3", {}, True, 1.0),
        ("(output) => output.length > 3", {}, True, 1.0),
        ("({pass: true, score: 0.7, reason: 'fine'})", {}, True, 0.7),
        ("({pass: true, score: 0.7, reason: 'fine'})", {"threshold": 0.8}, False, 0.7),
        ("context.vars.animal === 'fox' && context.prompt === 'What?'", {}, True, 1.0),
        ("context.config.most > output.length", {"config": {"most": 9}}, True, 1.0),
        ("Promise.resolve(true)", {}, True, 1.0),
    ],
)
def test_javascript(judged: Judged, value: str, more: dict[str, Any], passed: bool, score: float) -> None:
    verdict = judged("fox run", "javascript", value, vars={"animal": "fox"}, **more)
    assert verdict.passed is passed
    assert verdict.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("value", "more", "passed", "score"),
    [
        ("'fox' in output", {}, True, 1.0),
        ("len(output) / 10", {"threshold": 0.7}, True, 0.7),
        ("'TRUE'", {}, True, 1.0),
        ("'0.25'", {}, True, 0.25),
        ('\'{"pass": false, "score": 0.1, "reason": "r"}\'', {}, False, 0.1),
        ("{'pass_': True, 'score': 1, 'reason': 'r'}", {}, True, 1.0),
        ("words = output.split()\nreturn len(words) == 2", {}, True, 1.0),
        ("context['vars']['animal'] == 'fox'", {}, True, 1.0),
        ("json.loads('[0.5]')[0]", {}, True, 0.5),
    ],
)
def test_python(judged: Judged, value: str, more: dict[str, Any], passed: bool, score: float) -> None:
    verdict = judged("fox run", "python", value, vars={"animal": "fox"}, **more)
    assert verdict.passed is passed
    assert verdict.score == pytest.approx(score)


@pytest.mark.parametrize(
    ("type", "value", "passed", "score"),
    [
        ("not-javascript", "output.length > 100", True, 1.0),
        ("not-javascript", "true", False, 0.0),
        ("not-javascript", "output.length", False, 7.0),
        ("not-javascript", "0", True, 0.0),
        ("not-javascript", "({pass: true, score: 0.7, reason: 'r'})", False, 0.7),
        ("not-python", "len(output) > 100", True, 1.0),
    ],
)
def test_not_turns_the_verdict_round(judged: Judged, type: str, value: str, passed: bool, score: float) -> None:
    verdict = judged("fox run", type, value)
    assert (verdict.passed, verdict.score) == (passed, score)


@pytest.mark.parametrize("type", ["javascript", "not-javascript"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("missing_name + 1", "missing_name"),
        ("'text'", "returned `text`"),
        ("null", "returned nothing"),
        ("({score: 1})", "`pass` is not true or false"),
        ("({pass: true, reason: 'r'})", "`score` is not a number"),
        ("({pass: true, score: 1})", "`reason` is not text"),
        ("({pass: true, score: 1 / 0, reason: 'r'})", "`score` is not a number"),
        ("1 / 0", "returned `inf`"),
    ],
)
def test_a_check_that_throws_or_returns_no_verdict_fails(judged: Judged, type: str, value: str, reason: str) -> None:
    verdict = judged("x", type, value)
    assert (verdict.passed, verdict.score) == (False, 0.0)
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("type", "value"),
    [("javascript", "output +"), ("python", "output +"), ("javascript", None), ("python", "  "), ("python", 7)],
)
def test_a_check_that_cannot_be_read_is_found_before_the_run(judged: Judged, type: str, value: Json) -> None:
    with pytest.raises(ConfigError):
        judged("x", type, value)


def test_a_template_in_the_code_is_filled_in_for_each_case(judged: Judged) -> None:
    assert judged("5", "javascript", "Number(output) === {{ n }}", vars={"n": 5}).passed
    broken = judged("5", "javascript", "output === {{ n }}", vars={"n": "it's"})
    assert not broken.passed
    assert "not valid JavaScript" in broken.reason


def test_files_have_a_function_of_their_own(judged: Judged, tmp_path: Path) -> None:
    (tmp_path / "check.js").write_text("module.exports = (output, context) => output === context.vars.want;")
    (tmp_path / "check.py").write_text(
        "def get_assert(output, context):\n"
        "    return {'pass': output == context['vars']['want'], 'score': 1, 'reason': 'r'}\n"
    )
    for type, name in (("javascript", "check.js"), ("python", "check.py")):
        value = UserCode(f"file://{name}", str(tmp_path))
        assert judged("a", type, value, vars={"want": "a"}).passed
        assert not judged("a", type, value, vars={"want": "b"}).passed


def test_the_output_is_the_providers_own_value(judged: Judged) -> None:
    answer = Response({"city": "Lyon"})
    assert judged(None, "javascript", "output.city === 'Lyon'", response=answer).passed
    assert judged(None, "python", "output['city'] == 'Lyon'", response=answer).passed


def test_a_failure_shows_the_code(judged: Judged) -> None:
    assert "output.length > 9" in judged("x", "javascript", "output.length > 9").reason


def test_named_scores_and_parts_of_a_result_are_kept(grade: Graded, spec: Specs) -> None:
    value = (
        "({pass: true, score: 1, reason: 'r', namedScores: {tone: 0.5},"
        " componentResults: [{pass: false, score: 0, reason: 'part'}]})"
    )
    result = grade("x", spec("javascript", value, weight=2))
    assert result.named_scores == {"tone": 0.5}
    assert result.named_score_weights == {"tone": 2.0}
    assert [verdict.reason for verdict in result.flat_verdicts()] == ["r", "part"]


def test_a_number_beyond_all_bounds_is_no_score(judged: Judged) -> None:
    verdict = judged("x", "python", "10**400")
    assert (verdict.passed, verdict.score) == (False, 0.0)
    named = judged("x", "python", "{'pass': True, 'score': 1, 'reason': 'r', 'namedScores': {'a': 10**400, 'b': 0.5}}")
    assert named.named_scores == {"b": 0.5}


@pytest.mark.parametrize("made", ["file://{folder}/check.py", " file://{folder}/check.py:get_assert", "python: True"])
def test_a_value_never_makes_javascript_a_file_or_python(judged: Judged, tmp_path: Path, made: str) -> None:
    (tmp_path / "check.py").write_text("def get_assert(output, context): return True\n")
    verdict = judged("text", "javascript", "{{ code }}", vars={"code": made.format(folder=tmp_path)})
    assert not verdict.passed
    assert "made this code a file's or Python's" in verdict.reason
