"""The `transform` of a provider: the user's code that makes a request of a rendered prompt, before it is sent.

What it returns decides: text is the prompt from then on, an object is the request body as it is, and a list (chat
messages) is the prompt as JSON. Nothing, a function, or an exception is an error of the case: the prompt is never sent
untransformed.
"""

from __future__ import annotations

from sagemaker_eval.errors import ScriptError
from sagemaker_eval.model import Call, Json, ProviderSpec, compact_json
from sagemaker_eval.text.code import Code, Role, compile_code
from sagemaker_eval.text.javascript.script import UNDEFINED

ROLE = Role("transform", ("prompt", "context"), python_function="get_transform")


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
        made = await self._code.acall(asked.prompt, context)
        if isinstance(made, str | dict):
            return made
        if isinstance(made, list):
            return compact_json(made)
        if made is None or made is UNDEFINED:
            raise ScriptError("the transform returned nothing", "return the prompt to send, or the request body")
        return compact_json(made)


def compile_transform(spec: ProviderSpec) -> RequestTransform | None:
    """The transform of a provider, None where it has none. Raises `ConfigError` for code that cannot be loaded."""
    code = spec.options.transform
    return None if code is None else RequestTransform(spec, compile_code(code, ROLE))
