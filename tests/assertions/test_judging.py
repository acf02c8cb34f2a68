"""From the assertions of a test to a grade, or to what could not be decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject
from sagemaker_eval.assertions.judging import UNASSERTED, Judge, Undecided
from sagemaker_eval.errors import CaseError, ConfigError, EndpointFault
from sagemaker_eval.model import (
    AssertionSpec,
    Grade,
    Place,
    Prompt,
    ProviderSpec,
    Response,
    TestCase,
    Verdict,
)
from sagemaker_eval.text.templating.templates import Templates

Specs = Callable[..., AssertionSpec]
Graded = Callable[..., Grade]


def test_without_assertions_there_is_nothing_to_fail(grade: Graded) -> None:
    assert grade("anything") is UNASSERTED
    assert (UNASSERTED.passed, UNASSERTED.score, UNASSERTED.reason) == (True, 1.0, "No assertions")


def test_all_failures_are_told_in_the_order_of_the_test(grade: Graded, spec: Specs) -> None:
    result = grade("Lyon", spec("contains", "Paris"), spec("contains", "Lyon"), spec("regex", "^P"))
    assert not result.passed
    assert result.score == pytest.approx(1 / 3)
    assert result.reason == 'Expected output to contain "Paris"; Expected output to match regex "^P"'
    assert [verdict.passed for verdict in result.verdicts] == [False, True, False]
    assert [verdict.spec and verdict.spec.type for verdict in result.verdicts] == ["contains", "contains", "regex"]


def test_the_threshold_of_the_test_decides(grade: Graded, spec: Specs) -> None:
    result = grade("Lyon", spec("contains", "Paris"), spec("contains", "Lyon", weight=3), threshold=0.7)
    assert result.passed
    assert result.reason == "Aggregate score 0.75 ≥ 0.7 threshold"
    assert not grade("Lyon", spec("contains", "Paris"), threshold=0.7).passed


def test_metrics_are_templates(grade: Graded, spec: Specs) -> None:
    named = [spec("contains", "Lyon", metric="{{ topic }}-names"), spec("contains", "x", metric="{{ topic }}-names")]
    assert grade("Lyon", *named, vars={"topic": "city"}).named_scores == {"city-names": 0.5}


def test_what_cannot_be_decided_leaves_the_other_verdicts(grade: Graded, spec: Specs) -> None:
    specs = [spec("contains", "Lyon", metric="m"), spec("contains", "{{ absent }}"), spec("contains", "Paris")]
    with pytest.raises(Undecided) as caught:
        grade("Lyon", *specs, threshold=0.0)
    error, kept = caught.value, caught.value.grade
    assert error.message == "the value of `contains` is empty for this case"
    assert error.hint == "its template rendered to nothing; anything contains the empty text"
    assert (kept.passed, kept.score, kept.reason, kept.named_scores) == (False, 0.0, error.message, {})
    assert [(verdict.passed, verdict.score, verdict.reason) for verdict in kept.verdicts] == [
        (True, 1.0, "Assertion passed"),
        (False, 0.0, "Not decided: the value of `contains` is empty for this case"),
        (False, 0.0, 'Expected output to contain "Paris"'),
    ]
    assert [dict(verdict.metadata) for verdict in kept.verdicts] == [{}, {"error": True}, {}]
    assert [verdict.spec for verdict in kept.verdicts] == specs


def test_every_undecided_assertion_is_told(grade: Graded, spec: Specs) -> None:
    with pytest.raises(Undecided) as caught:
        grade("Lyon", spec("contains", "{{ a }}"), spec("regex", "{{ b }}"))
    assert caught.value.grade.reason == (
        "the value of `contains` is empty for this case; the value of `regex` is empty for this case"
    )


def test_weight_0_does_not_make_an_undecided_assertion_pass(grade: Graded, spec: Specs) -> None:
    with pytest.raises(Undecided):
        grade("Lyon", spec("contains", "{{ absent }}", weight=0))


def test_a_metric_that_cannot_be_rendered_decides_nothing(grade: Graded, spec: Specs) -> None:
    with pytest.raises(Undecided) as caught:
        grade("Lyon", spec("contains", "Lyon", metric="{{ n.x.y() }}"), vars={"n": 1})
    assert caught.value.kind == "render"
    assert len(caught.value.grade.verdicts) == 1


def judge_with(templates: Templates, *specs: AssertionSpec) -> Grade:
    """The grade of the output `x`, without preparation."""
    test = TestCase(assertions=specs)
    subject = Subject("x", None, "", {}, test, Prompt("", "", ""), ProviderSpec("e", "echo"), Response("x"))
    return asyncio.run(Judge(templates).grade(test, subject))


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`registered(check)`: makes `check` what assertions of the kind `own` are judged by."""
    monkeypatch.setattr(ASSERTIONS, "_entries", dict(ASSERTIONS._entries))

    def register(check: Check) -> None:
        ASSERTIONS.register("own")(lambda spec: check)

    return register


