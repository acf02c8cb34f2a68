"""The `transform` of a provider: the user's code that makes a request of a rendered prompt, before it is sent.

What it returns decides: text is the prompt from then on, an object is the request body as it is, and a list (chat
messages) is the prompt as JSON. Nothing, a function, or an exception is an error of the case: the prompt is never sent
untransformed.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Call, Json, Place, ProviderSpec, compact_json
from sagemaker_eval.text.javascript.script import UNDEFINED, Script, compile_javascript, load_javascript
from sagemaker_eval.text.scripts import call, load_function, positional_arguments

PYTHON_FUNCTION = "get_transform"
"""The function of a Python file that a reference names without one, as promptfoo has it."""

PARAMETERS = ("prompt", "context")

Code = Callable[[str, dict[str, Json]], Awaitable[Json]]


class RequestTransform:
    """The compiled transform of one provider."""

    def __init__(self, spec: ProviderSpec, code: Code) -> None:
        self._code = code
        self._config = dict(spec.options.written)
        self._provider = {"id": spec.id, "label": spec.label or ""}

    async def __call__(self, asked: Call) -> str | dict[str, Json]:
        """The prompt that is to be sent instead, or the whole request body. Raises `ScriptError`."""
        context = {
            "vars": dict(asked.vars),
            "prompt": {"raw": asked.prompt, "label": asked.label},
            "config": self._config,
            "provider": self._provider,
        }
        made = await self._code(asked.prompt, context)
        if isinstance(made, str | dict):
            return made
        if isinstance(made, list):
            return compact_json(made)
        if made is None or made is UNDEFINED:
            raise ScriptError("the transform returned nothing", "return the prompt to send, or the request body")
        return compact_json(made)


def compile_transform(spec: ProviderSpec, where: Place | None) -> RequestTransform | None:
    """The transform of a provider, None where it has none: inline JavaScript, `file://x.js[:fn]`, `file://x.py[:fn]`.

    Raises `ConfigError`, placed at `where`, for code that cannot be loaded.
    """
    source: str | None = spec.options.transform
    if source is None:
        return None
    try:
        return RequestTransform(spec, _code(source, spec.options.base_path, where))
    except ConfigError as error:
        raise ConfigError(replace(problem, where=problem.where or where) for problem in error.problems) from None


def _code(source: str, base_path: str, where: Place | None) -> Code:
    if not source.startswith("file://"):
        return _named(compile_javascript(source, PARAMETERS, where))
    if _is_python(source):
        return _python(load_function(source, base_path, PYTHON_FUNCTION))
    return _named(load_javascript(source, base_path))


def _is_python(reference: str) -> bool:
    return reference.endswith(".py") or ".py:" in reference


def _named(script: Script) -> Code:
    """The script, its errors beginning with the word that the configuration has for it."""

    async def run(prompt: str, context: dict[str, Json]) -> Json:
        try:
            return await script.acall(prompt, context)
        except ScriptError as error:
            raise ScriptError(f"transform: {error.message}", error.hint) from error

    return run


def _python(function: Callable[..., Any]) -> Code:
    takes_context = 2 in positional_arguments(function)

    async def run(prompt: str, context: dict[str, Json]) -> Json:
        made = call(function, *((prompt, context) if takes_context else (prompt,)), what="transform")
        return await made if inspect.isawaitable(made) else made

    return run
