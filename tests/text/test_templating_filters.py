"""The filters and tests of templates, with what nunjucks makes of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.templates import Templates

VARS: dict[str, Json] = {
    "s": "hello World",
    "text": "The quick brown fox jumps",
    "lines": "a\n b\n\n\n\nc",
    "html": "<b>a & b</b> \"q\" 'x' \\",
    "n": 3,
    "neg": -7,
    "pi": 3.14159,
    "nil": None,
    "empty": "",
    "l": [3, 1, 2],
    "ls": ["b", "a", "C"],
    "e": [],
    "o": {"b": 1, "a": [1.0, None]},
    "rows": [{"n": "x", "v": 1, "k": True}, {"n": "y", "v": 2, "k": False}, {"n": "x", "v": 3, "k": []}],
}


def rendered(source: str) -> str:
    return Templates().prompt(source).render(VARS)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("o | dump", '{"b":1,"a":[1,null]}'),
        ("o | dump(2)", '{\n  "b": 1,\n  "a": [\n    1,\n    null\n  ]\n}'),
        ("l | dump('\\t')", "[\n\t3,\n\t1,\n\t2\n]"),
        ("[1] | dump(1000000)", "[\n          1\n]"),
        ("o | dump(indent=2)", '{"b":1,"a":[1,null]}'),
        ("'é\"' | dump", '"é\\""'),
        ("nil | dump", "null"),
        ("missing | dump", ""),
        ("[1 / 0, missing] | dump", "[null,null]"),
        ("{'a': missing, 'b': 1} | tojson", '{"b":1}'),
        ('(\'{"a": [1, 2]}\' | load).a', "1,2"),
        ("e | length", "0"),
        ("s | length", "11"),
        ("o | length", "2"),
        ("missing | length", "0"),
        ("nil | length", "0"),
        ("l | join", "312"),
        ("rows | join('-', 'n')", "x-y-x"),
        ("l | sort", "1,2,3"),
        ("ls | sort", "a,b,C"),
        ("ls | sort(true)", "C,b,a"),
        ("ls | sort(false, true)", "C,a,b"),
        ("rows | sort(true, false, 'v') | join(',', 'v')", "3,2,1"),
        ("[2, '10', nil] | sort", ",2,10"),
        ("l | first", "3"),
        ("e | last", ""),
        ("l | reverse", "2,1,3"),
        ("s | reverse", "dlroW olleh"),
        ("l | sum", "6"),
        ("rows | sum('v', 10)", "16"),
        ("[{'n': 'x', 'v': 1}, {'n': 2}, {'n': 'x'}] | groupby('n') | dump",
         '{"2":[{"n":2}],"x":[{"n":"x","v":1},{"n":"x"}]}'),
        ("rows | selectattr('k') | join(',', 'v')", "1,3"),
        ("rows | rejectattr('k') | join(',', 'v')", "2"),
        ("rows | selectattr('v', 'gt', 1) | join(',', 'v')", "2,3"),
        ("rows | rejectattr('v', 'gt', 1) | join(',', 'v')", "1"),
        ("[1, 2, 3, 4] | select('odd')", "1,3"),
        ("[1, 2, 3, 4] | reject('even')", "1,3"),
        ("[1, 2, 3, 4, 5] | batch(2) | dump", "[[1,2],[3,4],[5]]"),
        ("[1, 2, 3] | batch(2, 'x') | dump", '[[1,2],[3,"x"]]'),
        ("[1, 2, 3, 4, 5] | slice(2) | dump", "[[1,2,3],[4,5]]"),
        ("o | dictsort | dump", '[["a",[1,null]],["b",1]]'),
        ("'ab' | list | dump", '["a","b"]'),
        ("o | list | join(',', 'key')", "b,a"),
        ("[1, '1', 2, 1] | unique", "1,2"),
        ("rows | map(attribute='v')", "1,2,3"),
        ("ls | map('upper') | join", "BAC"),
        ("[e | random] | length", "1"),
    ],
)  # fmt: skip
def test_filters_of_lists_and_objects(expression: str, expected: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("s | upper", "HELLO WORLD"),
        ("s | title", "Hello World"),
        ("'HELLO wORLD-foo' | title", "Hello World-foo"),
        ("'HELLO' | capitalize", "Hello"),
        ("'  x ' | trim", "x"),
        ("s | replace('l', 'L')", "heLLo WorLd"),
        ("s | replace('l', 'L', 1)", "heLlo World"),
        ("text | truncate(10)", "The quick..."),
        ("text | truncate(10, true)", "The quick ..."),
        ("text | truncate(10, false, '!')", "The quick!"),
        ("text | truncate", "The quick brown fox jumps"),
        ("lines | indent", "a\n     b\n    \n    \n    \n    c"),
        ("'a\nb' | indent(2, true)", "  a\n  b"),
        ("'abc' | center(9)", "   abc   "),
        ("'abcd' | center(9)", "  abcd   "),
        ("lines | nl2br", "a<br />\n b<br />\n<br />\n<br />\n<br />\nc"),
        ("lines | striptags(true)", "a\nb\n\nc"),
        ("html | striptags", "a & b \"q\" 'x' \\"),
        ("html | escape", "&lt;b&gt;a &amp; b&lt;/b&gt; &quot;q&quot; &#39;x&#39; &#92;"),
        ("html | safe", "<b>a & b</b> \"q\" 'x' \\"),
        ("'a/b?c=d e' | urlencode", "a%2Fb%3Fc%3Dd%20e"),
        ("{'a': 1, 'b': 'x y'} | urlencode", "a=1&b=x%20y"),
        ("[['a', 1]] | urlencode", "a=1"),
        ("s | wordcount", "2"),
        ("n | string | length", "1"),
        ("n | upper", "3"),
    ],
)
def test_filters_of_text(expression: str, expected: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}") == expected


TEXT_FILTERS = (
    "upper", "lower", "title", "capitalize", "replace('a', 'b')", "escape", "safe", "truncate", "indent", "striptags",
    "wordcount", "urlencode", "nl2br", "trim", "string", "int", "float", "sort", "reverse", "list", "first", "last",
)  # fmt: skip


@pytest.mark.parametrize("name", TEXT_FILTERS)
@pytest.mark.parametrize("value", ["nil", "missing"])
def test_nothing_stays_nothing(name: str, value: str) -> None:
    assert rendered(f"{{{{ {value} | {name} }}}}") == ""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("pi | round", "3"),
        ("pi | round(2)", "3.14"),
        ("pi | round(1, 'ceil')", "3.2"),
        ("pi | round(1, 'floor')", "3.1"),
        ("2.5 | round", "3"),
        ("(0 - 2.5) | round", "-2"),
        ("neg | abs", "7"),
        ("nil | round", "0"),
        ("'3.7' | int", "3"),
        ("'12abc' | int", "12"),
        ("'x' | int", ""),
        ("'x' | int(5)", "5"),
        ("'ff' | int(0, 16)", "255"),
        ("3.9 | int", "3"),
        ("'3.70kg' | float", "3.7"),
        ("'x' | float(2)", "2"),
    ],
)
def test_filters_of_numbers(expression: str, expected: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}") == expected


@pytest.mark.parametrize(
    "holds",
    [
        "s is defined", "missing is undefined", "nil is defined", "nil is none", "nil is null", "n is number",
        "s is string", "n is odd", "neg is odd", "2 is even", "n is divisibleby(3)", "o is mapping", "l is iterable",
        "s is iterable", "o is not iterable", "n is equalto(3)", "n is eq(3)", "'3' is not eq(3)", "n is ne('3')",
        "n is sameas(3)", "n is lt(4)", "n is le(3)", "n is gt(2)", "n is ge(3)", "'a' is lower", "'A' is upper",
        "e is truthy", "nil is falsy", "range is callable", "missing is not callable",
        "true is boolean", "l is not mapping",
    ],
)  # fmt: skip
def test_tests(holds: str) -> None:
    assert rendered(f"{{{{ {holds} }}}}") == "true"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON_VALUES)
def test_dump_and_load_are_inverse(value: Json) -> None:
    templates = Templates()
    dumped = templates.prompt("{{ v | dump }}").render({"v": value})
    assert json.loads(dumped) == value
    assert templates.prompt("{{ v | load | dump }}").render({"v": dumped}) == dumped
