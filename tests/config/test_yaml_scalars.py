from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.yaml_scalars import TAG_PREFIX, key_text, plain_scalar, tagged_scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        *((word, None) for word in ("~", "null", "Null", "NULL")),
        *((word, True) for word in ("true", "True", "TRUE")),
        *((word, False) for word in ("false", "False", "FALSE")),
        ("010", 10),
        ("0777", 777),
        ("0o10", 8),
        ("0x1F", 31),
        ("+12", 12),
        ("-7", -7),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        ("-1.5E+2", -150.0),
        ("1.", 1.0),
        ("1.0", 1.0),
        (".5", 0.5),
        (".inf", math.inf),
        ("+.INF", math.inf),
        ("-.Inf", -math.inf),
    ],
)
def test_core_schema_values(text: str, value: Any) -> None:
    result = plain_scalar(text)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "y", "n", "tRUE", "nULL", "NaN", "inf", "e3", ".", "-", "+", "=", "12 ", "١٢"),
        *("0b11", "1_000", "1:30", "0o8", "0xG", "-0x1F", "1e", "--1", "1.2.3", "2024-01-02", "2024-01-02T03:04:05Z"),
    ],
)
def test_everything_else_is_text(text: str) -> None:
    assert plain_scalar(text) == text


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    assert math.isnan(plain_scalar(text))


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "12", "12"),
        ("int", "0x10", 16),
        ("float", "12", 12.0),
        ("float", "1.5", 1.5),
        ("bool", "true", True),
        ("null", "", None),
        ("timestamp", "2024-01-02", "2024-01-02"),
    ],
)
def test_core_tags_decide_the_type(tag: str, text: str, value: Any) -> None:
    result = tagged_scalar(TAG_PREFIX + tag, text)
    assert result == value
    assert type(result) is type(value)


def test_the_non_specific_tag_means_text() -> None:
    assert tagged_scalar("!", "12") == "12"


@pytest.mark.parametrize(
    ("tag", "text"), [("int", "1.5"), ("int", "true"), ("float", "x"), ("bool", "yes"), ("null", "0")]
)
def test_a_scalar_that_does_not_fit_its_tag(tag: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"`{text}` does not fit its tag `!!{tag}`"):
        tagged_scalar(TAG_PREFIX + tag, text)


@pytest.mark.parametrize(("tag", "shown"), [(TAG_PREFIX + "binary", "!!binary"), ("!mine", "!mine"), ("str", "str")])
def test_other_tags_are_refused(tag: str, shown: str) -> None:
    with pytest.raises(ValueError, match=f"the tag `{shown}` is not supported"):
        tagged_scalar(tag, "aGk=")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (None, "null"),
        (True, "true"),
        (12, "12"),
        (1.0, "1"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1e-7, "-1e-7"),
        (math.nan, "NaN"),
        (-math.inf, "-Infinity"),
    ],
)
def test_keys_print_as_in_javascript(key: bool | int | float | None, text: str) -> None:
    assert key_text(key) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_that_number(number: float) -> None:
    assert float(Decimal(key_text(number))) == number
