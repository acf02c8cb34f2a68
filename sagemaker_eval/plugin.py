"""What a plugin may use: a Python file of the user's own that adds assertion types and model types.

A configuration names plugins under `plugins`. A plugin registers what it adds while it is loaded:

    from sagemaker_eval.plugin import assertion, decide

    @assertion("has-question")
    def has_question(spec):
        \"\"\"The output asks something.\"\"\"
        return lambda subject: decide(spec, "?" in subject.text, "to ask something")

Whatever a plugin raises while it judges, builds a request or reads an answer is an error of that case.
"""

from __future__ import annotations

import inspect
import sys
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from sagemaker_eval.assertions.base import ASSERTIONS, COMPARISONS, Assertion, Check, Subject, decide
from sagemaker_eval.errors import CaseError, ConfigError, ExtractionError, FormatError, SagevalError, ScriptError
from sagemaker_eval.formats.base import FORMATS, Format
from sagemaker_eval.model import AssertionSpec, Json, Reading, Sampling, TokenUsage, UserCode, Verdict
from sagemaker_eval.text.python_failures import raised_at, told
from sagemaker_eval.text.scripts import run_script

__all__ = [
    "AssertionSpec",
    "CaseError",
    "ConfigError",
    "ExtractionError",
    "FormatError",
    "Reading",
    "Sampling",
    "Subject",
    "TokenUsage",
    "Verdict",
    "assertion",
    "decide",
    "model_type",
]

_RAISED = (Exception, SystemExit, CancelledError)
"""What a plugin may raise without ending the run, or a worker of it."""

EXTENSIBLE = (ASSERTIONS, COMPARISONS, FORMATS)
"""The registries that a plugin may add to; a run forgets what its plugins added."""

Class = TypeVar("Class", bound=type)


def load_plugin(plugin: UserCode) -> None:
    """Run a plugin, which registers what it adds. Raises `ConfigError` placed at `plugin.where`."""
    try:
        run_script(plugin.source, plugin.base_path)
    except ConfigError as error:
        raise ConfigError(replace(problem, where=plugin.where) for problem in error.problems) from None


def assertion(name: str) -> Callable[[Assertion], Assertion]:
    """Decorator: registers a function from an `AssertionSpec` to the check of one `Subject`. Its docstring is its help.

    Raises ValueError where the name is taken.
    """

    def register(make: Assertion) -> Assertion:
        file = make.__code__.co_filename if inspect.isfunction(make) else None

        def prepare(spec: AssertionSpec) -> Check:
            try:
                return _guarded(make(spec), name, file)
            except SagevalError:
                raise
            except _RAISED as error:
                raise ConfigError.of(f"`{name}`: {raised_at(error, file)} raised {told(error)}") from error

        prepare.__doc__ = make.__doc__
        ASSERTIONS.register(name)(prepare)
        return make

    return register


def _guarded(check: Check, name: str, file: str | None) -> Check:
    def fault(error: BaseException) -> CaseError:
        return ScriptError(f"`{name}`: {raised_at(error, file)} raised {told(error)}", "correct the plugin")

    async def awaited(verdict: Awaitable[Verdict]) -> Verdict:
        try:
            return await verdict
        except SagevalError:
            raise
        except (Exception, SystemExit) as error:
            raise fault(error) from error

    def guarded(subject: Subject) -> Verdict | Awaitable[Verdict]:
        try:
            verdict = check(subject)
        except SagevalError:
            raise
        except _RAISED as error:
            raise fault(error) from error
        return verdict if isinstance(verdict, Verdict) else awaited(_awaitable(verdict, name))

    return guarded


def _awaitable(made: Any, name: str) -> Awaitable[Verdict]:
    if not inspect.isawaitable(made):
        raise ScriptError(
            f"`{name}` returned {type(made).__name__}, not a Verdict", "return `decide(...)` or a `Verdict`"
        )
    return made


def model_type(name: str) -> Callable[[Class], Class]:
    """Decorator: registers a class with `body(prompt, sampling, content_type)` and `read(document)` as a model type."""

    def register(made: Class) -> Class:
        file = getattr(sys.modules.get(made.__module__), "__file__", None)
        FORMATS.register(name)(_GuardedFormat(made(), name, file))
        return made

    return register


class _GuardedFormat:
    """A plugin's format, whose exceptions are errors of the case."""

    def __init__(self, inner: Format, name: str, file: str | None) -> None:
        self._inner = inner
        self._name = name
        self._file = file
        self.__doc__ = type(inner).__doc__

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        body: bytes = self._called(lambda: self._inner.body(prompt, sampling, content_type), bytes, FormatError)
        return body

    def read(self, document: Json) -> Reading:
        reading: Reading = self._called(lambda: self._inner.read(document), Reading, ExtractionError)
        return reading

    def _called(self, call: Callable[[], Any], kind: type, fault: type[CaseError]) -> Any:
        try:
            made = call()
        except SagevalError:
            raise
        except _RAISED as error:
            place = raised_at(error, self._file)
            raise fault(f"model type `{self._name}`: {place} raised {told(error)}", "correct the plugin") from error
        if not isinstance(made, kind):
            raise fault(f"model type `{self._name}` returned {type(made).__name__}, not {kind.__name__}")
        return made
