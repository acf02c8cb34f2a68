"""One output, judged: what most tests of the assertions are about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval import assertions
from sagemaker_eval.assertions.base import Subject
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import (
    AssertionSpec,
    Grade,
    Json,
    Prompt,
    ProviderSpec,
    Response,
    TestCase,
    Timings,
    Verdict,
)
from sagemaker_eval.text.templating.templates import Templates

assert assertions.__all__


def _spec(type: str, value: Json = None, **more: Any) -> AssertionSpec:
    kind = type.removeprefix("not-")
    return AssertionSpec(kind, value, negated=kind != type, **more)


def _grade(output: Json, *specs: AssertionSpec, threshold: float | None = None, **more: Any) -> Grade:
    test = TestCase(assertions=specs, threshold=threshold)
    response = more.get("response", Response(output, timings=Timings(wire=more.get("wire", 100.0))))
    judge = Judge(Templates())
    if problems := judge.prepare(test.assertions):
        raise ConfigError(problems)
    subject = Subject(
        text=response.text,
        value=None,
        prompt="What?",
        vars=more.get("vars", {}),
        test=test,
        template=Prompt("What?", "What?", "id"),
        provider=ProviderSpec("sagemaker:e", "sagemaker"),
        response=response,
    )
    return asyncio.run(judge.grade(test, subject))


@pytest.fixture
def spec() -> Callable[..., AssertionSpec]:
    """`spec(type, value, **fields)`: an assertion as a configuration writes it."""
    return _spec


@pytest.fixture
def grade() -> Callable[..., Grade]:
    """`grade(output, *specs, threshold=, vars=, wire=, response=)`; raises what the preparation finds."""
    return _grade


@pytest.fixture
def judged() -> Callable[..., Verdict]:
    """`judged(output, type, value, vars=, **fields)`: the verdict of a single assertion."""

    def verdict(output: Json, type: str, value: Json = None, **more: Any) -> Verdict:
        case = {name: more.pop(name) for name in ("vars", "wire", "response") if name in more}
        return _grade(output, _spec(type, value, **more), **case).verdicts[0]

    return verdict
