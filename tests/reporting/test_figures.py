from __future__ import annotations

import pytest

from sagemaker_eval.model import TokenUsage
from sagemaker_eval.reporting.figures import counted, dollars, duration, percent, tokens


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "n/a"),
        (0, 5, "0%"),
        (5, 5, "100%"),
        (8, 10, "80.0%"),
        (99_999, 100_000, "99.9%"),
        (1, 100_000, "0.1%"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_none(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (None, "n/a"),
        (0.0, "0.0 ms"),
        (9.96, "10 ms"),
        (512.4, "512 ms"),
        (999.6, "1.00 s"),
        (9_996.0, "10.0 s"),
        (59_960.0, "1 min 0 s"),
        (125_000.0, "2 min 5 s"),
        (3_720_000.0, "1 h 2 min"),
    ],
)
def test_durations_take_the_unit_that_reads_best(milliseconds: float | None, shown: str) -> None:
    assert duration(milliseconds) == shown


def test_counts_agree_with_their_noun() -> None:
    assert [counted(number, "case") for number in (0, 1, 2_000)] == ["0 cases", "1 case", "2,000 cases"]
    assert counted(2, "entry", "entries") == "2 entries"


def test_estimated_tokens_are_marked() -> None:
    assert tokens(TokenUsage(prompt=1200, completion=34)) == "1,200 / 34"
    assert tokens(TokenUsage(prompt=1200, completion=34, estimated=True)) == "~1,200 / 34"


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "n/a"), (0.0, "$0.00"), (0.0031, "$0.0031"), (0.01, "$0.01"), (1.239, "$1.24"), (1234.5, "$1,234.50")],
)
def test_dollars(amount: float | None, text: str) -> None:
    assert dollars(amount) == text
