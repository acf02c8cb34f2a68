"""Our verdicts beside those that promptfoo 0.123.1 gave for the same outputs (`verdicts.json`, an `echo` config)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval import assertions
from sagemaker_eval.assertions.base import ASSERTIONS, Subject
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Grade, Prompt, ProviderSpec, Response, TestCase
from sagemaker_eval.text.templating import Templates

HERE = Path(__file__).parent
CONFIG = json.loads((HERE / "verdicts.json").read_text("utf-8"))
EXPECTED = json.loads((HERE / "verdicts.expected.json").read_text("utf-8"))
assert assertions.__all__


def spec_of(document: dict[str, Any]) -> AssertionSpec:
    written = document["type"]
    kind = written.removeprefix("not-")
    return AssertionSpec(
        kind=kind,
        value=document.get("value"),
        negated=kind != written,
        threshold=document.get("threshold"),
        weight=document.get("weight", 1.0),
    )


def grade(output: str, specs: list[AssertionSpec], threshold: float | None = None) -> Grade:
    test = TestCase(assertions=tuple(specs), threshold=threshold)
    judge = Judge(Templates())
    if problems := judge.prepare(test.assertions):
        raise ConfigError(problems)
    subject = Subject(output, None, output, {"out": output}, test, PROMPT, PROVIDER, Response(output))
    return asyncio.run(judge.grade(test, subject))


PROMPT = Prompt("{{out}}", "{{out}}", "id")
PROVIDER = ProviderSpec("echo", "echo")

KNOWN = [
    pytest.param(test, expected, id=f"{expected['i']}-{test['assert'][0]['type']}")
    for test, expected in zip(CONFIG["tests"], EXPECTED, strict=True)
    if test.get("assert")
    and "options" not in test
    and all(a["type"].removeprefix("not-") in ASSERTIONS for a in test["assert"])
]


@pytest.mark.parametrize(("test", "expected"), KNOWN)
def test_the_verdict_is_promptfoos(test: dict[str, Any], expected: dict[str, Any]) -> None:
    specs = [spec_of(document) for document in test["assert"]]
    try:
        ours = grade(test["vars"]["out"], specs, test.get("threshold"))
    except (ConfigError, CaseError):
        # Where promptfoo finds a pattern or a schema invalid only when it judges, we refuse the configuration.
        assert expected["error"] or not expected["pass"]
        return
    assert not expected["error"]
    assert ours.passed == expected["pass"]
    assert ours.score == pytest.approx(expected["score"])


def test_there_is_something_to_compare() -> None:
    assert len(KNOWN) > 100
