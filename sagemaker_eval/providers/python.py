"""The `python` provider: the user's own `call_api(prompt, options, context)`, sync or async.

Its answers are never cached: what it does with a prompt, nobody but its author can know.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

from sagemaker_eval.calling.pacing import Pace
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Call, CustomOptions, Json, ProviderSpec, Response, UserCode
from sagemaker_eval.providers.base import PROVIDERS, Local, Provider
from sagemaker_eval.providers.python_answers import AnswerReader
from sagemaker_eval.providers.python_context import call_context
from sagemaker_eval.providers.services import Services
from sagemaker_eval.providers.threads import in_thread
from sagemaker_eval.text.python_values import as_argument
from sagemaker_eval.text.scripts import acall, call, load_function, positional_arguments

TEXT_FUNCTION = "call_api"
EMBEDDING_FUNCTION = "call_embedding_api"
CLASSIFICATION_FUNCTION = "call_classification_api"

_PARAMETERS = ("prompt", "options", "context")
_ROLE = "provider"


class Entry:
    """A function of the user's, called with as many of its arguments as it takes. Blocking ones get a thread."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
        self._count = max(positional_arguments(function) - {0})

    async def __call__(self, *arguments: Json) -> Any:
        """What it returns, awaited where it has to be. Raises `ScriptError` with the user's file and line."""
        passed = arguments[: self._count]
        if self._is_async:
            return await acall(self._function, *passed, what=_ROLE)
        made = await in_thread(partial(call, self._function, *passed, what=_ROLE))
        if not inspect.isawaitable(made):
            return made
        return await acall(lambda: made, what=_ROLE, raised_by=self._function)


def load_entry(code: UserCode, default: str = TEXT_FUNCTION) -> Entry:
    """The function that a provider's code names, else the one called `default`. Raises `ConfigError` at its place.

    The other defaults are `EMBEDDING_FUNCTION` and `CLASSIFICATION_FUNCTION`, with the same parameters.
    """
    try:
        function = load_function(code.source, code.base_path, default)
    except ConfigError as error:
        raise ConfigError(replace(problem, where=problem.where or code.where) for problem in error.problems) from None
    if not positional_arguments(function) - {0}:
        name = getattr(function, "__name__", default)
        raise ConfigError.of(
            f"`{name}` of `{code.source}` cannot be called with {', '.join(_PARAMETERS)}",
            code.where,
            f"define it as `def {name}({', '.join(_PARAMETERS)})`",
        )
    return Entry(function)


class Python(Local):
    """One provider of the suite that the user wrote; `key` is where its function puts what it answers."""

    def __init__(self, spec: ProviderSpec, entry: Entry, services: Services, key: str = "output") -> None:
        options: CustomOptions = spec.options
        self._entry = entry
        self._options = {"id": spec.id, "label": spec.label, "config": dict(options.config)}
        if spec.env:
            self._options["env"] = dict(spec.env)
        self._reader = AnswerReader(spec.name, services.notice, key)
        self._pace = Pace(spec.delay_ms or 0, sleep=services.sleep)
        limit = spec.max_concurrency
        self._turn: AbstractAsyncContextManager[None] = asyncio.Semaphore(limit) if limit else nullcontext()

    async def answer(self, call: Call) -> Response:
        """The user's answer. Raises `CaseError` for an error that it tells, `ScriptError` for one that it makes."""
        arrived = time.perf_counter()
        async with self._turn:
            if self._pace.delay:
                await self._pace.turn()
            started = time.perf_counter()
            told = await self._entry(call.prompt, as_argument(self._options), call_context(call))
            ended = time.perf_counter()
        return self._reader.read(told, queue=(started - arrived) * 1000, took=(ended - started) * 1000)


@PROVIDERS.register("python")
def python(spec: ProviderSpec, services: Services) -> Provider:
    """Calls the user's own function: `file://provider.py[:function]`, `python:provider.py[:function]`."""
    return Python(spec, load_entry(spec.options.code), services)


@PROVIDERS.register("python:embedding")
def python_embedding(spec: ProviderSpec, services: Services) -> Provider:
    """Calls the user's own embedder: `call_embedding_api(text)`, which returns `{"embedding": […]}`."""
    return Python(spec, load_entry(spec.options.code, EMBEDDING_FUNCTION), services, "embedding")


@PROVIDERS.register("python:classification")
def python_classification(spec: ProviderSpec, services: Services) -> Provider:
    """Calls the user's own classifier: `call_classification_api(text)`, which returns `{"classification": {…}}`."""
    return Python(spec, load_entry(spec.options.code, CLASSIFICATION_FUNCTION), services, "classification")
