"""Assertions on whether calls of functions fit their definitions: is-valid-openai-tools-call and its relatives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, shortened
from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json
from sagemaker_eval.assertions.json_schema.schemas import schema_of
from sagemaker_eval.assertions.time_limits import in_time
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import (
    AssertionSpec,
    CustomOptions,
    Json,
    ProviderSpec,
    Verdict,
    compact_json,
)

_Functions = Mapping[str, Json]
"""The definitions of functions by name."""
_Calls = Sequence[Mapping[str, Json]]


@ASSERTIONS.register("is-valid-openai-tools-call")
def is_valid_openai_tools_call(spec: AssertionSpec) -> Check:
    """The output is a list of OpenAI tool calls that fit the tools: those in `value`, else the provider's `tools`."""
    return _valid(
        spec, "tools", _tool_calls, "a list of tool calls, each with `function.name` and `function.arguments`"
    )


@ASSERTIONS.register("is-valid-openai-function-call")
def is_valid_openai_function_call(spec: AssertionSpec) -> Check:
    """The output is a function call that fits the functions: those in `value`, else the provider's `functions`."""
    return _valid(spec, "functions", _function_call, "an object with `name` and `arguments`")


@ASSERTIONS.register("is-valid-function-call")
def is_valid_function_call(spec: AssertionSpec) -> Check:
    """The output is a function call that fits the functions: those in `value`, else the provider's `functions`."""
    return _valid(spec, "functions", _function_call, "an object with `name` and `arguments`")


def _valid(spec: AssertionSpec, key: str, calls_in: Callable[[Json], _Calls], shape: str) -> Check:
    """The check of one shape of calls; `key` is where the configuration of a provider defines the functions."""
    if spec.negated:
        hint = f"write `{spec.kind}`, or say what is expected with `javascript`"
        raise ConfigError.of(f"`{spec.type}` has no meaning: promptfoo ignores its `not-`", hint=hint)
    own = None if spec.value is None else _defined(spec, spec.value)

    def check(subject: Subject) -> Verdict | Awaitable[Verdict]:
        calls = calls_in(_document(subject.response.output))
        if not calls:
            return Verdict(False, 0.0, f"Expected output to be {shape}; it is `{shortened(subject.text)}`", spec)
        functions = own if own is not None else _of_provider(spec, subject.provider, key)
        if not functions:
            reason = f"Nothing defines what may be called: neither the `value` nor `{key}` of the provider"
            return Verdict(False, 0.0, reason, spec)
        return in_time(lambda deadline: _judged(spec, calls, functions, deadline), "whether the calls are valid")

    return check


def _judged(spec: AssertionSpec, calls: _Calls, functions: _Functions, deadline: float) -> Verdict:
    for call in calls:
        if fault := _fault(call, functions, deadline):
            return Verdict(False, 0.0, f"Expected valid calls; {fault}", spec)
    return Verdict(True, 1.0, PASSED, spec)


def _fault(call: Mapping[str, Json], functions: _Functions, deadline: float) -> str | None:
    """What is wrong with a call, None where nothing is. Raises `TooSlow` at `deadline`."""
    name = call["name"]
    if name not in functions:
        return f"`{name}` is called, which is not among {', '.join(f'`{one}`' for one in functions)}"
    try:
        arguments = parse_json(call["arguments"])
    except NotJson:
        return f"the arguments of `{name}` are not JSON: `{shortened(call['arguments'])}`"
    except RecursionError:
        raise CaseError(f"the arguments of `{name}` are nested too deeply to be judged") from None
    parameters = functions[name].get("parameters")
    problems = [] if parameters is None else schema_of(parameters).problems(arguments, deadline)
    return f"the arguments of `{name}` do not fit: {'; '.join(problems)}" if problems else None


def _document(output: Json) -> Json:
    """An output as it is, or the JSON that it is as text."""
    if isinstance(output, str):
        with suppress(NotJson, RecursionError):
            return parse_json(output)
    return output


def _tool_calls(document: Json) -> _Calls:
    """The calls of a message or of a list, empty where any of them is none."""
    calls = document.get("tool_calls") if isinstance(document, dict) else document
    if not isinstance(calls, list):
        return ()
    functions = [call["function"] for call in calls if isinstance(call, dict) and _is_call(call.get("function"))]
    return functions if len(functions) == len(calls) else ()


def _function_call(document: Json) -> _Calls:
    return (document,) if _is_call(document) else ()


def _is_call(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and isinstance(value.get("arguments"), str)


def _of_provider(spec: AssertionSpec, provider: ProviderSpec, key: str) -> _Functions:
    """The functions that the configuration of a provider in Python defines. Raises `CaseError` for broken ones."""
    if not isinstance(provider.options, CustomOptions):
        return {}
    try:
        return _defined(spec, provider.options.config.get(key) or [])
    except ConfigError as error:
        raise CaseError(f"`{key}` of the provider: {error.problems[0].message}", error.problems[0].hint) from error


def _defined(spec: AssertionSpec, value: Json) -> _Functions:
    """The definitions of a list of tools or of functions. Raises `ConfigError`, for a broken schema too."""
    functions: dict[str, Json] = {}
    for one in value if isinstance(value, list) else [value]:
        function = one.get("function", one) if isinstance(one, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            hint = "for example `[{name: get_weather, parameters: {type: object}}]`"
            raise ConfigError.of(f"`{spec.type}` needs definitions of functions: `{compact_json(one)}`", hint=hint)
        if function.get("parameters") is not None:
            schema_of(function["parameters"])
        functions[function["name"]] = function
    return functions
