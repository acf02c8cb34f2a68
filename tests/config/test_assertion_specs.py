from __future__ import annotations

import pytest

from sagemaker_eval.config.assertion_specs import AssertionContext, build_assertions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, ProviderSpec


def _no_grader(raw: Json, where: Place) -> ProviderSpec:
    raise AssertionError("no grader is asked for")


CONTEXT = AssertionContext(("contains", "equals"), ".", _no_grader)


def refused(raw: Json) -> list[tuple[str, str | None]]:
    with pytest.raises(ConfigError) as caught:
        build_assertions([raw], Place("a.yaml"), CONTEXT)
    return [(problem.message, problem.hint) for problem in caught.value.problems]


def test_a_misspelt_type_is_an_unknown_key_too() -> None:
    assert refused({"tpye": "contains", "value": "a"}) == [
        ("`type` is missing in an assertion", "for example `type: contains`"),
        ("unknown key `tpye` in an assertion", "did you mean `type`?"),
    ]


def test_an_unknown_type_hides_no_other_problem() -> None:
    assert refused({"type": "contians", "vaule": "a", "weight": -1}) == [
        ("unknown assertion type `contians`", "did you mean `contains`?"),
        ("`weight` must be at least 0, not the number `-1`", None),
        ("unknown key `vaule` in an assertion", "did you mean `value`?"),
    ]


def test_a_type_that_is_no_text_is_one_problem() -> None:
    assert [message for message, _ in refused({"type": 3})] == [
        "`type` must be the name of an assertion type, not the number `3`"
    ]
