"""What the user's Python may return, and what it is given."""

from __future__ import annotations

import datetime
import enum
import math
from collections import OrderedDict, UserDict
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.model import Json
from sagemaker_eval.text.python_values import NotJson, as_argument, to_json_value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class Level(enum.IntEnum):
    HIGH = 3


class Words(str):
    pass


class Score(float):
    pass


@given(JSON)
def test_json_is_returned_as_it_is(value: Json) -> None:
    assert to_json_value(value) == value
    assert as_argument(value) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, ("a",)), [1, ["a"]]),
        (Level.HIGH, 3),
        (Words("x"), "x"),
        (Score(0.5), 0.5),
        (MappingProxyType({"a": OrderedDict(b=UserDict(c=1))}), {"a": {"b": {"c": 1}}}),
        ({1: "a", 1.5: "b", None: "c", False: "d"}, {"1": "a", "1.5": "b", "null": "c", "false": "d"}),
    ],
)
def test_what_is_nearly_json_becomes_plain(value: Any, plain: Json) -> None:
    made = to_json_value(value)
    assert made == plain
    assert type(made) is type(plain)


class Array:
    """Stands in for what numpy gives."""

    def __init__(self, value: Json) -> None:
        self._value = value

    def tolist(self) -> Json:
        return self._value


Array.__module__ = "numpy"


def test_arrays_and_numbers_of_numpy_are_lists_and_numbers() -> None:
    assert to_json_value({"vector": Array([0.5, 1.0]), "score": Array(0.25)}) == {"vector": [0.5, 1.0], "score": 0.25}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": [1, {2}]}, "a value of type `set` at `$.a[1]`"),
        (b"x", "a value of type `bytes`"),
        (math.nan, "NaN"),
        ({"score": math.nan}, "NaN at `$.score`"),
        ([-math.inf], "-infinity at `$[0]`"),
        ([Array([math.nan])], "NaN at `$[0][0]`"),
        (Decimal("1.5"), "a value of type `Decimal`"),
        ({"when": datetime.date(2024, 1, 2)}, "a value of type `date` at `$.when`"),
        (print, "a function"),
        ((item for item in "ab"), "a value of type `generator`"),
        ({("a", "b"): 1}, "a dict with a key of type `tuple`"),
        (1 << 5000, "an integer of 5001 bits"),
        (object(), "a value of type `object`"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(value: Any, told: str) -> None:
    with pytest.raises(NotJson) as raised:
        to_json_value(value)
    assert str(raised.value) == told
    assert raised.value.advice


def test_a_value_that_holds_itself_is_no_json() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotJson, match="nested too deeply, or that holds itself"):
        to_json_value(value)


def test_arguments_are_copies() -> None:
    given_value = MappingProxyType({"a": [{"b": (1,)}]})
    made = as_argument(given_value)
    made["a"][0]["b"].append(2)
    assert given_value["a"] == [{"b": (1,)}]