def test_the_fault_itself_is_kept(registered: Callable[..., None]) -> None:
    fault = EndpointFault("the grader is busy", code="ThrottlingException", request_id="r-1")

    async def check(subject: Subject) -> Verdict:
        raise fault

    registered(check)
    with pytest.raises(Undecided) as caught:
        judge_with(Templates(), AssertionSpec("own"))
    assert caught.value.reason is fault
    assert caught.value.kind == "endpoint"
    assert isinstance(caught.value, CaseError)


def test_a_check_may_take_its_time(registered: Callable[..., None]) -> None:
    async def check(subject: Subject) -> Verdict:
        await asyncio.sleep(0)
        return Verdict(False, 0.25, "so so")

    registered(check)
    assert judge_with(Templates(), AssertionSpec("own"), AssertionSpec("contains", "x")).score == 0.625


def test_a_bug_is_not_a_verdict(registered: Callable[..., None]) -> None:
    def check(subject: Subject) -> Verdict:
        raise KeyError("oops")

    registered(check)
    with pytest.raises(KeyError):
        judge_with(Templates(), AssertionSpec("own"))


def test_preparing_finds_every_problem_with_its_place() -> None:
    here, there = Place("a.yaml", 3), Place("a.yaml", 7)
    specs = [
        AssertionSpec("contains", "", where=here),
        AssertionSpec("equals", "fine"),
        AssertionSpec("is-json", {"requird": [], "format": "datetime"}, where=there),
        AssertionSpec("contains", "{{ open", where=there),
        AssertionSpec("contains", "x", metric="{% nope %}", where=here),
    ]
    problems = Judge(Templates()).prepare(specs)
    assert [problem.where for problem in problems] == [here, there, there, there, here]
    assert [problem.message for problem in problems[:3]] == [
        "`contains` needs a `value`: text that is not empty, or a number",
        "unknown keyword `requird` in the JSON Schema",
        "unknown `format`: `datetime` in the JSON Schema",
    ]
    assert [problem.hint for problem in problems[1:3]] == ["did you mean `required`?", "did you mean `date-time`?"]


def test_checks_are_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared: list[AssertionSpec] = []

    def prepare(spec: AssertionSpec) -> Callable[[Subject], Verdict]:
        prepared.append(spec)
        return lambda subject: Verdict(True, 1.0, "Assertion passed", spec)

    monkeypatch.setattr(ASSERTIONS, "_entries", {"own": prepare})
    judge, test = Judge(Templates()), TestCase(assertions=(AssertionSpec("own"),))
    subject = Subject("x", None, "", {}, test, Prompt("", "", ""), ProviderSpec("e", "echo"), Response("x"))
    assert judge.prepare(test.assertions) == []
    for _ in range(3):
        assert asyncio.run(judge.grade(test, subject)).passed
    assert len(prepared) == 1


def test_the_assertions_of_a_long_stream_are_not_all_kept() -> None:
    judge = Judge(Templates())
    for number in range(5000):
        assert judge.prepare([AssertionSpec("contains", number)]) == []
    assert len(judge._prepared) <= 4096


def test_a_broken_value_is_a_configuration_error(grade: Graded, spec: Specs) -> None:
    with pytest.raises(ConfigError):
        grade("x", spec("regex", "("))
