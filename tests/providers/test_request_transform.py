"""What a provider's `transform` makes of a prompt: text, a whole body, or an error of the case."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Call, Json, Place, ProviderSpec, SageMakerOptions, UserCode
from sagemaker_eval.providers.request_transform import compile_transform

CALL = Call("Hi Bob", {"name": "Bob"}, label="greeting")

BODY = """
module.exports = function(prompt, context) {
  return {
    inputs: prompt,
    parameters: {
      max_new_tokens: context.config?.maxTokens || 256,
      temperature: context.config?.temperature || 0.7,
    }
  };
};
"""


def spec(source: str | None, base_path: Path = Path(), written: dict[str, Json] | None = None) -> ProviderSpec:
    code = None if source is None else UserCode(source, str(base_path), Place("s.yaml", 4, 5))
    options = SageMakerOptions("e", transform=code, base_path=str(base_path), written=written or {})
    return ProviderSpec("sagemaker:e", "sagemaker", "Mine", options)


def transformed(*arguments: Any) -> Json:
    transform = compile_transform(spec(*arguments))
    assert transform is not None
    return asyncio.run(transform(CALL))


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ("// a remark\nreturn `<s>[INST] ${prompt} [/INST]`", "<s>[INST] Hi Bob [/INST]"),
        ("(prompt) => prompt.toUpperCase()", "HI BOB"),
        ("prompt + '!'", "Hi Bob!"),
        ("context.vars.name + '/' + context.prompt.label + '/' + context.provider.label", "Bob/greeting/Mine"),
        ("[{role: 'user', content: prompt}]", '[{"role":"user","content":"Hi Bob"}]'),
        ("({inputs: prompt})", {"inputs": "Hi Bob"}),
        ("prompt.length", "6"),
    ],
)
def test_javascript_in_place(source: str, sent: Json) -> None:
    assert transformed(source) == sent


def test_a_javascript_file_sees_the_config_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "transform.js").write_text(BODY)
    made = transformed("file://transform.js", tmp_path, {"maxTokens": 9})
    assert made == {"inputs": "Hi Bob", "parameters": {"max_new_tokens": 9, "temperature": 0.7}}


@pytest.mark.parametrize("head", ["def get_transform(prompt, context)", "async def get_transform(prompt, context)"])
def test_a_python_file(tmp_path: Path, head: str) -> None:
    (tmp_path / "t.py").write_text(f"{head}:\n    return context['vars']['name'] + ': ' + prompt\n")
    assert transformed("file://t.py", tmp_path) == "Bob: Hi Bob"


def test_a_function_of_a_python_file_that_wants_the_prompt_alone(tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("def loud(prompt):\n    return prompt.upper()\n")
    assert transformed("file://t.py:loud", tmp_path) == "HI BOB"


@pytest.mark.parametrize("source", ["(prompt) => {}", "null", "return undefined"])
def test_nothing_is_never_sent_as_a_prompt(source: str) -> None:
    with pytest.raises(ScriptError, match="the transform returned nothing"):
        transformed(source)


def test_what_the_code_raises_is_an_error_of_the_case() -> None:
    with pytest.raises(ScriptError, match=r"^transform: .*no such model"):
        transformed("throw new Error('no such model')")


def test_code_that_cannot_be_read_is_found_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_transform(spec("return prompt +"))
    assert caught.value.problems[0].where == Place("s.yaml", 4, 5)


def test_no_transform_is_none() -> None:
    assert compile_transform(spec(None)) is None
