"""Records how nunjucks renders the templates of `nunjucks_renderings.json`, as promptfoo sets it up.

Needs Node and nunjucks 3.2.4, in a folder of their own: `npm install node@22 nunjucks@3.2.4`. Then, in that folder:
`python <here>/regenerate_renderings.py`. The test suite needs neither: it reads what is recorded.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

RECORD = Path(__file__).with_name("nunjucks_renderings.json")
SEED = 20_240_601
RANDOM_TEMPLATES = 700

NODE = r"""
const nunjucks = require('nunjucks');
const environment = nunjucks.configure({ autoescape: false });
environment.addFilter('load', JSON.parse);
const { vars, templates } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
environment.addGlobal('env', { HOME: '/home/me' });
const render = (template) => {
  try {
    return environment.renderString(template, JSON.parse(JSON.stringify(vars)));
  } catch {
    return null;
  }
};
process.stdout.write(JSON.stringify(templates.map(render)));
"""

VARS: dict[str, Any] = {
    "s": "Hello big World",
    "empty": "",
    "spaced": "  two  words \n",
    "quoted": "a \"b\" <c> & 'd' \\ é",
    "digits": "42",
    "decimal": "3.75rest",
    "n": 7,
    "neg": -7,
    "zero": 0,
    "half": 2.5,
    "whole": 4.0,
    "tiny": 1e-7,
    "huge": 1e21,
    "yes": True,
    "no": False,
    "nil": None,
    "l": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple"],
    "nested": [1, [2, None, [3]], "x"],
    "blank": [],
    "o": {"b": 1, "a": "x", "items": "own", "length": 3},
    "flat": {"one": 1, "two": 2},
    "void": {},
    "people": [
        {"name": "Ann", "age": 31, "town": {"name": "Ulm"}, "ok": True},
        {"name": "bob", "age": 4, "town": {"name": "Bonn"}, "ok": False},
        {"name": "Cy", "age": 31, "town": {"name": "Ulm"}},
    ],
    "pairs": [["a", 1], ["b", 2]],
    "json": '{"k": [1, 2.0, "é"]}',
}

TEXTS = ("s", "empty", "spaced", "quoted", "digits", "decimal")
NUMBERS = ("n", "neg", "zero", "half", "whole", "tiny", "huge")
LISTS = ("l", "words", "nested", "blank", "people", "pairs")
OTHERS = ("yes", "no", "nil", "o", "flat", "void", "missing")
ALL = (*TEXTS, *NUMBERS, *LISTS, *OTHERS)
SOME = ("s", "empty", "digits", "n", "zero", "half", "yes", "nil", "l", "blank", "flat", "missing")

OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "===", "!==", "<", "<=", ">", ">=", "and", "or")

FILTERS = (
    *("abs", "batch(2)", "batch(2, 'x')", "capitalize", "center(20)", "default('d')", "default('d', true)", "d('d')"),
    *("dump", "dump(2)", "e", "escape", "first", "float", "float(1.5)", "forceescape", "groupby('town.name')"),
    *("groupby('age')", "indent", "indent(2, true)", "int", "int(9)", "int(5, 8)", "join", "join(', ')"),
    *("join(', ', 'name')", "last", "length", "list", "lower", "nl2br", "reject('odd')", "rejectattr('ok')"),
    *("replace('l', 'L')", "replace('l', 'L', 1)", "replace('', '-')", "replace('o', 0)", "reverse", "round"),
    *("round(1)", "round(0, 'floor')", "round(1, 'ceil')", "safe", "select", "select('odd')", "selectattr('ok')"),
    *("selectattr('age')", "slice(2)", "slice(2, 'x')", "sort", "sort(true)", "sort(false, true)"),
    *("sort(false, false, 'name')", "sort(true, false, 'age')", "string", "striptags", "sum", "sum('age')"),
    *("sum('age', 100)", "title", "trim", "truncate(7)", "truncate(7, true)", "truncate(7, false, '…')", "upper"),
    *("urlencode", "wordcount", "load", "dictsort"),
)

TESTS = (
    *("defined", "undefined", "none", "null", "number", "string", "even", "odd", "divisibleby(7)", "mapping"),
    *("iterable", "callable", "equalto(7)", "eq(7)", "ne(7)", "lt(7)", "le(7)", "gt(2)", "ge(7)", "lessthan(7)"),
    *("greaterthan(2)", "sameas(7)", "lower", "upper", "escaped", "truthy", "falsy"),
)

METHODS = (
    *("length", "toUpperCase()", "toLowerCase()", "trim()", "split(' ') | dump", "slice(1, 3) | dump", "slice(-2)"),
    *("substring(3, 1)", "substr(1, 2)", "replace('l', 'L')", "replaceAll('l', 'L')", "includes('l')", "includes(1)"),
    *("startsWith('H')", "endsWith('d')", "indexOf('o')", "indexOf(2)", "lastIndexOf('o')", "charAt(1)", "at(-1)"),
    *("charCodeAt(0)", "padStart(20, '*')", "padEnd(20)", "repeat(2)", "join('-')", "concat([9]) | dump"),
    *("toString()", "toFixed(2)", "reverse() | dump", "flat() | dump", "sort() | dump", "hasOwnProperty('one')"),
    *("0", "concat('!', 1)", "trimStart()", "trimEnd()", "split('') | length", "slice() | dump", "upper()", "items"),
)

WRITTEN = (
    "{{ 1.0 }} {{ 4/2 }} {{ 1e21 }} {{ 0.1 + 0.2 }} {{ 1/3 }} {{ -0.0 }} {{ 123456789012345680000 }}",
    "{{ 'a' ~ nil ~ 'b' ~ 1.0 ~ true }}",
    "{{ [1, [2, nil], 'x'] }}",
    "{{ [] }}|{{ {} | dump }}",
    "{{ none }}",
    "{{ true }} {{ false }} {{ none }} {{ null }}|{{ True }}|{{ False }}|{{ None }}",
    "{{ [true, none, missing] }}",
    "{{ '\\u00e9' }} {{ '\\x41' }} {{ '\\n' }} {{ '\\t' }} {{ '\\\\' }} {{ '\\q' }} {{ \"\\\"\" }}",
    "[{{ a.b.c }}]",
    "{{ missing() }}",
    "{{ s.missing() }}",
    "{{ missing.upper }}",
    "{{ missing[0] }}",
    "{{ 'y' if [] else 'n' }}{{ 'y' if {} else 'n' }}{{ 'y' if '' else 'n' }}{{ 'y' if 0 else 'n' }}",
    "{{ 'y' if nil }}",
    "{{ none or 'd' }}",
    "{{ [] and 'x' }}",
    "{{ not [] }}",
    "{{ not missing }}",
    "{{ not 0 }}",
    "{{ 1 == '1' }} {{ '' == 0 }} {{ nil == missing }} {{ nil === missing }} {{ 1 === '1' }} {{ 1 !== '1' }}",
    "{{ '5' * 2 }} {{ 'x' * 3 }} {{ 'a' + 1 }} {{ 1 + 'a' }} {{ 1 + true }} {{ '3' - 1 }} {{ nil + 1 }}",
    "{{ -7 % 3 }} {{ 7 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 2 ** 3 }} {{ 2 ** -1 }} {{ 1 / 0 }} {{ 0 / 0 }}",
    "{{ 'e' in s }} {{ 1 in l }} {{ 'one' in flat }} {{ 9 not in l }} {{ 'x' in 'yz' }}",
    "{{ 1 in missing }}",
    "{{ 1 < 2 < 3 }} {{ 3 > 2 > 1 }}",
    "{{ l[-1] }}",
    "{{ s[0] }}{{ s[99] }}",
    "{{ s['length'] }}",
    "{{ not true and false or true }}",
    "{{ 1 if false else 2 if false else 3 }}",
    "{{ -n }} {{ +digits }} {{ - s }}",
    "{{ o.items }} {{ o['items'] }} {{ o.length }} {{ o | length }} {{ flat.length }} {{ flat.keys }}",
    "{{ o['a'] }}{{ o.a }}{{ o.zzz }}",
    "{{ people[0].town.name }}",
    "{{ l[0] + l['1'] }}",
    "{{ '😀'[0] | length }}",
    "{{ '😀' | length }}",
    "{{ flat['o' + 'ne'] }}",
    "{{ people[n - 6].name }}",
    "{{ words[0][0] }}",
    "{% for k, v in flat %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in flat %}{{ k }}{% else %}none{% endfor %}",
    "{% for a, b in pairs %}{{ a }}{{ b }};{% endfor %}",
    "{% for a, b in [[1]] %}[{{ a }}{{ b }}]{% endfor %}",
    "{% for x in 5 %}x{% else %}none{% endfor %}",
    "{% for x in nil %}x{% else %}none{% endfor %}",
    "{% for x in missing %}x{% else %}none{% endfor %}",
    "{% for c in 'abc' %}{{ c }}.{% endfor %}",
    "{% for x in l if x > 1 %}{{ x }}{% endfor %}",
    "{% for a, b, c in [[1, 2, 3]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    (
        "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}"
        "{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}"
    ),
    "{% for x in range(3) %}{{ x }}{% endfor %}{% for x in range(4, 0, -2) %}{{ x }}{% endfor %}{{ range(1, 3) }}",
    "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{% for k, v in flat %}{{ loop.index }}/{{ loop.length }} {% endfor %}",
    "{% for i in blank %}{% else %}e{% endfor %}",
    "{% set x = 1 %}{% for i in l %}{% set x = x + i %}{% endfor %}{{ x }}",
    "{% for i in l %}{% set x = i %}{% endfor %}[{{ x }}]",
    "{% for i in l %}{% set s = i %}{% endfor %}[{{ s }}]",
    "{% for i in l %}{{ last }}{% set last = i %},{% endfor %}",
    "{% for i in l %}{% if not seen %}first {% set seen = true %}{% endif %}{{ i }}{% endfor %}",
    "{% set n = n + 1 %}{{ n }}",
    "{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set a, b = 3 %}{{ a }}{{ b }}",
    "{% set t %}a{{ n }}{% endset %}{{ t | upper }}",
    "{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set x = 1 %}{% macro m() %}{% set x = 2 %}{{ x }}{% endmacro %}{{ m() }}{{ x }}",
    "{% set c = 0 %}{% for i in l %}{% for j in l %}{% set c = c + 1 %}{% endfor %}{% endfor %}{{ c }}",
    "{% set out = '' %}{% for w in words %}{% set out = out + w[0] %}{% endfor %}{{ out }}",
    "{% if n > 9 %}a{% elseif n > 5 %}b{% else %}c{% endif %}",
    "{% if no %}a{% elif yes %}b{% endif %}",
    "{% raw %}{{ n }}{% endraw %}{% verbatim %}{% if %}{% endverbatim %}",
    "a{# {{ n }} #}b",
    "a {#- c -#} b",
    "{% switch n %}{% case 6 %}six{% case 7 %}seven{% default %}other{% endswitch %}",
    "{% switch digits %}{% case 42 %}number{% case '42' %}text{% endswitch %}",
    "{% switch n %}{% case 6 %}{% case 7 %}both{% default %}other{% endswitch %}",
    "{% switch missing %}{% case 1 %}one{% default %}other{% endswitch %}",
    "{% asyncEach x in l %}{{ x }}{% endeach %}",
    "{% asyncAll x in l %}{{ x }}{% endall %}",
    "{% ifAsync yes %}y{% endif %}",
    "{% filter upper %}a{{ s }}{% endfilter %}",
    "{% filter replace('a', 'b') %}aa{% endfilter %}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=4, a=5) }}",
    "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m() }}",
    "{% macro m() %}({{ caller() }}){% endmacro %}{% call m() %}x{% endcall %}",
    "{%- if true -%} a {%- endif -%} b",
    "{{- n -}} x",
    "a\n{% if true %}\nb\n{% endif %}\nc\n",
    "x\n",
    "{{ n }}\n\n",
    "{% if s is string and n is odd %}y{% endif %}",
    "{% if not s %}a{% else %}b{% endif %}",
    "{{ json | load | dump }}",
    "{{ (json | load).k | join('-') }}",
    "{{ o | dump | load | dump }}",
    "{{ o | dump(4) }}",
    "{{ o | dump(indent=2) }}",
    "{{ s | replace('o', '0') | upper | truncate(5) }}",
    "{{ l | sort | reverse | join }}",
    "{{ people | groupby('town.name') | dump }}",
    "{% for k, v in people | groupby('age') %}{{ k }}:{{ v | length }} {% endfor %}",
    "{{ people | sort(attribute='name') | join(',', 'name') }}",
    "{{ people | selectattr('ok') | join(',', 'name') }}",
    (
        "{{ 3.14159 | round(2) }} {{ 2.5 | round }} {{ -2.5 | round }} {{ 2.4 | round(0, 'ceil') }} "
        "{{ 1.005 | round(2) }}"
    ),
    (
        "{{ '3.7' | int }} {{ 'x' | int }} {{ 'x' | int(5) }} {{ '3.7' | float }} {{ 'x' | float }} "
        "{{ '0x1f' | int(0, 16) }}"
    ),
    (
        "{{ nil | default('d') }}|{{ missing | default('d') }}|{{ '' | default('d', true) }}|"
        "{{ [] | default('d', true) }}"
    ),
    "{{ 'a b c' | title }} {{ 'aBC' | capitalize }} {{ 'foo bar' | wordcount }} {{ '<b>x</b>' | striptags }}",
    "{{ 'http://a.b/c?d=e&f' | urlencode }} {{ {'a': 'b c', 'd': 1} | urlencode }}",
    "{{ 'see http://example.com' | urlize }}",
    "{{ words | batch(3) | dump }}",
    "{{ words | slice(3) | dump }}",
    "{{ [4, 2] | sum }} {{ [] | sum }} {{ ['a', 'b'] | sum }}",
    "{{ [1, 1, 2] | length }} {{ 'abc' | list | dump }} {{ flat | list | dump }}",
    "{{ 'abc' | first }}{{ 'abc' | last }}",
    "{{ [0, '', nil, 'a', [], missing] | select | dump }}",
    "{{ l | reject('even') | dump }}",
    "{{ env.HOME }}|{{ env.NOPE }}",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
    "{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}",
    "{{ range(0) | length }}",
    "{{ range.x }}",
    "{{ {a: 1, 'b': 2, n: 3} | dump }}",
    "{{ {'a': {'b': [1]}}.a.b[0] }}",
    "{{ [1, 2][1] }}",
)


def templates() -> list[str]:
    """Every template, once."""
    return list(dict.fromkeys((*WRITTEN, *_systematic(), *_random())))


def _systematic() -> Iterator[str]:
    yield from (f"{{{{ {name} }}}}" for name in ALL)
    yield from (
        f"{{{{ {a} {op} {b} }}}}" for a, op, b in product(SOME, OPERATORS, ("digits", "half", "nil", "l", "zero"))
    )
    yield from (f"{{{{ {name} | {filter_} }}}}" for name, filter_ in product(ALL, FILTERS))
    yield from (f"{{{{ {name} is {test} }}}}" for name, test in product(ALL, TESTS))
    yield from (
        f"{{{{ {name}.{method} }}}}" for name, method in product(("s", "n", "half", "l", "words", "flat"), METHODS)
    )
    yield from (f"{{% if {name} %}}t{{% else %}}f{{% endif %}}" for name in ALL)
    yield from (f"{{% for x in {name} %}}[{{{{ x }}}}]{{% else %}}-{{% endfor %}}" for name in ALL)


def _random() -> Iterator[str]:
    draw = random.Random(SEED)
    for _ in range(RANDOM_TEMPLATES):
        yield _statement(draw, 2)


def _expression(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.2:
        return draw.choice((*SOME, *SOME, "1", "'x'", "2.50", "true", "[1, 'a']", "words", "people"))
    inner = _expression(draw, depth - 1)
    match draw.randrange(5):
        case 0:
            return f"({inner} {draw.choice(OPERATORS)} {_expression(draw, depth - 1)})"
        case 1:
            return f"{inner} | {draw.choice(FILTERS)}"
        case 2:
            return f"({inner} if {_expression(draw, depth - 1)} else {_expression(draw, depth - 1)})"
        case 3:
            return f"({inner} is {draw.choice(TESTS)})"
        case _:
            return f"(not {inner})"


def _statement(draw: random.Random, depth: int) -> str:
    printed = f"{{{{ {_expression(draw, 2)} }}}}"
    if depth == 0:
        return printed
    inner = _statement(draw, depth - 1)
    match draw.randrange(5):
        case 0:
            return f"{{% if {_expression(draw, 1)} %}}{inner}{{% else %}}{printed}{{% endif %}}"
        case 1:
            return f"{{% for x in {draw.choice(LISTS)} %}}{{{{ x | dump }}}}{inner}{{% endfor %}}"
        case 2:
            return f"{{% set n = {_expression(draw, 1)} %}}{inner}{{{{ n }}}}"
        case 3:
            return f"{{% for k, v in flat %}}{{% set s = s ~ k %}}{inner}{{% endfor %}}{{{{ s }}}}"
        case _:
            return f"{printed}{inner}"


def main() -> None:
    asked = templates()
    command = [str(Path("node_modules", ".bin", "node")), "-e", NODE]
    told = subprocess.run(
        command, input=json.dumps({"vars": VARS, "templates": asked}), capture_output=True, text=True, check=True
    )
    rendered = json.loads(told.stdout)
    lines = [json.dumps(pair, ensure_ascii=False) for pair in zip(asked, rendered, strict=True)]
    body = ",\n".join(lines)
    RECORD.write_text(
        f'{{"vars": {json.dumps(VARS, ensure_ascii=False)},\n"renderings": [\n{body}\n]}}\n', encoding="utf-8"
    )


if __name__ == "__main__":
    main()
