"""The user's JavaScript: what may be written inline, what passes in and out, and how failures are told."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import EMPTY, Json, Place
from sagemaker_eval.text.javascript.engine import quickjs
from sagemaker_eval.text.javascript.script import UNDEFINED, Limits, Style, compile_javascript

BRIEFLY = Limits(seconds=0.2)
SMALL = Limits(memory=8 << 20)


def evaluate(code: str, *arguments: Json, limits: Limits = Limits()) -> Json:
    return compile_javascript(code, ("prompt", "context"), limits=limits).call(*arguments)


def failure(code: str, *arguments: Json, limits: Limits = Limits()) -> str:
    with pytest.raises(ScriptError) as raised:
        evaluate(code, *arguments, limits=limits)
    assert raised.value.hint
    return raised.value.message


def refusal(code: str, style: Style = Style.ANY) -> str:
    with pytest.raises(ConfigError) as raised:
        compile_javascript(code, ("prompt",), Place("config.yaml", 7), style)
    (problem,) = raised.value.problems
    assert problem.where == Place("config.yaml", 7)
    assert problem.hint
    return problem.message


# ---- what may be written


@pytest.mark.parametrize(
    "code",
    [
        "prompt + '!'",
        "prompt + '!';",
        "prompt + '!'; // loud; louder",
        "prompt + '!';;\n// loud\n/* louder; */",
        "prompt; prompt + '!'",
        "if (!prompt) return; prompt + '!'",
        "// loud\nprompt + '!'",
        "prompt +\n  '!'",
        "return prompt + '!'",
        "// loud\nreturn `${prompt}!`\n",
        "const mark = '!'; return prompt + mark",
        "const mark = '!'; prompt + mark",
        "let mark = ';!'; prompt + mark.slice(1);",
        "var add = (text) => { const mark = '!'; return text + mark; }; add(prompt);",
        "const mark = '!'\nreturn prompt + mark",
        "if (prompt) { return prompt + '!' } else { return '' }",
        "prompt => prompt + '!'",
        "(prompt) => {\n  return prompt + '!';\n};",
        "function (prompt) { return prompt + '!' }",
        "function shout(prompt) {\n  return prompt + '!'\n}",
        "async (prompt) => { await null; return prompt + '!' }",
        "await Promise.resolve(prompt + '!')",
        "const text = await prompt; return text + '!'",
        "await Promise.resolve((prompt) => prompt + '!')",
        "new Promise((resolve) => resolve(prompt + '!'))",
        "({ then(done) { done(prompt + '!') } })",
        "return new Promise((resolve) => setTimeout(resolve, 3600000, prompt + '!'))",
    ],
)
def test_expressions_bodies_and_functions_say_the_same(code: str) -> None:
    assert evaluate(code, "hi") == "hi!"


def test_the_example_of_an_inline_transform() -> None:
    code = "// Transform the prompt before sending to SageMaker\nreturn `<s>[INST] ${prompt} [/INST]`\n"
    assert evaluate(code, "Hello", {}) == "<s>[INST] Hello [/INST]"


def test_a_map_in_braces_is_an_object() -> None:
    assert evaluate("{ inputs: prompt }", "hi") == {"inputs": "hi"}
    assert evaluate("{\n  inputs: prompt,\n  size: context?.config?.maxTokens || 256,\n}", "hi", {}) == {
        "inputs": "hi",
        "size": 256,
    }


def test_words_of_the_language_within_strings_do_not_decide() -> None:
    assert evaluate("'return; await ' + prompt", "x") == "return; await x"


def test_a_style_narrows_what_may_be_written() -> None:
    assert compile_javascript("json.a", ("json",), style=Style.EXPRESSION).call({"a": 1}) == 1
    assert compile_javascript("return json", ("json",), style=Style.BODY).call(1) == 1
    assert "not valid" in refusal("return prompt", Style.EXPRESSION)
    assert compile_javascript("prompt", ("prompt",), style=Style.BODY).call(1) is UNDEFINED


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("prompt +", "the code is not valid JavaScript: it ends where more is expected"),
        ("prompt + * 2", "the code is not valid JavaScript: unexpected token in expression: '*', at column 10"),
        ("'éé😀' + * 2", "the code is not valid JavaScript: unexpected token in expression: '*', at column 9"),
        ("const a = 1\nreturn a b", "line 2 of the code is not valid JavaScript: expecting ';', at column 10"),
        ("return [1,\n2", "the code is not valid JavaScript: it ends where more is expected"),
        (" \n ", "the code is empty"),
        ("// nothing", "the code is empty"),
        ("const a = 1\na + 1", "the code never returns anything"),
        ("'a\x00'", "the code holds the character U+0000, which is not allowed in JavaScript"),
        ("1\n'\ud800'", "line 2 of the code holds the character U+D800, which is not allowed in JavaScript"),
    ],
)
def test_what_cannot_be_run_is_found_at_once(code: str, message: str) -> None:
    assert refusal(code) == message


# ---- what passes in and out

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(-(2.0**53), 2.0**53)
    | st.sampled_from([1e300, -1e-300, 5e-324, 1.7976931348623157e308])
    | st.text(st.characters(codec=None, exclude_categories=())),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(json_values)
def test_every_json_value_comes_back_as_it_went(value: Json) -> None:
    assert compile_javascript("x => x", ("x",)).call(value) == value


def test_names_that_mean_something_to_javascript_are_plain_keys() -> None:
    value = {"__proto__": {"a": 1}, "constructor": 2, "toString": "x", "then": 3, "10": 4, "2": 5}
    assert evaluate("prompt", value) == value


def test_long_texts_pass_in_every_kind_of_reply() -> None:
    text = "déjà vu 😀 " * 100_000
    assert evaluate("prompt", text) == text
    assert evaluate("'' + prompt + prompt", text) == text * 2
    assert evaluate("let all = ''; for (const c of prompt) all += c; return { all }", text[:10_000]) == {
        "all": text[:10_000]
    }
    assert failure("throw 'a' + prompt", text).startswith("the code raised adéjà")
    assert failure("throw new Error('a' + prompt)", text).startswith("the code raised Error: adéjà")


def test_whole_numbers_beyond_2_to_the_53_come_back_as_javascript_writes_them() -> None:
    assert evaluate("prompt", 2**53 + 1) == 2**53
    assert evaluate("prompt", 4.054376162175515e16) == 40543761621755150


def test_mappings_are_objects() -> None:
    assert evaluate("Object.keys(prompt)", EMPTY) == []


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("[NaN, undefined, () => 1]", [None, None, None]),
        ("({ a: undefined, b() {}, c: new Map() })", {"c": {}}),
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("null", None),
        ("'\\ud800\\0'", "\ud800\x00"),
    ],
)
def test_results_are_what_json_makes_of_them(code: str, value: Json) -> None:
    assert evaluate(code) == value


def test_numbers_that_json_lacks_pass_at_the_top() -> None:
    assert math.isnan(evaluate("NaN"))
    assert evaluate("[prompt.a !== prompt.a, prompt.b > 1, prompt.c]", {"a": math.nan, "b": math.inf, "c": "NaN"}) == [
        True,
        True,
        "NaN",
    ]


def test_nothing_is_told_from_null() -> None:
    assert evaluate("undefined") is UNDEFINED
    assert evaluate("return") is UNDEFINED
    assert evaluate("async () => {}") is UNDEFINED
    assert not UNDEFINED


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("10n", "the code returned what cannot be written as JSON: BigInt are forbidden in JSON.stringify"),
        ("const a = {}; a.a = a; a", "the code returned what cannot be written as JSON: circular reference"),
        ("Symbol('a')", "the code returned what cannot be written as JSON: a symbol has no JSON"),
        ("return () => 1", "the code returned a function"),
        ("let a = []; for (let i = 0; i < 5000; i++) a = [a]; return a", "nested too deeply"),
    ],
)
def test_results_without_json_are_errors(code: str, message: str) -> None:
    assert message in failure(code)


def test_arguments_nested_too_deeply_are_an_error() -> None:
    value: Json = []
    for _ in range(200_000):
        value = [value]
    assert failure("prompt", value) == "the code cannot be given a value that is nested so deeply"


# ---- what goes wrong in the code


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("prompt.a.b", "the code raised TypeError: cannot read property 'b' of undefined"),
        ("const f = () => {\n  throw new Error('no\\nway')\n}\nreturn f()", "line 2 of the code raised Error: no way"),
        ("\n\nreturn prompt.map(x => x)", "the code raised TypeError: not a function"),
        ("const a = 1\nreturn [3].map(x =>\n  x.a.b)", "line 3 of the code raised TypeError: "),
        ("const a = 1\nreturn JSON.parse('{')", "line 2 of the code raised SyntaxError: "),
        ("async () => {\n  await null\n  throw new Error('late')\n}", "line 3 of the code raised Error: late"),
        ("const a = 1\nreturn structuredClone(() => a)", "line 2 of the code raised DataCloneError: a function"),
        ("throw 'text'", "the code raised text"),
        ("throw { code: 7 }", 'the code raised {"code":7}'),
        ("Promise.reject(new Error())", "the code raised Error"),
        ("require('fs')", 'the code raised Error: `require("fs")`: modules and file access are not available'),
        ("import('fs')", "the code raised Error: `import` of `fs`: modules and file access are not available"),
        ("setTimeout(() => { throw Error('tick') }, 1); new Promise(() => {})", "the code raised Error: tick"),
        ("new Promise(() => {})", "the code waits for a promise that nothing will ever settle"),
        ("function f() { return f() + 1 }\nreturn f()", "line 1 of the code raised RangeError: "),
    ],
)
def test_errors_tell_the_line_of_the_user(code: str, message: str) -> None:
    assert failure(code, {}).startswith(message)


def test_a_missing_part_of_node_is_explained() -> None:
    with pytest.raises(ScriptError, match="process is not defined") as raised:
        evaluate("process.env.HOME")
    assert raised.value.hint == (
        "JavaScript runs here without environment: pass what it needs as a variable, `{{ env.NAME }}`."
    )


def test_the_console_goes_to_the_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert evaluate("console.log('seen', {a: 1}, [2], new Error('e')); console.error(3); return 1") == 1
        failure("console.warn('before'); throw 1")
        failure("console.info('hanging'); while (true);", limits=BRIEFLY)
    assert caplog.messages == [
        'console.log: seen {"a":1} [2] Error: e',
        "console.error: 3",
        "console.warn: before",
        "console.info: hanging",
    ]


def test_timers_fire_in_the_order_of_their_time_without_waiting() -> None:
    code = """
      const seen = []
      setTimeout(() => seen.push('hour'), 3600e3)
      setTimeout(() => seen.push('second'), 1000)
      clearTimeout(setTimeout(() => seen.push('never'), 1))
      Promise.resolve().then(() => seen.push('job'))
      return new Promise((resolve) => setTimeout(() => resolve(seen), 86400e3))
    """
    assert evaluate(code) == ["job", "second", "hour"]


def test_structured_clones_are_deep() -> None:
    code = """
      const a = { list: [new Date(0), new Map([[1, { b: 2 }]]), new Set([3]), /x/g, new Uint8Array([7])] }
      a.self = a
      const b = structuredClone(a)
      a.list[1].get(1).b = 'changed'
      return [b.self === b, b.list[0].getTime(), b.list[1].get(1).b, [...b.list[2]], b.list[3].flags, b.list[4][0]]
    """
    assert evaluate(code) == [True, 0, 2, [3], "g", 7]


# ---- limits


@pytest.mark.parametrize(
    "code",
    [
        "while(true){}",
        "try { while (true); } catch { return 1 } finally { while (true); }",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "const next = () => Promise.resolve().then(next); return next()",
        "const again = () => setTimeout(again, 1); again(); return new Promise(() => {})",
        "async () => { await null; try { while (true); } catch { return 1 } }",
        "throw { toJSON() { while (true); } }",
        "const e = new Error(); Object.defineProperty(e, 'message', { get() { while (true); } }); throw e",
        "InternalError.prototype.toString = Error.prototype.toString = () => { while (true); }; while (true);",
        "({ toJSON() { while (true); } })",
        "({ get then() { while (true); } })",
    ],
)
def test_code_that_never_ends_is_stopped(code: str) -> None:
    assert "took longer than 0.2 s" in failure(code, limits=BRIEFLY)
    assert evaluate("prompt", "alive") == "alive"


@pytest.mark.parametrize(
    "code",
    [
        "const a = []; while (true) a.push('x'.repeat(1000) + a.length)",
        "globalThis.a = []; while (true) a.push('x'.repeat(1000) + a.length)",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
        "new Array(1e9).fill(0)",
        "'x'.repeat(5e8)",
        "async () => { const a = []; while (true) a.push(new ArrayBuffer(1000)) }",
    ],
)
def test_code_that_needs_too_much_memory_is_stopped(code: str) -> None:
    assert "needs more memory than the 8 MB that it may use" in failure(code, limits=SMALL)
    assert evaluate("prompt", "alive") == "alive"


def test_the_time_of_other_threads_does_not_count() -> None:
    """The engine's clock is that of the process: without a second run this script would be stopped halfway."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        code = "const start = performance.now()\nwhile (performance.now() < start + 350);\nreturn 'done'"
        assert evaluate(code, limits=Limits(seconds=0.5)) == "done"
    finally:
        stop.set()
        thread.join()


