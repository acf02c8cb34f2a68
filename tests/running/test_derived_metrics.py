"""Figures computed from the named scores of a column."""

from __future__ import annotations

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import DerivedMetric, UserCode
from sagemaker_eval.running.derived_metrics import DerivedMetrics


def derived(sums: dict[str, float], count: int, **expressions: str) -> dict[str, float]:
    metrics = [DerivedMetric(name, UserCode(expression)) for name, expression in expressions.items()]
    return DerivedMetrics(metrics).of(sums, count)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 * precision * recall / (precision + recall)", 2 * 3 * 2 / 5),
        ("precision / __count", 0.75),
        ("sqrt(recall ^ 2 + 5)", 3.0),
        ("max(precision, recall) > 2 ? 1 : 0", 1.0),
        ("precision;", 3.0),
    ],
)
def test_arithmetic_over_the_sums_of_named_scores(expression: str, value: float) -> None:
    assert derived({"precision": 3.0, "recall": 2.0}, 4, f=expression) == {"f": pytest.approx(value)}


def test_a_metric_may_use_those_before_it() -> None:
    assert derived({"a": 4.0}, 2, mean="a / __count", double="mean * 2") == {"mean": 2.0, "double": 4.0}


@pytest.mark.parametrize("expression", ["nobody / 2", "a / 0", "'text'", "a == 4"])
def test_what_cannot_be_computed_is_left_out(expression: str) -> None:
    assert derived({"a": 4.0}, 2, f=expression) == {}


def test_an_expression_that_cannot_be_read_is_found_before_the_run() -> None:
    with pytest.raises(ConfigError, match="the derived metric `f` cannot be read"):
        derived({}, 0, f="2 *")
