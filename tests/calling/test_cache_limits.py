from __future__ import annotations

import pytest

from sagemaker_eval.calling.cache_limits import Limits, limits_of, seconds_of, size_of
from sagemaker_eval.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "size"),
    [("500MB", 500_000_000), ("1.5 gb", 1_500_000_000), ("1MiB", 1_048_576), ("2kB", 2_000), ("12", 12), ("0", 0)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert size_of(text, "--max-size") == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("12h", 43_200), ("90m", 5_400), ("1.5min", 90), ("45 s", 45), ("2w", 1_209_600)],
)
def test_times_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert seconds_of(text, "--older-than") == seconds


@pytest.mark.parametrize("text", ["", "much", "-1MB", "5XB", "1e9"])
def test_what_is_no_size_is_refused_with_the_place(text: str) -> None:
    with pytest.raises(ConfigError, match="--max-size takes a size"):
        size_of(text, "--max-size")


@pytest.mark.parametrize("text", ["30", "a month", "30 days"])
def test_what_is_no_time_is_refused_with_the_place(text: str) -> None:
    with pytest.raises(ConfigError, match="--older-than takes a time"):
        seconds_of(text, "--older-than")


def test_the_environment_sets_the_limits() -> None:
    assert limits_of({}) == Limits(1_000_000_000, None)
    assert limits_of({"SAGEVAL_CACHE_MAX_SIZE": "2GB", "SAGEVAL_CACHE_MAX_AGE": "1d"}) == Limits(2_000_000_000, 86_400)
    assert limits_of({"SAGEVAL_CACHE_MAX_SIZE": "none", "SAGEVAL_CACHE_MAX_AGE": " "}) == Limits(None, None)


def test_a_wrong_limit_names_its_variable() -> None:
    with pytest.raises(ConfigError, match="SAGEVAL_CACHE_MAX_AGE"):
        limits_of({"SAGEVAL_CACHE_MAX_AGE": "soon"})
