"""The models that judge the cases of a run: which one for which assertion, and how many of their calls at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sagemaker_eval.assertions.graded.asking import GraderError
from sagemaker_eval.config.grader_choice import ANY_ROLE
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import (
    AssertionSpec,
    Call,
    Embedder,
    Grader,
    ProviderSpec,
    Response,
    SageMakerOptions,
    TestCase,
    Vectors,
)
from sagemaker_eval.providers.base import PROVIDERS, Provider
from sagemaker_eval.providers.embedding import Embeddings, stored, transformed
from sagemaker_eval.providers.output_transform import compile_output_transform
from sagemaker_eval.providers.pool import ProviderPool

_EXAMPLES = {
    "text": "{id: sagemaker:openai:my-judge}",
    "embedding": "{embedding: {id: 'sagemaker:embedding:my-embedding-endpoint'}}",
    "classification": "{classification: {id: 'sagemaker:huggingface:my-classifier'}}",
    "moderation": "{moderation: {id: 'sagemaker:huggingface:my-moderator'}}",
}
_EMBEDDING = "embedding"
_ADAPTIVE_MOST = 128
"""Calls in flight of a grader that finds their number while running."""


class RunGraders:
    """The graders of one run. Each has a cap of its own on calls in flight: its `maxConcurrency`, else the run's."""

    def __init__(self, pool: ProviderPool, max_concurrency: int) -> None:
        self._pool = pool
        self._most = max_concurrency
        self._of_spec: dict[tuple[int, str], tuple[ProviderSpec, _Asking]] = {}
        self._of_provider: dict[int, _Asking] = {}

    def text(self, spec: AssertionSpec, test: TestCase) -> Grader:
        return self._asking(spec, test, "text")

    def classification(self, spec: AssertionSpec, test: TestCase) -> Grader:
        return self._asking(spec, test, "classification")

    def moderation(self, spec: AssertionSpec, test: TestCase) -> Grader:
        return self._asking(spec, test, "moderation")

    def embedding(self, spec: AssertionSpec, test: TestCase) -> Embedder:
        return self._asking(spec, test, _EMBEDDING)

    def _asking(self, spec: AssertionSpec, test: TestCase, role: str) -> _Asking:
        grader = chosen(spec, test, role)
        known = self._of_spec.get((id(grader), role))
        if known is None or known[0] is not grader:
            known = self._of_spec[id(grader), role] = (grader, self._built(in_role(grader, role)))
        return known[1]

    def _built(self, grader: ProviderSpec) -> _Asking:
        """The asking of a grader; equal specs share one, and with it the cap."""
        provider = self._pool.of(grader)
        known = self._of_provider.get(id(provider))
        if known is None:
            most = _ADAPTIVE_MOST if grader.adaptive else min(self._most, grader.max_concurrency or self._most)
            self._pool.widen(most)
            known = self._of_provider[id(provider)] = _Asking(grader, provider, most)
        return known


class _Asking:
    """One grader and the cap on its calls; a `Grader` and an `Embedder`. What it fails with is told as its failure."""

    def __init__(self, spec: ProviderSpec, provider: Provider, most: int) -> None:
        self._name = spec.name
        self._provider = provider
        self._free = asyncio.Semaphore(most)
        self._transform = None if spec.transform is None else compile_output_transform(spec.transform)
        self._embeddings = Embeddings(provider, self._free, self._transform)

    async def ask(self, prompt: str, repeat: int = 0) -> Response:
        try:
            return await self._answer(Call(prompt, repeat=repeat, label="grader"))
        except CaseError as error:
            raise self._failure(error) from error

    async def embed(self, texts: Sequence[str]) -> Vectors:
        try:
            return await self._embeddings.embed(texts)
        except CaseError as error:
            raise self._failure(error) from error

    async def _answer(self, call: Call) -> Response:
        response = await stored(self._provider, call)
        if response is None:
            async with self._free:
                response = await self._provider.answer(call)
        return await transformed(self._transform, call, response)

    def _failure(self, error: CaseError) -> GraderError:
        return GraderError(f"the grader `{self._name}` failed: {error.message}", error.hint)


def chosen(spec: AssertionSpec, test: TestCase, role: str) -> ProviderSpec:
    """The grader of an assertion in a role: of those that are named, the first that can take it.

    One that is named for the role itself has to. Raises `ConfigError` where nobody is named, or nobody can.
    """
    unable: ProviderSpec | None = None
    for named, is_any in _named(spec, test, role):
        if can(named, role):
            return named
        unable = unable or named
        if not is_any:
            break
    article = "an" if role == _EMBEDDING else "a"
    hint = (
        f"name one for all tests: `defaultTest: {{options: {{provider: {_EXAMPLES[role]}}}}}`, or give the assertion "
        "a `provider`"
    )
    if unable is None:
        raise ConfigError.of(f"`{spec.type}` needs {article} {role} provider, and none is named", spec.where, hint)
    does = "writes text and gives no embeddings" if role == _EMBEDDING else "gives embeddings and answers no questions"
    message = f"`{spec.type}` needs {article} {role} provider, and `{unable.name}` {does}"
    raise ConfigError.of(message, unable.where or spec.where, hint)


def _named(spec: AssertionSpec, test: TestCase, role: str) -> Iterator[tuple[ProviderSpec, bool]]:
    """The providers that could be meant, the assertion's own first, and whether each is named without a role."""
    for named in (spec.graders, test.options.get("provider")):
        if isinstance(named, Mapping):
            for key in (role, ANY_ROLE):
                if isinstance(found := named.get(key), ProviderSpec):
                    yield found, key == ANY_ROLE


def can(provider: ProviderSpec, role: str) -> bool:
    """Whether a provider can take a role: only embedding endpoints, and code of the user's, give embeddings."""
    if _kind(provider, role) in PROVIDERS:
        return True
    options = provider.options
    return (isinstance(options, SageMakerOptions) and options.embedding) is (role == _EMBEDDING)


def in_role(provider: ProviderSpec, role: str) -> ProviderSpec:
    """The provider as it is built for a role: some kinds have an entry of their own for it in the registry."""
    kind = _kind(provider, role)
    return replace(provider, kind=kind) if kind in PROVIDERS else provider


def _kind(provider: ProviderSpec, role: str) -> str:
    return f"{provider.kind}:{role}"
