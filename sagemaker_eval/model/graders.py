"""Models that judge, as assertions see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

from sagemaker_eval.model.calls import Response, TokenUsage
from sagemaker_eval.model.suite import AssertionSpec, TestCase


class Grader(Protocol):
    """A model that answers a question about an output."""

    async def ask(self, prompt: str, repeat: int = 0) -> Response:
        """Its reply to a rendered prompt. Raises `CaseError`, and `SetupError` to stop the run.

        `repeat` counts askings of one prompt that have to be calls of their own: it is part of the cache key, as
        `Request.repeat` is, and never sent.
        """
        ...


Vector: TypeAlias = tuple[float, ...]


class Vectors(tuple[Vector, ...]):
    """One vector for each text, and the tokens that they took: those of texts embedded before count as cached."""

    usage: TokenUsage

    def __new__(cls, vectors: Iterable[Vector], usage: TokenUsage = TokenUsage()) -> Vectors:
        made = super().__new__(cls, vectors)
        made.usage = usage
        return made


class Embedder(Protocol):
    """A model that places texts in a space of meaning."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, all of one length and finite. Raises `CaseError`, `SetupError`."""
        ...


class Graders(Protocol):
    """The models that judge the cases of one run.

    For each assertion its own `graders` come first, then those of its test's options. Both raise `ConfigError`, which
    says how to name one, where there is none.
    """

    def text(self, spec: AssertionSpec, test: TestCase) -> Grader: ...
    def embedding(self, spec: AssertionSpec, test: TestCase) -> Embedder: ...
    def classification(self, spec: AssertionSpec, test: TestCase) -> Grader: ...
    def moderation(self, spec: AssertionSpec, test: TestCase) -> Grader: ...
