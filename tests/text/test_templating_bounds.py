"""What a template cannot do: make more than it may, go on for ever, and leave its sandbox."""

from __future__ import annotations

import pytest

from sagemaker_eval.errors import ConfigError, RenderError
from sagemaker_eval.text.templating.templates import Templates

VARS = {"s": "text", "l": [1, 2], "o": {"a": 1}}


def failure(source: str) -> str:
    with pytest.raises(RenderError) as raised:
        Templates(env={"HOME": "/home/me"}).prompt(source).render(VARS)
    return raised.value.message


@pytest.mark.parametrize(
    "source",
    [
        "{% set x = 'aaaaaaaaaa' %}{% for i in range(99) %}{% set x = x ~ x %}{% endfor %}",
        "{% set x = 'aaaaaaaaaa' %}{% for i in range(99) %}{% set x = x + x %}{% endfor %}",
        "{% set x = [1] %}{% for i in range(99) %}{% set x = x.concat(x) %}{% endfor %}",
        "{% set x = 'a' %}{% for i in range(99) %}{% set x = x.replaceAll('a', 'aa') %}{% endfor %}",
        "{% set x = 'aa' %}{% for i in range(99) %}{% set x = x | replace('a', x) %}{% endfor %}",
        "{{ 'a'.repeat(1000000) | replace('a', 'b'.repeat(1000000)) }}",
        "{{ range(1000) | join('a'.repeat(1000000)) }}",
        "{{ range(1000).join('a'.repeat(1000000)) }}",
        "{{ range(1000) | join('\\n') | indent(1000000) }}",
        "{{ 'a b '.repeat(1000) | wordwrap(1, true, 'x'.repeat(1000000)) }}",
        "{{ range(100000) | map('center', 1000000) | length }}",
        "{% set x = 'a'.repeat(1000000) %}{% for i in range(999) %}{{ x }}{% endfor %}",
        "{% set x = 'a'.repeat(1000000) %}{% set y %}{% for i in range(999) %}{{ x }}{% endfor %}{% endset %}",
    ],
)
def test_text_that_keeps_growing_is_an_error(source: str) -> None:
    assert failure(source) == "the template makes more than 200000000 characters"


@pytest.mark.parametrize(
    "source",
    [
        "{% set x = [] %}{% for i in range(99) %}{% set x = [x, x] %}{% endfor %}{{ x }}",
        "{% set x = [] %}{% for i in range(99) %}{% set x = [x, x] %}{% endfor %}{{ x | dump }}",
        "{% set x = [[], []] %}{% for i in range(99) %}{% set x = [x, x] %}{% endfor %}{{ x.flat(99) }}",
        "{{ 'abc' | batch(1000000000, 'x') }}",
        "{{ l | slice(1000000000) }}",
    ],
)
def test_lists_that_keep_growing_are_an_error(source: str) -> None:
    assert failure(source) == "the template makes more than 1000000 values"


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(1001) %}{% for j in range(1001) %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    ],
)
def test_rounds_without_end_are_an_error(source: str) -> None:
    assert failure(source) == "the loops and macros of this template make more than 1000000 rounds"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% for i in range(1000000000) %}x{% endfor %}", "`range` goes up to 100000 items"),
        ("{{ 'x'.padStart(1000000000) }}", "a text of 1000000000 characters is more than a template may make"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "the template calls itself without end"),
    ],
)
def test_one_step_may_make_so_much_and_no_more(source: str, message: str) -> None:
    assert failure(source) == message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 'x' | center(1000000000) | length }}", "1000000"),
        ("{{ 'a' * 1000000000 }}", "NaN"),
        ("{% set x = 10 %}{% for i in range(60) %}{% set x = x * x %}{% endfor %}{{ x }}", "Infinity"),
        ("{{ 10 ** 400 }} {{ -(10 ** 300) * 10 ** 300 }} {{ 2.5 ** 999 }}", "Infinity -Infinity Infinity"),
        ("{{ 1e400 }}", "Infinity"),
        (
            "{{ '<!--'.repeat(50000) | striptags | length }} {{ '<a '.repeat(50000) | striptags | length }}",
            "200000 149999",
        ),
        ("{{ '<b>a</b><!-- x -->c <i>d</i> <!-- e' | striptags }}", "ac d <!-- e"),
    ],
)
def test_what_stays_small_renders(source: str, expected: str) -> None:
    assert Templates().prompt(source).render(VARS) == expected


def test_a_long_document_renders() -> None:
    document = "line of text \r\n" * 200_000
    assert Templates().prompt("{{ d | upper }}|{{ d ~ d }}").render({"d": document}).endswith(document * 2)


def test_long_blanks_in_a_template_are_no_burden() -> None:
    blanks = " \n" * 100_000
    assert Templates().prompt(f"{blanks}{{{{ s }}}}{blanks}").render(VARS) == f"{blanks}text{blanks}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ '{0.__class__}'.format(s) }}",
        "{{ s.format_map(o) }}",
        "{{ s.constructor('x')() }}",
        "{{ self._TemplateReference__context }}",
        "{% for x in l %}{{ loop._iterator }}{% endfor %}",
        "{{ cycler.__init__.__globals__ }}",
        "{% set c = cycler(1) %}{{ c._last }}",
        "{% set n = namespace(a=1) %}{{ n._Namespace__attrs }}",
        "{% macro m() %}{% endmacro %}{{ m._func }}",
        "{{ l | map('attr', '__class__') }}",
        "{{ l | selectattr('__class__') }}",
        "{{ l | sort(attribute='__class__') }}",
        "{{ l | groupby('real.__class__') }}",
        "{{ l | join(',', '__class__') }}",
        "{{ env }}",
        "{{ env.__class__ }}",
        "{{ self }}",
    ],
)
def test_nothing_leads_out_of_the_sandbox(source: str) -> None:
    assert failure(source)


@pytest.mark.parametrize(
    "source",
    ["{{ context }}", "{{ environment }}", "{{ s.upper.owner }}", "{{ l.real }}", "{{ missing._undefined_name }}"],
)
def test_what_python_has_is_not_there(source: str) -> None:
    assert Templates().prompt(source).render(VARS) == ""


@pytest.mark.parametrize("source", ["{{ r/ab+c/gi.test(s) }}", r"{{ s | replace(r/\d+/g, '') }}"])
def test_a_regex_literal_is_refused_by_name(source: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Templates().prompt(source)
    (problem,) = raised.value.problems
    assert problem.message == "template syntax: regular expressions such as `r/.../` cannot be used in templates"
    assert "nunjucksFilters" in str(problem.hint)


def test_a_division_is_no_regex() -> None:
    assert Templates().prompt("{{ r / 2 }}").render({"r": 4}) == "2"
