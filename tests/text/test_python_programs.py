"""Python files that print the prompt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, Place, UserCode
from sagemaker_eval.text.python_programs import compile_prompt_function

CONTEXT = {"vars": {"x": "é \n\0 {{y}}"}, "provider": {"id": "echo", "label": ""}, "config": {"k": 1}}
WHERE = Place("sageval.yaml", 3, 5)


def compiled(folder: Path, source: str, seconds: float = 30.0) -> Json:
    (folder / "prompt.py").write_text(source)
    return compile_prompt_function(UserCode("file://prompt.py", str(folder), WHERE), seconds)


def failure(folder: Path, source: str, seconds: float = 30.0) -> ScriptError:
    with pytest.raises(ScriptError) as caught:
        compiled(folder, source, seconds).call(CONTEXT)
    assert caught.value.hint
    return caught.value


def test_it_gets_the_context_as_json_and_prints_the_prompt(tmp_path: Path) -> None:
    program = compiled(
        tmp_path,
        "import json, sys\nc = json.loads(sys.argv[1])\nprint('é', repr(c['vars']['x']), c['provider'], c['config'])\n",
    )
    expected = "é 'é \\n\\x00 {{y}}' {'id': 'echo', 'label': ''} {'k': 1}"

    assert program.call(CONTEXT) == expected
    assert asyncio.run(program.acall(CONTEXT)) == expected


def test_newlines_around_the_prompt_are_off_and_those_inside_stay(tmp_path: Path) -> None:
    assert compiled(tmp_path, "print('\\n a\\n\\nb \\n')").call(CONTEXT) == " a\n\nb "


def test_neighbours_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "words.py").write_text("GREETING = 'Hello'")

    assert compiled(tmp_path, "import words\nprint(words.GREETING)").call(CONTEXT) == "Hello"


def test_what_is_written_beside_the_prompt_does_not_matter(tmp_path: Path) -> None:
    assert compiled(tmp_path, "import sys\nprint('a')\nsys.stderr.write('warning')").call(CONTEXT) == "a"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("print('x')\nraise ValueError('bad input')", "prompt function: `prompt.py:2` raised ValueError: bad input"),
        ("import json\njson.loads('{')", "`prompt.py:2` raised json.decoder.JSONDecodeError"),
        ("raise SystemExit(4)", "`prompt.py` ended with status 4"),
        ("raise SystemExit('no key')", "`prompt.py` ended with status 1: no key"),
        ("def create(context): ...", "`prompt.py` printed nothing"),
        ("import sys; sys.stdout.buffer.write(b'a\\xff')", "`prompt.py` printed what is not UTF-8 (byte 1)"),
    ],
)
def test_failures_name_the_file_and_the_line(tmp_path: Path, source: str, message: str) -> None:
    assert message in failure(tmp_path, source).message


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    endless = "while True: pass"

    assert failure(tmp_path, endless, 0.2).message == "prompt function: `prompt.py` did not end within 0.2 s"
    with pytest.raises(ScriptError, match="did not end"):
        asyncio.run(compiled(tmp_path, endless, 0.2).acall(CONTEXT))


def test_a_context_that_is_too_long_for_an_argument_is_told(tmp_path: Path) -> None:
    program = compiled(tmp_path, "print('x')")

    with pytest.raises(ScriptError, match="cannot be started"):
        asyncio.run(program.acall({"vars": {"x": "x" * 10_000_000}}))


@pytest.mark.parametrize(
    ("source", "message"), [("print('a'\nx =", "`prompt.py:1` is not valid Python"), ("a\0", "is not valid Python")]
)
def test_a_file_that_is_not_python_is_refused_before_the_run(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compiled(tmp_path, source)

    assert message in caught.value.problems[0].message
    assert caught.value.problems[0].where == WHERE


def test_a_named_function_is_called_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text("def create(context): return f\"Hello {context['vars']['name']}\"")
    (tmp_path / "p.js").write_text("module.exports = ({vars}) => `Hello ${vars.name}`;")

    for reference in ("file://p.py:create", "file://p.js"):
        function = compile_prompt_function(UserCode(reference, str(tmp_path), WHERE))
        assert function.call({"vars": {"name": "Ada"}}) == "Hello Ada"
