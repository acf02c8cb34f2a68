"""JavaScript files of the user: which function is meant, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.errors import ConfigError, Problem, ScriptError
from sagemaker_eval.model import Place
from sagemaker_eval.text.javascript.script import Limits, Script, load_javascript

NO_MODULES = "modules and file access are not available"

FROM_THE_DOCUMENTATION = """\
// Transform function for formatting Llama prompts
module.exports = function(prompt, context) {
  return {
    inputs: prompt,
    parameters: {
      max_new_tokens: context.config?.maxTokens || 256,
      temperature: context.config?.temperature || 0.7,
      top_p: context.config?.topP || 0.9,
      do_sample: true
    }
  };
};
"""


def load(folder: Path, code: str, name: str = "x.js", function: str = "", default: str | None = None) -> Script:
    (folder / name).write_text(code, encoding="utf-8")
    return load_javascript(f"file://{name}{function}", str(folder), default, Limits(seconds=0.5))


def refused(folder: Path, code: str, name: str = "x.js", function: str = "") -> Problem:
    with pytest.raises(ConfigError) as raised:
        load(folder, code, name, function)
    (problem,) = raised.value.problems
    assert problem.hint
    return problem


def test_the_example_of_a_transform_in_a_file(tmp_path: Path) -> None:
    script = load(tmp_path, FROM_THE_DOCUMENTATION, "transform.js")
    assert script.call("Hello", {"config": {"maxTokens": 5}}) == {
        "inputs": "Hello",
        "parameters": {"max_new_tokens": 5, "temperature": 0.7, "top_p": 0.9, "do_sample": True},
    }
    assert script.call("Hello", {"vars": {}})["parameters"]["max_new_tokens"] == 256


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("module.exports = (x) => x + 1", ""),
        ("module.exports = async function (x) { return x + 1 }", ""),
        ("module.exports = { default: (x) => x + 1 }", ""),
        ("module.exports = { main: (x) => x + 1 }", ""),
        ("exports.main = (x) => x + 1", ""),
        ("exports.other = (x) => x + 1", ":other"),
        ("module.exports = { other(x) { return x + this.one }, one: 1 }", ":other"),
        ("module.exports = { deep: { one: 1, other(x) { return x + this.one } } }", ":deep.other"),
        ("function main(x) { return x }\nmain.other = (x) => x + 1\nmodule.exports = main", ":other"),
        ("#!/usr/bin/env node\n'use strict'\nmodule.exports = (x) => x + 1", ""),
        ("export default (x) => x + 1", ""),
        ("export default function (x) { return x + one }\nconst one = 1", ""),
        ("export default async function add(x) { return x + await one }\nconst one = await 1", ""),
        ("export default { other: (x) => x + 1 }", ":other"),
        ("export default { main: (x) => x + 1 }", ""),
        ("export function other(x) { return x + 1 }", ":other"),
        ("export const other = (x) => x + 1, one = 1", ":other"),
        ("const add = (x) => x + 1\nexport { add as other }", ":other"),
        ("export function main(x) { return x + 1 }", ""),
    ],
)
def test_the_function_that_is_meant(code: str, function: str, tmp_path: Path) -> None:
    assert load(tmp_path, code, function=function, default="main").call(1) == 2


def test_the_ending_of_a_file_says_what_it_is(tmp_path: Path) -> None:
    assert load(tmp_path, "module.exports = () => typeof module", "x.cjs").call() == "object"
    assert load(tmp_path, "export default () => typeof module", "x.mjs").call() == "undefined"
    assert "not valid" in refused(tmp_path, "export default 1", "x.cjs").message


def test_a_path_is_relative_to_the_base_and_may_hold_colons(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    assert load(tmp_path, "exports.f = () => 1", "a:b/x.js", ":f").call() == 1
    assert load_javascript(f"file://{tmp_path}/a:b/x.js:f", "/elsewhere").call() == 1


def test_a_byte_order_mark_is_no_code(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeffexport default () => 1").call() == 1


def test_a_file_is_read_once(tmp_path: Path) -> None:
    script = load(tmp_path, "module.exports = () => 'before'")
    (tmp_path / "x.js").write_text("module.exports = () => 'after'")
    assert script.call() == "before"


@pytest.mark.parametrize("export", ["module.exports =", "export default"])
def test_each_call_starts_from_nothing(export: str, tmp_path: Path) -> None:
    script = load(tmp_path, f"let calls = 0\n{export} () => ++calls")
    assert [script.call(), script.call()] == [1, 1]


# ---- what is wrong with a file


@pytest.mark.parametrize(
    ("code", "line", "column", "message"),
    [
        ("module.exports = (x) => {\n  return x + * 2\n}", 2, 14, "unexpected token in expression: '*'"),
        ("module.exports = (x) => 'é' + * 2", 1, 31, "unexpected token in expression: '*'"),
        ("export const a = 1\nexport default (x => {\n  return ]\n})", 3, 10, "unexpected token in expression: ']'"),
        ("module.exports = (x) => {\n", None, None, "it ends where more is expected"),
    ],
)
def test_broken_code_is_told_with_its_place(
    code: str, line: int | None, column: int | None, message: str, tmp_path: Path
) -> None:
    problem = refused(tmp_path, code)
    assert problem.where == Place(str(tmp_path / "x.js"), line, column)
    assert problem.message == f"`x.js{f':{line}' if line else ''}` is not valid JavaScript: {message}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("const fs = require('fs')", f'`x.js:1` raised Error: `require("fs")`: {NO_MODULES}, while it was loaded'),
        ("// files\nimport { readFileSync } from 'fs'", f"`x.js:2` imports `fs`: {NO_MODULES} to JavaScript"),
        ("import a from './data.json' with { type: 'json' }", f"`x.js:1` imports `data.json`: {NO_MODULES}"),
        ("export * from './y.js'", f"`x.js:1` imports `y.js`: {NO_MODULES}"),
        ("\nnull.x", "`x.js:2` raised TypeError: cannot read property 'x' of null, while it was loaded"),
        ("export default () => 1\nthrow new Error('no')", "`x.js:2` raised Error: no, while it was loaded"),
        ("while (true);", "`x.js` took longer than 0.5 s, while it was loaded"),
        ("export default 1\nwhile (true);", "`x.js` took longer than 0.5 s, while it was loaded"),
        ("await new Promise(() => {})\nexport default 1", "`x.js` waits for a promise that nothing will ever settle"),
        ("// nothing", "`x.js` exports no default function"),
    ],
)
def test_a_file_that_cannot_be_loaded(code: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "y.js").write_text("export const a = 1")
    (tmp_path / "data.json").write_text("{}")
    assert refused(tmp_path, code).message.startswith(message)


@pytest.mark.parametrize(
    ("code", "function", "missing", "hint"),
    [
        (
            "exports.first = () => 1\nexports.second = () => 2",
            ":secnd",
            "function `secnd`",
            "It exports `first`, `second`; write `file://x.js:second`.",
        ),
        (
            "export const first = () => 1",
            "",
            "default function",
            "It exports `first`; write `file://x.js:first`.",
        ),
        (
            "function main() {}",
            "",
            "default function",
            "It exports none at all: write `module.exports = { fn }` or `export function fn(...)`.",
        ),
        (
            "module.exports = 'text'",
            ":main",
            "function `main`",
            "It exports none at all: write `module.exports = { main }` or `export function main(...)`.",
        ),
        (
            "exports.main = () => 1",
            ":main.deep",
            "function `main.deep`",
            "It exports `main`; write `file://x.js:main`.",
        ),
    ],
)
def test_a_function_that_is_not_exported(code: str, function: str, missing: str, hint: str, tmp_path: Path) -> None:
    problem = refused(tmp_path, code, function=function)
    assert (problem.message, problem.hint) == (f"`x.js` exports no {missing}", hint)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("file://missing.js", "the script `missing.js` does not exist"),
        ("file://x.ts", "`file://x.ts`: TypeScript is not yet supported"),
        ("file://x.mts:fn", "`file://x.mts:fn`: TypeScript is not yet supported"),
        ("file://x.py", "`file://x.py` is not a JavaScript file"),
        ("file://x.js:", "`file://x.js:`: `` is not the name of a function"),
        ("file://x.js:a b", "`file://x.js:a b`: `a b` is not the name of a function"),
        ("file://folder.js", "the script `folder.js` cannot be read: Is a directory"),
        ("file://latin.js", "the script `latin.js` is not UTF-8: byte 1 cannot be decoded"),
    ],
)
def test_a_reference_that_leads_nowhere(reference: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.js").mkdir()
    (tmp_path / "latin.js").write_bytes(b"'\xe9'")
    with pytest.raises(ConfigError) as raised:
        load_javascript(reference, str(tmp_path))
    (problem,) = raised.value.problems
    assert (problem.message, problem.where) == (message, None)
    assert problem.hint


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("module.exports = (x) => {\n  return x.a.b\n}", "`x.js:2` raised TypeError: "),
        ("export default async (x) => {\n  await null\n  return x.a.b\n}", "`x.js:3` raised TypeError: "),
        (
            "const load = () => require('fs')\nmodule.exports = () => load()",
            f'`x.js:1` raised Error: `require("fs")`: {NO_MODULES}',
        ),
        ("module.exports = () => import('./y.js')", f"`x.js` raised Error: `import` of `y.js`: {NO_MODULES}"),
        ("module.exports = () => {\n  while (true);\n}", "`x.js` took longer than 0.5 s"),
    ],
)
def test_a_failing_call_names_file_and_line(code: str, message: str, tmp_path: Path) -> None:
    script = load(tmp_path, code)
    with pytest.raises(ScriptError) as raised:
        script.call({})
    assert raised.value.message.startswith(message)
