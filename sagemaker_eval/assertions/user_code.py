"""The user's code around an assertion: what makes its value, and what changes the output for it alone."""

from __future__ import annotations

from sagemaker_eval.assertions.base import Subject
from sagemaker_eval.assertions.scripted import context_of
from sagemaker_eval.errors import ScriptError
from sagemaker_eval.model import AssertionSpec, Json, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED

VALUE = Role("value", ("output", "context"), python_function="get_assert")
TRANSFORM = Role("transform", ("output", "context"), python_function="get_transform")


class ValueCode:
    """Code whose result is the value of an assertion."""

    def __init__(self, code: UserCode) -> None:
        self._code = compile_code(code, VALUE)
        self._source = code.source

    async def __call__(self, spec: AssertionSpec, subject: Subject) -> Json:
        """The value for one case. Raises `ScriptError` for an exception and for what is a verdict, not a value."""
        made = await self._code.acall(subject.response.output, context_of(spec, subject))
        if made is None or made is UNDEFINED:
            raise ScriptError(f"`{self._source}` returned nothing", "return the value to compare the output with")
        if isinstance(made, bool) or (isinstance(made, dict) and "pass" in made):
            raise ScriptError(
                f"`{self._source}` returned a verdict where a value for `{spec.type}` is needed",
                "use the assertion type `javascript` or `python` for a check that decides by itself",
            )
        return made


def compile_transform(code: UserCode) -> Code:
    """The transform of an assertion. Raises `ConfigError`."""
    return compile_code(code, TRANSFORM)


async def transformed(transform: Code, subject: Subject) -> Json:
    """The output for one assertion. Raises `ScriptError` for an exception and where nothing comes back."""
    context = {
        "vars": dict(subject.vars),
        "prompt": {"raw": subject.prompt, "label": subject.template.label},
        "metadata": dict(subject.response.metadata),
    }
    made = await transform.acall(subject.response.output, context)
    if made is None or made is UNDEFINED:
        raise ScriptError("the transform of the assertion returned nothing", "return the output to judge")
    return made
