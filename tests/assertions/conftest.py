"""One output, judged: what most tests of the assertions are about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
    TokenUsage,
    Vector,
    Vectors,
    Verdict,
)
from sagemaker_eval.text.templating.templates import Templates

assert assertions.__all__


def _spec(type: str, value: Json = None, **more: Any) -> AssertionSpec:
    kind = type.removeprefix("not-")
    return AssertionSpec(kind, value, negated=kind != type, **more)


def _grade(output: Json, *specs: AssertionSpec, threshold: float | None = None, **more: Any) -> Grade:
    test = TestCase(
        assertions=specs,
        threshold=threshold,
        options=more.get("options", {}),
        vars=more.get("test_vars", {}),
    )
    response = more.get("response", Response(output, timings=Timings(wire=more.get("wire", 100.0))))
    judge = Judge(Templates(), more.get("graders"))
    if problems := judge.prepare(test.assertions):
        raise ConfigError(problems)
    subject = Subject(
        text=response.text,
        value=None,
        prompt=more.get("prompt", "What?"),
        vars=more.get("vars", {}),
        test=test,
        template=Prompt("What?", "What?", "id"),
        provider=ProviderSpec("sagemaker:e", "sagemaker"),
        response=response,
    )
    return asyncio.run(judge.grade(test, subject))


@dataclass
class FakeGrader:
    """Answers by a function of (prompt, repeat), or with texts in turn, the last one for ever; keeps what it was asked.

    An answer is a text, a `Response`, or an error to raise. Each costs 10 tokens and 1.
    """

    answers: Any
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def ask(self, prompt: str, repeat: int = 0) -> Response:
        place = len(self.asked)
        self.asked.append((prompt, repeat))
        await asyncio.sleep(0)
        answer = self.answers(prompt, repeat) if callable(self.answers) else self.answers[min(place, self._last)]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Response):
            return answer
        return Response(answer, usage=TokenUsage(prompt=10, completion=1, requests=1))

    @property
    def _last(self) -> int:
        return len(self.answers) - 1


@dataclass
class FakeEmbedder:
    """Knows the vectors of texts by heart; keeps what it was asked."""

    vectors: dict[str, Vector]
    asked: list[str] = field(default_factory=list)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return Vectors(self.vectors[text] for text in texts)


@dataclass
class FakeGraders:
    """The same grader for every role, and an embedder."""

    grader: FakeGrader
    embedder: FakeEmbedder

    def text(self, spec: AssertionSpec, test: TestCase) -> FakeGrader:
        return self.grader

    def embedding(self, spec: AssertionSpec, test: TestCase) -> FakeEmbedder:
        return self.embedder

    classification = text
    moderation = text


@dataclass
class Graded:
    """The verdict of one assertion that asks models, and what they were asked."""

    verdict: Verdict
    asked: list[tuple[str, int]]
    embedded: list[str]

    @property
    def prompts(self) -> list[str]:
        return [prompt for prompt, _ in self.asked]


_OF_CASE = ("vars", "test_vars", "options", "prompt", "response")


def _graded(answers: Any, output: Json, type: str, value: Json = None, **more: Any) -> Graded:
    case = {name: more.pop(name) for name in _OF_CASE if name in more}
    graders = FakeGraders(FakeGrader(answers), FakeEmbedder(more.pop("vectors", {})))
    grade = _grade(output, _spec(type, value, **more), graders=graders, **case)
    return Graded(grade.verdicts[0], graders.grader.asked, graders.embedder.asked)


@pytest.fixture
def graded() -> Callable[..., Graded]:
    """`graded(answers, output, type, value, vars=, options=, prompt=, vectors=, **fields)`: one assertion's verdict,
    where graders give `answers` (see `FakeGrader`), with what they were asked."""
    return _graded


@pytest.fixture
def grader() -> Callable[[Any], FakeGrader]:
    """`grader(answers)`: see `FakeGrader`."""
    return FakeGrader


@pytest.fixture
def graders() -> Callable[[FakeGrader], FakeGraders]:
    """`graders(grader)`: that grader in every role."""
    return lambda grader: FakeGraders(grader, FakeEmbedder({}))


@pytest.fixture
def spec() -> Callable[..., AssertionSpec]:
    """`spec(type, value, **fields)`: an assertion as a configuration writes it."""
    return _spec


@pytest.fixture
def grade() -> Callable[..., Grade]:
    """`grade(output, *specs, threshold=, vars=, wire=, response=, graders=, …)`; raises what the preparation finds."""
    return _grade


@pytest.fixture
def judged() -> Callable[..., Verdict]:
    """`judged(output, type, value, vars=, **fields)`: the verdict of a single assertion."""

    def verdict(output: Json, type: str, value: Json = None, **more: Any) -> Verdict:
        case = {name: more.pop(name) for name in ("vars", "wire", "response") if name in more}
        return _grade(output, _spec(type, value, **more), **case).verdicts[0]

    return verdict
