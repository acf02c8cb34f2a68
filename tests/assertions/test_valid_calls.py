"""What is-valid-openai-tools-call and its relatives say of an output."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.assertions.base import ASSERTIONS, Subject
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import (
    AssertionSpec,
    CustomOptions,
    Json,
    Prompt,
    ProviderSpec,
    Response,
    TestCase,
    UserCode,
    Verdict,
)

Judged = Callable[..., Verdict]
WEATHER = {
    "name": "weather",
    "parameters": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
}
TOOLS = [{"type": "function", "function": WEATHER}]
FUNCTION_KINDS = ["is-valid-openai-function-call", "is-valid-function-call"]


def call(arguments: str = '{"city": "Rome"}', name: str = "weather") -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


def tools_call(*calls: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "function", "function": one} for one in calls]


@pytest.mark.parametrize(
    "output", [tools_call(call()), {"tool_calls": tools_call(call(), call())}, json.dumps(tools_call(call()))]
)
def test_valid_tool_calls(judged: Judged, output: Json) -> None:
    assert judged(output, "is-valid-openai-tools-call", TOOLS).passed


@pytest.mark.parametrize("kind", FUNCTION_KINDS)
@pytest.mark.parametrize("output", [call(), json.dumps(call())])
def test_valid_function_calls(judged: Judged, kind: str, output: Json) -> None:
    assert judged(output, kind, [WEATHER]).passed


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (tools_call(call(name="time")), "`time` is called, which is not among `weather`"),
        (tools_call(call("{")), "the arguments of `weather` are not JSON: `{`"),
        (tools_call(call("{}")), "the arguments of `weather` do not fit: `$` must have a property `city`"),
        (tools_call(call(), call("[]")), "the arguments of `weather` do not fit: `$` must be of type object, not []"),
        ("I call weather.", "Expected output to be a list of tool calls"),
        ([], "Expected output to be a list of tool calls"),
        ([*tools_call(call()), {"id": "x"}], "Expected output to be a list of tool calls"),
    ],
)
def test_a_failure_says_what_is_wrong(judged: Judged, output: Json, reason: str) -> None:
    verdict = judged(output, "is-valid-openai-tools-call", TOOLS)
    assert not verdict.passed and reason in verdict.reason


def verdict_of(provider: ProviderSpec) -> Verdict:
    spec = AssertionSpec("is-valid-openai-tools-call")
    response = Response(tools_call(call()))
    prompt = Prompt("", "", "")
    verdict = ASSERTIONS.get(spec.kind)(spec)(
        Subject(response.text, None, "", {}, TestCase(), prompt, provider, response)
    )
    assert isinstance(verdict, Verdict)
    return verdict


def test_the_tools_may_be_those_of_the_provider() -> None:
    options = CustomOptions(UserCode("file://mine.py"), {"tools": TOOLS})
    assert verdict_of(ProviderSpec("file://mine.py", "python", options=options)).passed


def test_without_definitions_no_call_is_valid() -> None:
    verdict = verdict_of(ProviderSpec("echo", "echo"))
    assert (verdict.passed, verdict.score) == (False, 0.0)
    assert verdict.reason == "Nothing defines what may be called: neither the `value` nor `tools` of the provider"


def test_broken_definitions_of_the_provider_decide_nothing() -> None:
    options = CustomOptions(UserCode("file://mine.py"), {"tools": [{"type": "function"}]})
    with pytest.raises(CaseError, match=r"`tools` of the provider: .* needs definitions of functions"):
        verdict_of(ProviderSpec("file://mine.py", "python", options=options))


@pytest.mark.parametrize(
    "value", [5, ["weather"], [{"parameters": {}}], [{"name": "x", "parameters": {"type": "foo"}}]]
)
def test_definitions_that_are_none_are_refused_beforehand(judged: Judged, value: Json) -> None:
    with pytest.raises(ConfigError):
        judged(call(), "is-valid-function-call", value)


@pytest.mark.parametrize("kind", ["is-valid-openai-tools-call", *FUNCTION_KINDS])
def test_there_is_no_opposite(judged: Judged, kind: str) -> None:
    with pytest.raises(ConfigError, match="has no meaning: promptfoo ignores its `not-`"):
        judged(call(), f"not-{kind}", TOOLS)
