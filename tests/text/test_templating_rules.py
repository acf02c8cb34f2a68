"""What templates compute, beside each other: the template and what nunjucks makes of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.templates import Templates

VARS: dict[str, Json] = {
    "s": "hello World",
    "n": 3,
    "neg": -7,
    "one": 1.0,
    "yes": True,
    "no": False,
    "nil": None,
    "empty": "",
    "l": [3, 1, 2],
    "none_in": [1, None, [2, [3]], True],
    "e": [],
    "o": {"a": 1, "b": {"c": [1, 2]}},
    "eo": {},
    "keys_like_methods": {"items": 7, "keys": 8, "get": 9},
    "rows": [{"n": "x", "v": 1, "k": True}, {"n": "y", "v": 2, "k": False}, {"n": "x", "v": 3, "k": []}],
}


def rendered(source: str) -> str:
    return Templates().prompt(source).render(VARS)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ yes }} {{ no }} {{ nil }} {{ missing }} {{ null }} {{ true }}", "true false    true"),
        ("{{ one }} {{ 4 / 2 }} {{ 7 / 2 }} {{ 0.1 + 0.2 }} {{ -0.0 }}", "1 2 3.5 0.30000000000000004 0"),
        ("{{ 1e21 }} {{ 1e20 }} {{ 1.5e21 }}", "1e+21 100000000000000000000 1.5e+21"),
        ("{{ 0.000001 }} {{ 0.0000001 }} {{ 1.5e-9 }}", "0.000001 1e-7 1.5e-9"),
        ("{{ 1 / 0 }} {{ -1 / 0 }} {{ 0 / 0 }}", "Infinity -Infinity NaN"),
        ("{{ 9007199254740993 }}", "9007199254740993"),
        ("{{ l }} {{ none_in }} [{{ e }}]", "3,1,2 1,,2,3,true []"),
        ("{{ o }}", '{"a":1,"b":{"c":[1,2]}}'),
        ("{{ 'a' ~ 1 ~ yes ~ one ~ nil }}", "a1true1"),
        ("{{ none_in | join('-') }} {{ yes | string }}", "1--2,3-true true"),
        ("{{ missing.a.b.c }}{{ o.x.y }}{{ nil.x }}", ""),
    ],
)  # fmt: skip
def test_values_print_as_in_javascript(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize("value", ["e", "eo", "[]", "{}", "'0'", "1", "-1"])
def test_what_is_true(value: str) -> None:
    assert rendered(f"{{% if {value} %}}yes{{% else %}}no{{% endif %}}{{{{ 'yes' if {value} else 'no' }}}}") == "yesyes"
    assert rendered(f"{{{{ not {value} }}}} {{{{ 'd' if ({value} or false) }}}}") == "false d"


@pytest.mark.parametrize("value", ["''", "0", "0.0", "nil", "missing", "false", "0 / 0"])
def test_what_is_false(value: str) -> None:
    assert rendered(f"{{% if {value} %}}yes{{% elif not {value} %}}no{{% endif %}}") == "no"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[{{ e or 'd' }}]", "[]"),
        ("{{ empty or 'd' }} {{ nil or 0 or 'z' }}", "d z"),
        ("{{ n and 'd' }} {{ 0 and 'd' }} {{ e and 'd' }}", "d 0 d"),
        ("{{ 'a' if nil }}|", "|"),
        ("{{ e | default('d', true) }}{{ empty | default('d', true) }}{{ empty | default('d') }}", "d"),
        ("{{ nil | default('d') }}{{ nil | default('d', true) }}{{ missing | default('d') }}", "dd"),
    ],
)  # fmt: skip
def test_choices_keep_their_operands(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 == '1'", "true"),
        ("'' == 0", "true"),
        ("nil == missing", "true"),
        ("nil == 0", "false"),
        ("yes == 1", "true"),
        ("1 != '1'", "false"),
        ("1 === '1'", "false"),
        ("1 === 1.0", "true"),
        ("1 !== '1'", "true"),
        ("yes === 1", "false"),
        ("l == [3, 1, 2]", "true"),
        ("l == '3,1,2'", "true"),
        ("o == 1", "false"),
        ("'0x1F' == 31", "true"),
        ("n < '10'", "true"),
        ("'b' > 'a'", "true"),
        ("missing < 1", "false"),
        ("'x' >= 1", "false"),
        ("3 > 2 > 1", "false"),
        ("1 in l", "true"),
        ("'1' in l", "false"),
        ("9 not in l", "true"),
        ("'ell' in s", "true"),
        ("'a' in o", "true"),
    ],
)
def test_comparisons(expression: str, expected: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a' + 1", "a1"),
        ("1 + 'a'", "1a"),
        ("'5' + 2", "52"),
        ("l + 'x'", "3,1,2x"),
        ("yes + 1", "2"),
        ("nil + 1", "1"),
        ("'a' + missing", "a"),
        ("'5' * 2", "10"),
        ("'x' * 3", "NaN"),
        ("neg % 3", "-1"),
        ("neg // 2", "-4"),
        ("2 ** 10", "1024"),
        ("2 ** -1", "0.5"),
        ("2 ** 100000000", "Infinity"),
        ("-n + +'4'", "1"),
        ("5 % 0", "NaN"),
    ],
)
def test_arithmetic(expression: str, expected: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ o.a }}{{ o['a'] }}{{ o.b.c[1] }}{{ o['b']['c']['0'] }}", "1121"),
        ("{{ keys_like_methods.items }}{{ keys_like_methods.keys }}{{ keys_like_methods.get }}", "789"),
        ("{{ o.items }}{{ o.nope }}{{ l[9] }}{{ s[99] }}", ""),
        ("{{ s.length }} {{ l.length }} {{ o.length }} {{ l[-1] }} {{ s[0] }} {{ s[1:3] }}", "11 3 2 2 h el"),
        ("{{ l[1:] }} {{ l[:-1] }} [{{ nil[1:] }}{{ missing[1:] }}{{ 1[1:] }}{{ o[1:] }}]", "1,2 3,1 []"),
        ("{{ {a: 1, 'b': n} | dump }}", '{"a":1,"b":3}'),
    ],
)
def test_lookups(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("s.toUpperCase()", "HELLO WORLD"),
        ("s.toLowerCase()", "hello world"),
        ("' x '.trim()", "x"),
        ("s.split(' ')[1]", "World"),
        ("s.split()", "hello World"),
        ("'abc'.split('')", "a,b,c"),
        ("s.slice(1, 3)", "el"),
        ("s.slice(-3)", "rld"),
        ("s.substring(3, 1)", "el"),
        ("s.substr(2, 3)", "llo"),
        ("s.replace('l', 'L')", "heLlo World"),
        ("s.replaceAll('l', 'L')", "heLLo WorLd"),
        ("s.includes('World')", "true"),
        ("s.startsWith('he')", "true"),
        ("s.endsWith('d')", "true"),
        ("s.indexOf('o')", "4"),
        ("s.lastIndexOf('o')", "7"),
        ("s.charAt(1)", "e"),
        ("s.at(-1)", "d"),
        ("'42'.padStart(5, '0')", "00042"),
        ("'42'.padEnd(5, 'ab')", "42aba"),
        ("'ab'.repeat(2)", "abab"),
        ("s.concat('!', 1)", "hello World!1"),
        ("s.upper()", "HELLO WORLD"),
        ("l.join('-')", "3-1-2"),
        ("l.join()", "3,1,2"),
        ("l.includes(1)", "true"),
        ("l.includes('1')", "false"),
        ("l.indexOf(2)", "2"),
        ("l.slice(1)", "1,2"),
        ("l.concat([9], 8)", "3,1,2,9,8"),
        ("l.reverse()", "2,1,3"),
        ("none_in.flat().length", "5"),
        ("3.14159.toFixed(2)", "3.14"),
        ("n.toFixed(1)", "3.0"),
        ("2.5.toFixed(0)", "3"),
        ("1.005.toFixed(2)", "1.00"),
        ("n.toString() + 1", "31"),
        ("o.hasOwnProperty('a')", "true"),
    ],
)
def test_methods(expression: str, expected: str) -> None:
    assert rendered(f"{{{{ {expression} }}}}") == expected


def test_methods_leave_their_owner_as_it_is() -> None:
    assert rendered("{{ l.reverse() }} {{ l.sort() }} {{ l.concat(4) }} {{ l }}") == "2,1,3 1,2,3 3,1,2,4 3,1,2"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% for k, v in o %}{{ k }}={{ v | dump }};{% endfor %}", 'a=1;b={"c":[1,2]};'),
        ("{% for k, v in keys_like_methods %}{{ k }}{{ v }}{{ loop.last }};{% endfor %}",
         "items7false;keys8false;get9true;"),
        ("{% for a, b in [[1, 2], [3]] %}{{ a }}-{{ b }};{% endfor %}", "1-2;3-;"),
        ("{% for a, b, c in [[1, 2, 3]] %}{{ c }}{{ b }}{{ a }}{% endfor %}", "321"),
        ("{% for x in missing %}a{% else %}none{% endfor %}{% for x in nil %}a{% else %}none{% endfor %}", "nonenone"),
        ("{% for x in 5 %}a{% else %}none{% endfor %}{% for x in e %}a{% else %}none{% endfor %}", "nonenone"),
        ("{% for c in 'abc' %}{{ c }},{% endfor %}", "a,b,c,"),
        ("{% for x in l %}{{ loop.index }}{{ loop.revindex0 }}{{ loop.first }};{% endfor %}",
         "12true;21false;30false;"),
        ("{% for x in [[], 0, 1] if x %}[{{ x }}]{% endfor %}", "[][1]"),
    ],
)  # fmt: skip
def test_loops(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% set x = 1 %}{% for i in l %}{% set x = i %}{% endfor %}{{ x }}", "2"),
        ("{% set x = 0 %}{% for i in l %}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}", "3,4,6,6"),
        ("{% set x = 0 %}{% for i in l %}{% for j in l %}{% set x = x + 1 %}{% endfor %}{% endfor %}{{ x }}", "9"),
        ("{% set x = '' %}{% for i in l %}{% set x %}{{ x }}{{ i }}{% endset %}{% endfor %}{{ x }}", "312"),
        ("{% set n = n + 1 %}{% for i in l %}{% set n = n + 1 %}{% endfor %}{{ n }}", "7"),
        ("{% for i in l %}{% set y = i %}{% endfor %}{{ y }}", ""),
        ("{% for i in l %}{% set s = i %}{{ s }}{% endfor %}{{ s }}", "312hello World"),
        ("{% set x = 1 %}{% for x in l %}{% set x = x + 1 %}{{ x }}{% endfor %}{{ x }}", "4231"),
        ("{% for a in l %}{% set q = 0 %}{% for b in l %}{% set q = q + b %}{% endfor %}{{ q }};{% endfor %}",
         "6;6;6;"),
        ("{% macro sum(p) %}{% set r = 0 %}{% for i in p %}{% set r = r + i %}{% endfor %}{{ r }}{% endmacro %}"
         "{{ sum(l) }}", "6"),
        ("{% set x = 1 %}{% macro m(x) %}{{ x }}{% endmacro %}"
         "{% for i in l %}{% set x = i %}{{ m(i + 1) }}{% endfor %}{{ x }}", "4232"),
        ("{% macro w() %}<{{ caller() }}>{% endmacro %}{% set x = 0 %}"
         "{% for i in l %}{% set x = i %}{% call w() %}{{ x }}{% endcall %}{% endfor %}", "<3><1><2>"),
        ("{% set x = 1 %}{% with y = x %}{% for i in l %}{% set x = i + y %}{% endfor %}{% endwith %}{{ x }}", "3"),
        ("{% set x = 1 %}{% for i in [x] %}{% set x = 2 %}{{ x if x > 1 }}{% else %}{{ x }}{% endfor %}", "2"),
    ],
)  # fmt: skip
def test_a_set_inside_a_loop_reaches_the_variable_outside(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% for i in l %}{{ last }}{% set last = i %},{% endfor %}{{ last }}", ",3,1,"),
        ("{% for i in l %}{% if not seen %}first {% set seen = true %}{% endif %}{{ i }}{% endfor %}", "first 312"),
        ("{% for i in l %}{% set s = s ~ i %}{{ s | last }}{% endfor %}|{{ s }}", "312|hello World"),
        ("{% for i in [1, 2] %}{% for j in l %}{{ q }}{% set q = j %}{% endfor %};{% endfor %}", "31;31;"),
        ("{% for i in [1, 2] %}{% set q = i %}{% for j in l %}{% set q = q + j %}{% endfor %}{{ q }};{% endfor %}"
         "{{ q }}",
         "7;8;"),
    ],
)  # fmt: skip
def test_what_a_loop_sets_is_there_in_its_next_round_and_gone_after_it(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% if n == 1 %}1{% elseif n == 3 %}3{% else %}x{% endif %}", "3"),
        ("{% raw %}{{ x }}{% endraw %}{% verbatim %}{{ y }}{% endverbatim %}", "{{ x }}{{ y }}"),
        ("{% switch n %}{% case 1 %}one{% case 2 %}{% case 3 %}three{% default %}other{% endswitch %}", "three"),
        ("{% switch '3' %}{% case 3 %}three{% default %}other{% endswitch %}", "other"),
        ("{% switch n %}{% default %}other{% endswitch %}", "other"),
        ("{% asyncEach i in l %}{{ i }}{% endeach %}{% asyncAll i in l %}{{ i }}{% endall %}", "312312"),
        ("{% ifAsync yes %}a{% endif %}", "a"),
        ("{% filter upper %}abc{% endfilter %}{# gone #}{%- if yes -%}  x  {%- endif %}", "ABCx"),
        ("{% macro m(a, b=2) %}{{ a }}/{{ b }}{% endmacro %}{{ m(1) }} {{ m(b=5, a=4) }}", "1/2 4/5"),
        ("a\r\n{{- n -}}\r\nb\r\n", "a3b\r\n"),
        ("{{ range(0, 10, 3) }}{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}", "0,3,6,9aba"),
        ("{% set j = joiner(',') %}{{ j() }}x{{ j() }}y", "x,y"),
    ],
)
def test_tags_and_globals(source: str, expected: str) -> None:
    assert rendered(source) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_number_reads_back_as_itself(number: float) -> None:
    printed = Templates().prompt("{{ x }}").render({"x": number})
    assert float(printed) == number
    assert not printed.endswith(".0")