# ---- isolation


def test_no_call_sees_what_another_did() -> None:
    code = """
      const seen = [globalThis.count, [].extra, Object.prototype.odd, JSON.extra, console.extra]
      count = 1
      Array.prototype.extra = Object.prototype.odd = JSON.extra = console.extra = 1
      return seen
    """
    script = compile_javascript(code, ())
    assert script.call() == script.call() == [None] * 5


def test_arguments_are_copies() -> None:
    context = {"vars": {"a": [1]}}
    assert evaluate("context.vars.a.push(2); return context.vars.a", "", context) == [1, 2]
    assert context == {"vars": {"a": [1]}}


def test_nothing_leads_out() -> None:
    names = "process fetch XMLHttpRequest WebSocket Deno Bun std os print load read scriptArgs module exports __dirname"
    assert evaluate("prompt.filter((name) => name in globalThis)", names.split()) == []
    assert evaluate("Function('return typeof process')()") == "undefined"
    assert evaluate("(0, eval)('typeof std + typeof os')") == "undefinedundefined"


@pytest.mark.parametrize(
    "name", ["fs", "node:fs", "std", "os", "./data.json", "/etc/hosts", "https://example.com/x.js"]
)
def test_no_module_can_be_had(name: str) -> None:
    for code in ("require(prompt)", "import(prompt)", "import(prompt, { with: { type: 'json' } })"):
        assert "modules and file access are not available" in failure(code, name)


