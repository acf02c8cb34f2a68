"""Our verdicts beside those that promptfoo 0.123.1 gave for the same outputs (`verdicts.json`, an `echo` config)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.assertions.base import ASSERTIONS
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Grade, Response

HERE = Path(__file__).parent
CONFIG = json.loads((HERE / "verdicts.json").read_text("utf-8"))
EXPECTED = json.loads((HERE / "verdicts.expected.json").read_text("utf-8"))


def is_known(test: dict[str, Any]) -> bool:
    """Whether all that a test needs is there: its assertions, and no transform."""
    kinds = [assertion["type"].removeprefix("not-") for assertion in test["assert"]]
    transformed = "options" in test or any("transform" in assertion for assertion in test["assert"])
    return not transformed and all(kind in ASSERTIONS for kind in kinds)


DIFFERENT = {547, 561}
"""JavaScript on one line that begins with `return`: in promptfoo a syntax error and a failed check; here it runs."""

KNOWN = [
    pytest.param(test, expected, id=f"{expected['i']}-{'-'.join(part['type'] for part in test['assert'])}")
    for test, expected in zip(CONFIG["tests"], EXPECTED, strict=True)
    if is_known(test) and expected["i"] not in DIFFERENT
]


@pytest.mark.parametrize(("test", "expected"), KNOWN)
def test_the_verdict_is_promptfoos(
    test: dict[str, Any],
    expected: dict[str, Any],
    grade: Callable[..., Grade],
    spec: Callable[..., AssertionSpec],
) -> None:
    specs = [spec(**assertion) for assertion in test["assert"]]
    echoed = Response(test["vars"]["out"], attempts=0)
    try:
        ours = grade(None, *specs, threshold=test.get("threshold"), vars=test["vars"], response=echoed)
    except (ConfigError, CaseError):
        assert expected["error"]
        return
    assert not expected["error"]
    assert ours.passed is expected["pass"]
    assert ours.score == pytest.approx(expected["score"], abs=0.002)


def test_there_is_something_to_compare() -> None:
    assert len(KNOWN) > 190
