"""The user's code in both languages, inline and from files, behind one interface."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, Place, UserCode
from sagemaker_eval.text.code import Role, compile_code, is_python
from sagemaker_eval.text.javascript.script import UNDEFINED

ROLE = Role("transform", ("output", "context"), javascript_function="transform")
PLACE = Place("config.yaml", pointer=("providers", 0))
CONTEXT = {"vars": {"topic": "rain", "list": [1]}}


def run(source: str, *arguments: Json, base: Path | str = ".") -> Json:
    return compile_code(UserCode(source, str(base)), ROLE).call(*(arguments or ("hello", CONTEXT)))


def refused(source: str, role: Role = ROLE, base: Path | str = ".") -> str:
    with pytest.raises(ConfigError) as raised:
        compile_code(UserCode(source, str(base), PLACE), role)
    (problem,) = raised.value.problems
    assert problem.where is not None
    assert problem.hint
    return problem.message


def failed(source: str, base: Path | str = ".") -> str:
    with pytest.raises(ScriptError) as raised:
        run(source, base=base)
    assert raised.value.hint
    return raised.value.message


@pytest.mark.parametrize(
    "source",
    [
        "output.toUpperCase()",
        "output.toUpperCase();",
        "return output.toUpperCase()",
        "(output, context) => output.toUpperCase()",
        "function (text) { return text.toUpperCase() }",
        "const text = output;\nreturn text.toUpperCase();\n",
        "`${output?.toUpperCase()}`",
        "output.replace(/[a-z]/g, c => c.toUpperCase())",
        "try { return missing } catch { return output.toUpperCase() }",
        "python: output.upper()",
        "python:output.upper()",
        "  python: output.upper()\n",
        "python: return output.upper()",
        "python: text = output; text.upper()",
        "python: lambda output: output.upper()",
        "python: lambda text, context: text.upper()",
        "python:\ntext = output\nreturn text.upper()\n",
        "python:\n    text = output\n    return text.upper()\n",
        "python: if output:\n    return output.upper()\n",
        "python:\nimport re\nMARK = re.compile('.*')\ndef shout(text):\n    return MARK.match(text)[0].upper()\n",
        "python:\nasync def shout(output, context):\n    return output.upper()\n",
        "python:\nimport asyncio\nawait asyncio.sleep(0)\nreturn output.upper()\n",
    ],
)
def test_every_form_of_inline_code_says_the_same(source: str) -> None:
    code = compile_code(UserCode(source), ROLE)
    assert code.call("hello", CONTEXT) == "HELLO"
    assert asyncio.run(code.acall("hello", CONTEXT)) == "HELLO"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.js", "module.exports = (output, context) => output + context.vars.topic"),
        ("x.js:a.b", "module.exports = { a: { b: (output, context) => output + context.vars.topic } }"),
        ("x.js", "exports.transform = (output, context) => output + context.vars.topic"),
        ("x.cjs:f", "exports.f = (output, context) => output + context.vars.topic"),
        ("x.mjs", "export default (output, context) => output + context.vars.topic"),
        ("x.mjs:f", "export async function f(output, context) { return output + context.vars.topic }"),
        ("x.py", "def get_transform(output, context):\n    return output + context['vars']['topic']\n"),
        ("x.py:f", "def f(output, context, more=None):\n    return output + context['vars']['topic']\n"),
        ("x.py:f", "async def f(output, context):\n    return output + context['vars']['topic']\n"),
        (
            "x.py:A.f",
            "class A:\n    @staticmethod\n    def f(*all):\n        return all[0] + all[1]['vars']['topic']\n",
        ),
    ],
)
def test_files_of_both_languages(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name.split(":")[0]).write_text(content)
    assert run(f"file://{name}", base=tmp_path) == "hellorain"
    assert run(f" file://{tmp_path}/{name}\n") == "hellorain"


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("python: 1", True),
        ("file://x.py", True),
        ("file://x.PY:fn", True),
        ("file://a.py:b/x.js", False),
        ("file://x.js:py", False),
        ("output.py", False),
    ],
)
def test_which_language_code_is_in(source: str, python: bool) -> None:
    assert is_python(source) is python


@pytest.mark.parametrize(
    ("parameters", "passed"),
    [("", []), ("a", ["hello"]), ("a, b=None", ["hello", CONTEXT]), ("*a", ["hello", CONTEXT])],
)
def test_a_function_is_called_with_as_much_as_it_takes(parameters: str, passed: Json) -> None:
    assert run(f"python:\ndef f({parameters}):\n    return list(locals().values())\n") in (passed, [passed])


@pytest.mark.parametrize("parameters", ["a, b, c", "*, a"])
def test_a_function_that_takes_other_arguments_is_refused(parameters: str) -> None:
    assert refused(f"python: lambda {parameters}: 1") == "the function `<lambda>` cannot be called as the transform"


def test_a_role_may_demand_arguments() -> None:
    assert refused("python: lambda: 1", Role("filter", ("value",), least=1))


def test_four_arguments_reach_a_variables_function() -> None:
    role = Role("variable", ("varName", "prompt", "vars", "provider"), "get_var")
    code = compile_code(UserCode("python: lambda name, prompt, vars, provider: [name, prompt, vars, provider]"), role)
    assert code.call("a", "b", {}, {"id": "echo"}) == ["a", "b", {}, {"id": "echo"}]


@pytest.mark.parametrize(
    "source",
    [
        "python:\noutput['a'].append(2)\ncontext['vars']['list'].clear()\nreturn output",
        "output.a.push(2); context.vars.list.pop(); return output",
    ],
)
def test_code_gets_copies(source: str) -> None:
    output = {"a": [1]}
    assert run(source, output, CONTEXT) == {"a": [1, 2]}
    assert output == {"a": [1]}
    assert CONTEXT["vars"]["list"] == [1]


def test_what_returns_nothing() -> None:
    assert run("python: None") is None
    assert run("undefined") is UNDEFINED
    assert run("null") is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("python: 1 / 0", "transform: the code raised ZeroDivisionError: division by zero"),
        (
            "python:\nx = 1\nreturn context['no']\n",
            "transform: line 3 of the code raised KeyError: 'no'",
        ),
        (
            "python:\nx = [\n  1,\n]\nreturn x[4]",
            "transform: line 5 of the code raised IndexError: list index out of range",
        ),
        ("python: raise SystemExit(3)", "transform: the code raised SystemExit: 3"),
        ("python: {1, 2}", "transform: the function returned what is not JSON: a value of type `set`"),
        ("python:\nawait context['no']\nreturn 1", "transform: line 2 of the code raised KeyError: 'no'"),
        ("missing.x", "transform: the code raised ReferenceError: missing is not defined"),
        (
            "let x = 1;\nreturn x.y.z",
            "transform: line 2 of the code raised TypeError: cannot read property 'z' of undefined",
        ),
    ],
)
def test_a_failure_names_role_and_line(source: str, message: str) -> None:
    assert failed(source) == message


def test_a_failing_file_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("async def get_transform(output):\n    raise ValueError('no')\n")
    (tmp_path / "x.js").write_text("module.exports = () => {\n  throw new Error('no');\n}\n")
    assert failed("file://x.py", tmp_path) == "transform: `x.py:2` raised ValueError: no"
    assert failed("file://x.js", tmp_path) == "transform: `x.js:2` raised Error: no"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("python:", "the code is empty"),
        ("python:\n# nothing\n", "the code is empty"),
        ("", "the code is empty"),
        ("python: a b", "the code is not valid Python: invalid syntax, at column 3"),
        ("python:\nx = 1\nreturn = 2", "line 3 of the code is not valid Python: invalid syntax, at column 8"),
        ("python:\nif output:\n  return 1\nbreak", "line 4 of the code is not valid Python: 'break' outside loop"),
        ("python: x = 1", "the code never returns anything"),
        ("python:\nfor x in output:\n    lambda: 1\n", "the code never returns anything"),
        ("python: '\ud800'", "the code is not valid Python: "),
        ("python: " + "(" * 300, "the code is not valid Python: "),
        ("python:\nimport no_such_module_here\ndef f(): pass", "line 2 of the code raised ModuleNotFoundError: "),
        ("file://x.ts", "`file://x.ts`: TypeScript is not yet supported"),
        ("file://x.rb", "`file://x.rb` is neither a Python nor a JavaScript file"),
        ("file://no.py", "the script `no.py` does not exist"),
        ("file://no.js", "the script `no.js` does not exist"),
    ],
)
def test_what_cannot_be_run_is_found_at_once(source: str, message: str) -> None:
    assert refused(source).startswith(message)


def test_an_async_function_cannot_be_waited_for_within_an_event_loop() -> None:
    code = compile_code(UserCode("python:\nasync def f(output):\n    return output\n"), ROLE)

    async def called() -> Json:
        return code.call("x")

    with pytest.raises(ScriptError) as raised:
        asyncio.run(called())
    assert raised.value.message == "transform: the function is async, and nothing can wait for it here"


def test_equal_inline_code_is_compiled_once() -> None:
    first, second = (compile_code(UserCode("output.length", where=Place(name)), ROLE) for name in ("a", "b"))
    assert first is second


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    for text in ("one", "another"):
        (tmp_path / "x.js").write_text(f"module.exports = () => '{text}'")
        assert run("file://x.js", base=tmp_path) == text