STANDARD = """
AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean
DataView Date DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array
Function Infinity Int16Array Int32Array Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy
RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError
TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet decodeURI
decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN parseFloat parseInt
undefined unescape
"""
"""The names of ECMAScript, which has no way to files, the network, modules by name or the process."""


def test_nothing_but_the_language_and_a_few_harmless_names_is_there() -> None:
    names = set(evaluate("Object.getOwnPropertyNames(globalThis)"))
    harmless = {"DOMException", "InternalError", "atob", "btoa", "performance", "queueMicrotask"}
    assert names - set(STANDARD.split()) <= harmless


@pytest.mark.parametrize(
    "code",
    [
        "Object.prototype.toJSON = () => 'mine'; return 1",
        "JSON.parse = JSON.stringify = Promise.prototype.then = Array.prototype.join = () => 'mine'; return 1",
        "Object.defineProperty(globalThis, 'JSON', { get() { throw 1 } }); return 1",
        "Reflect.apply = Function.prototype.call = Function.prototype.apply = null; return 1",
    ],
)
def test_a_call_that_tampers_with_the_language_harms_no_other(code: str) -> None:
    with suppress(ScriptError):
        evaluate(code)
    assert evaluate("({ a: [prompt, JSON.stringify({ b: 1 })] })", "x") == {"a": ["x", '{"b":1}']}


