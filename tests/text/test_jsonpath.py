"""Which response paths are accepted, and what is said about the others."""

from __future__ import annotations

import jsonpath_rfc9535
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.text.extraction import ResponsePath
from sagemaker_eval.text.jsonpath import SPELLING_HINT, JavaScriptExpression, parse_path

DOCUMENT = {"a": {"b": [1, {"c": "deep"}], "0": "zero", "a-b": 1}, "choices": [{"text": "x", "index": 0}]}


def refused(source: str) -> tuple[str, str | None]:
    with pytest.raises(ConfigError) as raised:
        parse_path(source)
    (problem,) = raised.value.problems
    assert problem.where is None
    return problem.message, problem.hint


@pytest.mark.parametrize(
    ("javascript", "value"),
    [
        ("json.choices[0].text", "x"),
        ("json?.choices?.[0]?.text", "x"),
        ("json['choices'][0][\"text\"];", "x"),
        ("json.a['a-b']", 1),
        ("json", DOCUMENT),
        ("  json.a.b[1].c\n", "deep"),
    ],
)
def test_promptfoos_spelling_is_understood(javascript: str, value: object) -> None:
    assert ResponsePath.compile(javascript).extract(DOCUMENT) == value


@pytest.mark.parametrize(
    "javascript",
    [
        "json.choices[0].text.trim()",
        "json.choices.map(c => c.text)",
        "json.a || json.b",
        "(json) => json.choices[0].text",
        "{text: json.a.b}",
        "JSON.parse(json.body).text",
        "function (x) { return x }",
    ],
)
def test_javascript_that_computes_is_told_from_a_path(javascript: str) -> None:
    with pytest.raises(JavaScriptExpression):
        parse_path(javascript)


@pytest.mark.parametrize(
    ("mixture", "path"),
    [("json[*].text", "$[*].text"), ("json..text", "$..text"), ("json.choices[-1]", "$.choices[-1]")],
)
def test_a_mixture_of_both_languages_is_refused(mixture: str, path: str) -> None:
    assert refused(mixture) == (f"`{mixture}` is half JavaScript and half JSONPath", f"Write `{path}`.")


SLIPS = [
    ("$.a[abc]", "the name `abc` in brackets lacks quotes", "$.a['abc']"),
    ("$.a.[b]", "the name `b` in brackets lacks quotes", "$.a.['b']"),
    ("$.a[b,c]", "the name `b` in brackets lacks quotes", "$.a['b','c']"),
    ("$[true]", "the name `true` in brackets lacks quotes", "$['true']"),
    ("$.0", "`0` is a key here, not an index", "$[0]"),
    ("$.choices.0.text", "`0` is a key here, not an index", "$.choices[0].text"),
    ("$..0", "`0` is a key here, not an index", "$..[0]"),
    ("0.text", "`0` is a key here, not an index", "[0].text"),
    ("$.a.-1", "`-1` is a key here, not an index", "$.a[-1]"),
    ("@.a", "`@` means something in filters only", "$.a"),
    ("$.a.", "it ends in a dot", "$.a"),
    ("$..", "it ends in a dot", "$"),
    (".a.b", "it begins with a dot", "$.a.b"),
    ("$a.b", "a dot is missing after `$`", "$.a.b"),
    ("$.choices[0]text", "a dot is missing after `]`", "$.choices[0].text"),
    ("$.a.b.length()", "it has no functions", "$.a.b.`len`"),
    ("$.choices[(@.length-1)].text", "it has no scripts", "$.choices[-1].text"),
    ("0[@a]", "`0` is a key here, not an index", "[0]['@a']"),
    ("$.é.x", "the key needs quotes", "$['é'].x"),
    ("$.a.where", "the key needs quotes", "$.a['where']"),
    ("$.1a", "the key needs quotes", "$['1a']"),
    ("$choices.0[text].", "it ends in a dot", "$.choices[0]['text']"),
]


@pytest.mark.parametrize(("source", "fault", "spelling"), SLIPS)
def test_a_slip_is_refused_with_the_correct_spelling(source: str, fault: str, spelling: str) -> None:
    assert refused(source) == (f"`{source}` is not a JSONPath: {fault}", f"Write `{spelling}`.")
    assert parse_path(spelling)


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("$.a b", "`b` is not expected at character 5"),
        ("$$", "`$` is not expected at character 2"),
        ("$.a['b", "a quoted name is not closed"),
        ("$[", "it ends too early"),
        ("$.a.$.b", "`$` is the top of the document and has its place at the beginning"),
        ("$.a.@.b", "`@` means something in filters only"),
    ],
)
def test_other_faults_are_refused_with_how_paths_are_written(source: str, fault: str) -> None:
    assert refused(source) == (f"`{source}` is not a JSONPath: {fault}", SPELLING_HINT)


def test_an_empty_path_is_refused() -> None:
    assert refused(" \n")[0] == "the response path is empty"


@pytest.mark.parametrize("source", ["$.a | $.b", "$[?(@.x == y)]", "$[?(@.x & @.y)]"])
def test_what_jsonpath_ng_will_drop_is_refused(source: str) -> None:
    assert "deprecated" in refused(source)[0]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("choices[0].text", "x"),
        ("$.a.['0']", "zero"),
        ("$.a.b.`len`", 2),
        ("$.a.b[0] + 1", 2),
        ("2 * $.a.b[0]", 2),
        ("$.choices[?(@.text =~ '^x')].index", 0),
        ("$.choices[?@.index==0 && @.text].text", "x"),
        ("$.a.b[0:1]", 1),
        ("$.a.b[::-1]", [{"c": "deep"}, 1]),
        ("$.a.a-b", 1),
        ("$..c", "deep"),
        ("$.choices[\\text][0].index", None),
        ("$['a', 'choices']", [DOCUMENT["a"], DOCUMENT["choices"]]),
    ],
)
def test_what_jsonpath_ng_adds_stays_allowed(source: str, value: object) -> None:
    assert parse_path(source)
    if value is not None:
        assert ResponsePath.compile(source).extract(DOCUMENT) == value


NOT_STANDARD = ["$.a[abc]", "$.a.[b]", "$.0", "@.a", "$.a.", "$..", "$a", "$.a b", "$$", "$[", "$.a.$.b", "$[true]"]


@pytest.mark.parametrize("source", NOT_STANDARD)
def test_the_standard_refuses_those_paths_as_well(source: str) -> None:
    with pytest.raises(jsonpath_rfc9535.JSONPathError):
        jsonpath_rfc9535.compile(source)
    refused(source)


@given(st.text("$.@[]()?*'\"`ab01-:,+ é&|=~<\\\n", max_size=12) | st.text(max_size=8).map("json".__add__))
def test_whatever_is_written_is_a_path_or_a_config_error(source: str) -> None:
    try:
        path = ResponsePath.compile(source)
    except ConfigError as error:
        assert "\n" not in str(error)
        return
    assert path.source == " ".join(source.split())


@given(st.text("$.@[]'ab0-", max_size=10))
def test_whatever_is_suggested_is_accepted(source: str) -> None:
    try:
        parse_path(source)
    except ConfigError as error:
        hint = str(error.problems[0].hint)
        if hint.startswith("Write `"):
            assert parse_path(hint.removeprefix("Write `").removesuffix("`."))
