"""What a response path takes out of an answer, and what is said where it finds nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath_ng.ext.parser import parse

from sagemaker_eval.errors import ConfigError, ExtractionError, ScriptError
from sagemaker_eval.model import Json
from sagemaker_eval.text.extraction import ResponsePath, ScriptPath, compile_response_path

CHAT = {
    "id": "1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris", "refusal": None}}],
}


def missed(path: str, document: Json) -> ExtractionError:
    with pytest.raises(ExtractionError) as raised:
        ResponsePath.compile(path).extract(document)
    return raised.value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.choices[0].message.content", "Paris"),
        ("$.choices[-1].index", 0),
        ("$['choices'][0]['index']", 0),
        ("$..content", "Paris"),
        ("$.choices[*].message.role", "assistant"),
        ("$.choices[?(@.index==0)].message.content", "Paris"),
    ],
)
def test_one_match_is_its_value(path: str, value: object) -> None:
    assert ResponsePath.compile(path).extract(CHAT) == value


def test_several_matches_are_their_list() -> None:
    assert ResponsePath.compile("$[*].t").extract([{"t": "a"}, {"t": None}, {"t": "b"}]) == ["a", None, "b"]


def test_empty_values_are_values() -> None:
    document = {"text": "", "list": [], "zero": 0, "no": False}
    assert [ResponsePath.compile(f"$.{key}").extract(document) for key in document] == ["", [], 0, False]


@pytest.mark.parametrize(
    ("path", "document", "message", "hint"),
    [
        (
            "$.choices[0].message.txt",
            CHAT,
            "`$.choices[0].message.txt` finds nothing: `$.choices[0].message` is an object with the keys "
            "`role`, `content`, `refusal`; the answer has the keys `id`, `choices`",
            "did you mean `$.choices[0].message.content`? Also there: `$.choices[0].message.role`, `$.id`",
        ),
        (
            "$[0].generated_text",
            {"generated_text": "x"},
            "`$[0].generated_text` finds nothing: `$` is an object with the key `generated_text`, not a list",
            "did you mean `$.generated_text`?",
        ),
        (
            "$.generated_text",
            [{"generated_text": "x"}],
            "`$.generated_text` finds nothing: `$` is a list of 1 item, not an object",
            "did you mean `$[0].generated_text`?",
        ),
        (
            "$.choices[1].text",
            {"choices": [{"text": "x"}]},
            "`$.choices[1].text` finds nothing: `$.choices` is a list of 1 item; the answer has the key `choices`",
            "did you mean `$.choices[0].text`?",
        ),
        (
            "json.a.b.c",
            {"a": {"b": "x"}},
            "`json.a.b.c` finds nothing: `$.a.b` is a string, not an object; the answer has the key `a`",
            "did you mean `$.a.b`?",
        ),
        (
            "$.choices[?(@.index==9)].text",
            {"choices": [{"index": 0, "text": "x"}]},
            "`$.choices[?(@.index==9)].text` finds nothing: `$.choices` is a list of 1 item; "
            "the answer has the key `choices`",
            "did you mean `$.choices[0].text`?",
        ),
        ("$.a", "x", "`$.a` finds nothing: `$` is a string, not an object", None),
        ("$.a", {}, "`$.a` finds nothing: `$` is an empty object", None),
        (
            "$.choices[0].message.refusal",
            CHAT,
            "`$.choices[0].message.refusal` is null in this answer",
            None,
        ),
    ],
)
def test_a_miss_says_what_is_there(path: str, document: Json, message: str, hint: str | None) -> None:
    error = missed(path, document)
    assert error.message == message
    assert error.hint
    assert hint is None or error.hint == hint


def test_an_answer_without_values_has_nothing_to_suggest() -> None:
    assert missed("$.a", {}).hint == "the answer holds no value that a path could lead to"


def test_nothing_but_nulls_is_a_miss() -> None:
    assert missed("$[*]", [None, None]).message == "`$[*]` is null in this answer"


def test_an_operator_on_the_wrong_type_is_a_miss() -> None:
    error = missed("$.n.`sub(/a/, b)`", {"n": 1})
    assert error.message.startswith("`$.n.`sub(/a/, b)`` cannot be applied to this answer: TypeError: ")


NAMES = st.sampled_from(["a", "b", "c"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=15,
)
STEPS = st.lists(NAMES | st.integers(-3, 3), max_size=5)


def walked(document: Json, steps: list[str | int]) -> list[Json]:
    """The values that plain steps lead to: one or none."""
    for step in steps:
        in_object = isinstance(document, dict) and isinstance(step, str) and step in document
        in_list = isinstance(document, list) and isinstance(step, int) and -len(document) <= step < len(document)
        if not in_object and not in_list:
            return []
        document = document[step]
    return [document]


def extracted(path: str, document: Json) -> list[Json]:
    """What a path leads to, in a list that is empty for a miss and for null."""
    try:
        return [ResponsePath.compile(path).extract(document)]
    except ExtractionError:
        return []


def as_output(values: list[Any]) -> list[Json]:
    """What an extraction makes of the values that an engine found."""
    if all(value is None for value in values):
        return []
    return values if len(values) == 1 else [values]


@given(DOCUMENTS, STEPS)
def test_plain_paths_agree_with_a_walk_and_with_both_engines(document: Json, steps: list[str | int]) -> None:
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    found = extracted(path, document)
    assert found == as_output(walked(document, steps))
    assert found == as_output([match.value for match in parse(path).find(document)])
    assert found == as_output(list(jsonpath_rfc9535.find(path, document).values()))


SEGMENTS = st.sampled_from([".a", "['b']", "[0]", "[-1]", ".*", "[*]", "[0:2]", "[::-1]", "[1:]", "['a','b']", "[0,1]"])


@given(DOCUMENTS, st.lists(SEGMENTS, max_size=4).map("".join))
def test_other_paths_agree_with_the_standard(document: Json, segments: str) -> None:
    path = f"${segments}"
    assert extracted(path, document) == as_output(list(jsonpath_rfc9535.find(path, document).values()))


def script(folder: Path, code: str) -> str:
    (folder / "extract.py").write_text(code)
    return str(folder)


def test_a_script_is_called_with_the_answer(tmp_path: Path) -> None:
    base = script(tmp_path, "def get_transform(json):\n    return json['choices'][0]['message']['content'].upper()\n")
    path = compile_response_path("file://extract.py", base)
    assert isinstance(path, ScriptPath)
    assert path.extract(CHAT) == "PARIS"


def test_a_script_with_two_parameters_gets_a_context(tmp_path: Path) -> None:
    base = script(tmp_path, "def pick(json, context):\n    return [json, context]\n")
    assert compile_response_path("file://extract.py:pick", base).extract(1) == [1, {"prompt": {}}]


def test_a_script_with_an_optional_context_gets_it(tmp_path: Path) -> None:
    base = script(tmp_path, "def pick(json, context=None):\n    return context\n")
    assert compile_response_path("file://extract.py:pick", base).extract(1) == {"prompt": {}}


@pytest.mark.parametrize("parameters", ["", "a, b, c", "*, json"])
def test_a_function_that_cannot_take_the_answer_is_refused(tmp_path: Path, parameters: str) -> None:
    base = script(tmp_path, f"def pick({parameters}):\n    return 1\n")
    with pytest.raises(ConfigError, match="the function `pick` cannot be called as the response path"):
        compile_response_path("file://extract.py:pick", base)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("None", "`file://extract.py` returned nothing"),
        ("{1, 2}", "response path: the function returned what is not JSON: a value of type `set`"),
        ("json['x']", "response path: `extract.py:2` raised KeyError: 'x'"),
    ],
)
def test_what_a_script_cannot_return(tmp_path: Path, code: str, message: str) -> None:
    path = compile_response_path(
        "file://extract.py", script(tmp_path, f"def get_transform(json):\n    return {code}\n")
    )
    with pytest.raises(ScriptError) as raised:
        path.extract({})
    assert raised.value.message == message


@pytest.mark.parametrize("path", ["$.a", "json.a", "json?.choices?.[0]", "a.b", "$.a[?(@.b == 'json.x')]"])
def test_what_leads_to_a_value_is_a_path(path: str) -> None:
    assert isinstance(compile_response_path(path, "."), ResponsePath)


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("json.choices.map(c => c.message.content).join('')", "Paris"),
        ("json.choices[0].message.content.trim()", "Paris"),
        ("json.choices[0].message.refusal ?? json.choices[0].message.content", "Paris"),
        ("json.error || json.id;", "1"),
        ("(json) => json.id", "1"),
        ("function (answer, context) { return [answer.id, context] }", ["1", {"prompt": {}}]),
        ("{text: json.id, context}", {"text": "1", "context": {"prompt": {}}}),
        ("JSON.parse(JSON.stringify(json)).id", "1"),
        ("const [first] = json.choices\nreturn first.message.role", "assistant"),
        ("python: json['choices'][0]['message']['content'].upper()", "PARIS"),
    ],
)
def test_an_expression_that_no_path_can_say_is_computed(code: str, output: Json) -> None:
    path = compile_response_path(code, ".")
    assert isinstance(path, ScriptPath)
    assert path.extract(CHAT) == output


@pytest.mark.parametrize("name", ["extract.js", "extract.mjs", "extract.js:nested.pick", "extract.cjs"])
def test_a_javascript_file_is_called_with_the_answer(name: str, tmp_path: Path) -> None:
    pick = "(json, context) => json.id + Object.keys(context)"
    module = f"export default {pick}" if name.endswith("mjs") else f"module.exports = {pick}"
    code = f"module.exports = {{ nested: {{ pick: {pick} }} }}" if ":" in name else module
    (tmp_path / name.split(":")[0]).write_text(code)
    assert compile_response_path(f"file://{name}", str(tmp_path)).extract(CHAT) == "1prompt"


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        ("json.choices[7]?.text.trim()", "`json.choices[7]?.text.trim()` returned nothing", "`id`, `choices`"),
        ("json.nothing.trim()", "response path: the code raised TypeError: ", ""),
        ("python: None", "`python: None` returned nothing", "`id`, `choices`"),
    ],
)
def test_code_that_finds_nothing_is_an_error(code: str, message: str, hint: str) -> None:
    with pytest.raises(ScriptError) as raised:
        compile_response_path(code, ".").extract(CHAT)
    assert raised.value.message.startswith(message)
    assert hint in str(raised.value.hint)


@pytest.mark.parametrize("path", ["$.id", "json.id.trim()", "python: json['id']"])
def test_an_event_loop_may_go_on_meanwhile(path: str) -> None:
    assert asyncio.run(compile_response_path(path, ".").aextract(CHAT)) == "1"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("json.choices.map(c =>)", "the code is not valid JavaScript"),
        ("json[*].text", "`json[*].text` is half JavaScript and half JSONPath"),
        ("file://extract.ts", "`file://extract.ts`: TypeScript is not yet supported"),
        ("file://extract.rb", "`file://extract.rb` is neither a Python nor a JavaScript file"),
    ],
)
def test_what_is_neither_a_path_nor_code_is_refused(path: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        compile_response_path(path, ".")
    assert str(raised.value).startswith(message)
