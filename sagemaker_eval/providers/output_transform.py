"""The output transform: the user's code that makes another output of an answer's, before it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sagemaker_eval.errors import ScriptError
from sagemaker_eval.model import Json, Response, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED

ROLE = Role("transform", ("output", "context"), python_function="get_transform")


class OutputTransform:
    """A compiled output transform."""

    def __init__(self, code: Code) -> None:
        self._code = code

    async def __call__(self, response: Response, context: Mapping[str, Json]) -> Response:
        """The response with what the code makes of its output. Raises `ScriptError`."""
        made = await self._code.acall(response.output, dict(context))
        if made is None or made is UNDEFINED:
            raise ScriptError("the transform returned nothing", "return the output to judge")
        return replace(response, output=made)


def compile_output_transform(code: UserCode) -> OutputTransform:
    """The transform, compiled. Raises `ConfigError` for code that cannot be loaded."""
    return OutputTransform(compile_code(code, ROLE))