@pytest.mark.parametrize(
    "code",
    [
        "/(x+x+)+y/.exec('x'.repeat(50))",
        "'a'.repeat(60).match(/^(([a-z])+.)+[A-Z]([a-z])+$/)",
        "'ab'.repeat(30).replace(/(a|ab)(c|bcd|b)*(d*)+e/, '')",
        "new RegExp('(.*)*'.repeat(10) + '!').test('-'.repeat(60))",
    ],
)
def test_a_catastrophic_regex_is_stopped(code: str) -> None:
    with suppress(ScriptError):
        evaluate(code, limits=BRIEFLY)
    assert evaluate("prompt", "alive") == "alive"


def test_waiting_for_another_thread_is_not_possible() -> None:
    assert "cannot block" in failure("Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)")


# ---- calling from the event loop


def test_the_event_loop_goes_on_while_a_script_runs() -> None:
    async def main() -> list[str]:
        seen: list[str] = []

        async def run() -> None:
            with pytest.raises(ScriptError, match="took longer"):
                await compile_javascript("while(true){}", (), limits=BRIEFLY).acall()
            seen.append("script")

        running = asyncio.create_task(run())
        await asyncio.sleep(0)
        seen.append("loop")
        assert await compile_javascript("x => x + 1", ("x",)).acall(1) == 2
        await running
        return seen

    assert asyncio.run(main()) == ["loop", "script"]


def test_many_calls_at_once_get_their_own_answers() -> None:
    async def main() -> list[Json]:
        script = compile_javascript("async (x) => { await null; return x * x }", ("x",))
        return await asyncio.gather(*(script.acall(number) for number in range(50)))

    assert asyncio.run(main()) == [number * number for number in range(50)]


def test_scripts_may_be_called_from_any_thread() -> None:
    script = compile_javascript("x => x + 1", ("x",))
    results: list[Json] = []
    threads = [threading.Thread(target=lambda: results.append(script.call(1))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [2, 2, 2, 2]


# ---- the engine


def test_without_the_engine_the_user_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quickjs", None)
    quickjs.cache_clear()
    try:
        with pytest.raises(ConfigError, match="`quickjs-ng` is not installed"):
            compile_javascript("1", ())
    finally:
        quickjs.cache_clear()
