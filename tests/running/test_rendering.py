"""From a case to its prompt: code among the variables, prompt functions, prefix and suffix."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Case, Column, Json, Prompt, ProviderSpec, Row, TestCase, UserCode
from sagemaker_eval.running.rendering import Rendered, Renderer
from sagemaker_eval.text.templating.templates import Templates


def case(prompt: Prompt, vars: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Case:
    test = TestCase(vars=vars, options=options or {})
    return Case(0, Row(0, test, 0, vars), Column(0, ProviderSpec("echo", "echo", label="Mirror"), prompt))


def template(raw: str, **more: Any) -> Prompt:
    return Prompt(raw, raw, raw, **more)


def rendered(prompt: Prompt, vars: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> Rendered:
    return asyncio.run(Renderer(Templates()).render(case(prompt, vars, options)))


def inline(source: str) -> UserCode:
    return UserCode(source)


def test_prefix_and_suffix_stand_round_the_template() -> None:
    found = rendered(template("{{q}}"), {"q": "why"}, {"prefix": "Answer {{q}}: ", "suffix": "?"})
    assert found.prompt == "Answer why: why?"


def test_code_of_a_variable_sees_its_name_the_prompt_and_the_variables_before_it() -> None:
    code = inline("({output: varName + ' ' + prompt.length + ' ' + vars.a + ' ' + provider.label})")
    found = rendered(template("{{b}}"), {"a": "1", "b": code})
    assert found.prompt == "b 5 1 Mirror"
    assert found.resolved == {"a": "1", "b": "b 5 1 Mirror"}


def test_code_of_a_variable_in_python_returns_an_output_too(tmp_path: Path) -> None:
    (tmp_path / "v.py").write_text(
        "def get_var(name, prompt, vars):\n    return {'output': ' ' + name.upper() + ' '}\n"
    )
    assert rendered(template("<{{b}}>"), {"b": UserCode("file://v.py", str(tmp_path))}).prompt == "<B>"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("({error: 'no such city'})", "variable `v`: no such city"),
        ("null", "the code of variable `v` returned nothing"),
    ],
)
def test_code_of_a_variable_that_gives_no_value_is_an_error_of_the_case(code: str, message: str) -> None:
    with pytest.raises(CaseError, match=message):
        rendered(template("{{v}}"), {"v": inline(code)})


@pytest.mark.parametrize(
    ("code", "prompt"),
    [
        ("'Hi ' + context.vars.q", "Hi why"),
        ("({prompt: 'From ' + context.provider.label, config: {x: 1}})", "From Mirror"),
        ("['a', {b: context.config.k}]", '[\n  "a",\n  {\n    "b": "v"\n  }\n]'),
        ("'{{ q | upper }}'", "WHY"),
    ],
)
def test_what_a_prompt_function_returns_is_rendered_like_any_prompt(code: str, prompt: str) -> None:
    made = rendered(template("f.js", function=inline(code), config={"k": "v"}), {"q": "why"})
    assert made.prompt == prompt


def test_a_prompt_function_adds_to_the_config_of_its_prompt() -> None:
    code = inline("({prompt: 'p', config: {x: 1}})")
    assert rendered(template("f", function=code, config={"k": "v"}), {}, {"t": 0}).config == {"k": "v", "x": 1, "t": 0}


@pytest.mark.parametrize("code", ["null", "42", "undefined", "true"])
def test_a_prompt_function_has_to_return_a_prompt(code: str) -> None:
    with pytest.raises(CaseError, match="prompt function `f` returned"):
        rendered(template("f", function=inline(code)), {})


def test_a_prefix_that_breaks_the_template_is_found_before_the_run() -> None:
    test = TestCase(options={"prefix": "{% if %}"})
    with pytest.raises(ConfigError):
        Renderer(Templates()).check_test(test, [template("x")])


@pytest.mark.parametrize(
    ("raw", "options", "converses"),
    [
        ("{% for turn in _conversation %}{{turn.output}}{% endfor %}", {}, True),
        ("{% for turn in _conversation %}{{turn.output}}{% endfor %}", {"disableConversationVar": True}, True),
        ("the word _conversation alone", {}, False),
    ],
)
def test_a_prompt_that_uses_the_conversation_takes_part_in_it(raw: str, options: Json, converses: bool) -> None:
    assert Renderer(Templates()).converses(case(template(raw), {}, options)) is converses
