"""A Python function of the user in its role: called with what it takes, its result checked."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json
from sagemaker_eval.text.python_values import NotJson, as_argument, to_json_value
from sagemaker_eval.text.scripts import acall, call, positional_arguments

_MOST_REST = 16
"""How many arguments `...args` stands for at most."""


class PythonCode:
    """A function, called with the first of its role's `parameters`: as many as it takes. The last may be `...args`.

    Its arguments are copies that it may change; what it returns is checked to be JSON. `name` is its role. Raises
    `ConfigError` without a place for a function that cannot be called with these arguments, by position.
    """

    def __init__(self, function: Callable[..., Any], name: str, parameters: tuple[str, ...], least: int = 0) -> None:
        self._function = function
        self._name = name
        most = len(parameters) + (_MOST_REST if parameters and parameters[-1].startswith("...") else 0)
        accepted = positional_arguments(function, most)
        if max(accepted, default=-1) < least:
            raise ConfigError.of(
                f"the function `{getattr(function, '__name__', function)}` cannot be called as the {name}",
                hint=f"it is called with `({', '.join(parameters)})`, by position: give it these parameters, or fewer",
            )
        self._count = max(accepted)

    def call(self, *arguments: Json) -> Json:
        """What it returns, waited for. Raises `ScriptError`, as it does for what has to wait for the running loop."""
        made = call(self._function, *self._passed(arguments), what=self._name)
        if inspect.isawaitable(made):
            made = self._waited_for(made)
        return self._checked(made)

    async def acall(self, *arguments: Json) -> Json:
        """What it returns; other tasks go on where it is async. Raises `ScriptError`."""
        made = await acall(self._function, *self._passed(arguments), what=self._name)
        return self._checked(made)

    def _passed(self, arguments: tuple[Json, ...]) -> list[Json]:
        return [as_argument(argument) for argument in arguments[: self._count]]

    def _waited_for(self, made: Awaitable[Any]) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(acall(lambda: made, what=self._name, raised_by=self._function))
        if inspect.iscoroutine(made):
            made.close()
        raise ScriptError(
            "the function is async, and nothing can wait for it here",
            hint="define it with `def` instead of `async def`",
        )

    def _checked(self, made: Any) -> Json:
        try:
            return to_json_value(made)
        except NotJson as error:
            raise ScriptError(f"the function returned what is not JSON: {error}", error.advice) from error
