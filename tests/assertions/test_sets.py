"""assert-set, and code of the user around an assertion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Grade, UserCode, Verdict

Graded = Callable[..., Grade]
Judged = Callable[..., Verdict]
Specs = Callable[..., AssertionSpec]


def test_a_set_counts_as_one_assertion_with_its_own_weight(grade: Graded, spec: Specs) -> None:
    members = (spec("contains", "zzz", weight=3), spec("contains", "Hell"))
    result = grade("Hello", spec("assert-set", members=members, weight=4), spec("equals", "Hello"), threshold=0.4)
    assert result.passed
    assert result.score == pytest.approx(0.4)
    assert [verdict.score for verdict in result.flat_verdicts()] == [0.25, 0.0, 1.0, 1.0]


def test_one_failing_member_fails_a_set_without_a_threshold(grade: Graded, spec: Specs) -> None:
    members = (spec("contains", "a"), spec("contains", "b"), spec("contains", "c"))
    result = grade("a", spec("assert-set", members=members))
    assert not result.passed
    assert result.reason == 'Expected output to contain "b"; Expected output to contain "c"'


def test_a_set_passes_where_its_score_reaches_its_threshold(grade: Graded, spec: Specs) -> None:
    members = (spec("contains", "a"), spec("contains", "b"))
    result = grade("a", spec("assert-set", members=members, threshold=0.5))
    assert result.passed
    assert result.verdicts[0].metadata["assertionSet"] == {
        "type": "assert-set",
        "assertionCount": 2,
        "threshold": 0.5,
        "weight": 1.0,
    }


def test_metrics_of_members_count(grade: Graded, spec: Specs) -> None:
    members = (spec("contains", "a", metric="m"), spec("contains", "b", metric="m"))
    assert grade("a", spec("assert-set", members=members, threshold=0)).named_scores == {"m": 0.5}


def test_what_is_wrong_with_a_member_is_found_before_the_run(judged: Judged, spec: Specs) -> None:
    with pytest.raises(ConfigError):
        judged("a", "assert-set", members=(spec("regex", "("),))


def test_an_undecided_member_leaves_the_case_undecided(grade: Graded, spec: Specs) -> None:
    with pytest.raises(Undecided, match="is empty for this case"):
        grade("a", spec("assert-set", members=(spec("contains", "{{ absent }}"),)), spec("contains", "a"))


def test_an_assertion_may_look_at_the_output_through_a_transform(grade: Graded, spec: Specs) -> None:
    through = spec("equals", "LYON", transform=UserCode("output.toUpperCase()"))
    result = grade("Lyon", through, spec("equals", "Lyon"))
    assert result.passed


def test_a_transform_that_returns_nothing_leaves_the_case_undecided(grade: Graded, spec: Specs) -> None:
    with pytest.raises(Undecided, match="returned nothing"):
        grade("Lyon", spec("equals", "LYON", transform=UserCode("null")))


def test_code_may_make_the_value(judged: Judged) -> None:
    assert judged("Lyon", "contains", UserCode("context.vars.city.slice(0, 2)"), vars={"city": "Lyra"}).passed


@pytest.mark.parametrize("code", ["true", "({pass: true, score: 1, reason: ''})", "null"])
def test_code_for_a_value_must_not_return_a_verdict(judged: Judged, code: str) -> None:
    with pytest.raises(Undecided):
        judged("Lyon", "contains", UserCode(code))
