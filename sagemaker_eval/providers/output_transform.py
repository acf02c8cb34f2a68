"""Output transforms: the user's code that makes of a provider's output what is judged and shown.

The code gets the provider's value, not its text, and may return any JSON value. Nothing and an exception are errors of
the case: the output is never judged untransformed. A function that is written in place is called; promptfoo would
lose the output there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from typing import Any

from sagemaker_eval.errors import ScriptError
from sagemaker_eval.model import Json, Response, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED

_PARAMETERS = ("output", "context")
_HINT = "return the output to judge: text, a number, a list or a map"


class OutputTransform:
    """The compiled code of one transform; `name` is the configuration's word for it."""

    def __init__(self, code: Code, name: str = "transform") -> None:
        self._code = code
        self._name = name

    async def __call__(self, response: Response, context: Mapping[str, Json]) -> Response:
        """The response with the transformed output, everything else as it was.

        `context` is {vars, prompt: {label, raw}, metadata}. Raises `ScriptError`, which carries the response.
        """
        try:
            return replace(response, output=self._checked(await self._code.acall(response.output, dict(context))))
        except ScriptError as error:
            error.response = error.response or response
            raise

    def _checked(self, made: Any) -> Json:
        if made is None or made is UNDEFINED:
            raise ScriptError(f"the {self._name} returned nothing", _HINT)
        if isinstance(made, float) and not isfinite(made):
            raise ScriptError(f"the {self._name} returned a number that JSON does not have: {made}", _HINT)
        return made


def compile_output_transform(code: UserCode, name: str = "transform") -> OutputTransform:
    """The transform that the user wrote. Raises `ConfigError` for code that cannot be loaded."""
    return OutputTransform(compile_code(code, Role(name, _PARAMETERS)), name)
