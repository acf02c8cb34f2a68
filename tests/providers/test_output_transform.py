"""Output transforms: the user's code makes another output of an answer's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, Place, Response, Timings, TokenUsage, UserCode
from sagemaker_eval.providers.output_transform import compile_output_transform

ANSWER = Response({"text": " tea ", "n": 2}, raw="RAW", usage=TokenUsage(3, 1), timings=Timings(wire=5.0))
CONTEXT = {"vars": {"name": "Bob"}, "prompt": {"raw": "Hi", "label": "greeting"}, "metadata": {"model": "x"}}


def transformed(source: str, base_path: Path = Path(), response: Response = ANSWER) -> Response:
    transform = compile_output_transform(UserCode(source, str(base_path), Place("run.yaml", 4)))
    return asyncio.run(transform(response, CONTEXT))


@pytest.mark.parametrize(
    ("source", "output"),
    [
        ("output.text.trim()", "tea"),
        ("const n = output.n\nreturn n + 1", 3),
        ("(output, context) => context.vars.name", "Bob"),
        ("function f(output) { return [output.n] }", [2]),
        ("output => ({...output, label: context.prompt.label})", {"text": " tea ", "n": 2, "label": "greeting"}),
        ("context.metadata.model", "x"),
        ("false", False),
        ("''", ""),
    ],
)
def test_javascript_in_place(source: str, output: Json) -> None:
    assert transformed(source).output == output


def test_all_but_the_output_stays_as_it_was() -> None:
    response = transformed("output.n")
    assert (response.raw, response.usage, response.timings) == (ANSWER.raw, ANSWER.usage, ANSWER.timings)


@pytest.mark.parametrize(
    ("name", "text", "suffix"),
    [
        ("t.js", "module.exports = (output, context) => output.n + context.vars.name", ""),
        ("t.js", "module.exports = {pick: output => output.n + 'Bob'}", ":pick"),
        ("t.py", "def get_transform(output, context):\n    return f\"{output['n']}{context['vars']['name']}\"", ""),
        ("t.py", "async def pick(output):\n    return f\"{output['n']}Bob\"", ":pick"),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, suffix: str) -> None:
    (tmp_path / name).write_text(text)
    assert transformed(f"file://{name}{suffix}", tmp_path).output == "2Bob"


@pytest.mark.parametrize("source", ["null", "undefined", "() => {}", "output.missing"])
def test_nothing_is_an_error_that_keeps_the_response(source: str) -> None:
    with pytest.raises(ScriptError, match=r"^the transform returned nothing$") as caught:
        transformed(source)
    assert caught.value.response is ANSWER


def test_an_exception_names_the_transform_and_the_line() -> None:
    with pytest.raises(ScriptError, match=r"^transform: line 2 of the code.*no tea") as caught:
        transformed("const n = 1\nthrow new Error('no tea')")
    assert caught.value.response is ANSWER


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("{1, 2}", "transform: the function returned what is not JSON: a value of type `set`"),
        ("float('inf')", "transform: the function returned what is not JSON: infinity"),
    ],
)
def test_what_json_cannot_hold_is_an_error(tmp_path: Path, returned: str, message: str) -> None:
    (tmp_path / "t.py").write_text(f"def get_transform(output, context):\n    return {returned}\n")
    with pytest.raises(ScriptError) as caught:
        transformed("file://t.py", tmp_path)
    assert caught.value.message.startswith(message)


def test_no_number_is_an_error() -> None:
    with pytest.raises(ScriptError, match=r"^the transform returned a number that JSON does not have: nan$"):
        transformed("output.n / 'tea'")


def test_tuples_are_lists(tmp_path: Path) -> None:
    (tmp_path / "t.py").write_text("def get_transform(output, context):\n    return (1, 2)\n")
    assert transformed("file://t.py", tmp_path).output == [1, 2]


def test_code_that_cannot_be_read_is_found_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        transformed("output +")
    assert caught.value.problems[0].where is not None and caught.value.problems[0].where.line == 4


def test_it_may_go_by_another_name() -> None:
    code: Any = UserCode("null")
    with pytest.raises(ScriptError, match=r"^the responseTransform returned nothing$"):
        asyncio.run(compile_output_transform(code, "responseTransform")(ANSWER, CONTEXT))
