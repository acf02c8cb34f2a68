"""Filters that the configuration adds to templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.errors import ConfigError, RenderError
from sagemaker_eval.model import Json, Place, UserCode
from sagemaker_eval.text.templating.templates import Templates

PLACE = Place("config.yaml", pointer=("nunjucksFilters", "shout"))


def render(source: str, filters: dict[str, str], base: Path | str = ".", **vars: Json) -> str:
    return with_filters(filters, base).prompt(source).render(vars)


def with_filters(filters: dict[str, str], base: Path | str = ".", told: list[str] | None = None) -> Templates:
    codes = {name: UserCode(code, str(base), PLACE) for name, code in filters.items()}
    return Templates(notice=(told if told is not None else []).append, filters=codes)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.js", "module.exports = (value, mark = '!') => value.toUpperCase() + mark"),
        ("f.js", "exports.shout = function (value, mark) { return value.toUpperCase() + (mark || '!') }"),
        ("f.mjs", "export default (value, ...args) => value.toUpperCase() + (args[0] ?? '!')"),
        ("f.py", "def shout(value, mark='!'):\n    return value.upper() + mark\n"),
    ],
)
def test_a_filter_from_a_file_takes_arguments(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    filters = {"shout": f"file://{name}"}
    assert render("{{ v | shout }} {{ v | shout('?') }}", filters, tmp_path, v="hi") == "HI! HI?"


@pytest.mark.parametrize(
    "code",
    [
        "value.toUpperCase() + args.length",
        "(value, ...args) => value.toUpperCase() + args.length",
        "python: value.upper() + str(len(args))",
        "python: lambda value, *args: value.upper() + str(len(args))",
    ],
)
def test_an_inline_filter_sees_value_and_args(code: str) -> None:
    assert render("{{ v | shout(1, 2) | trim }}", {"shout": code}, v=" hi ") == "HI 2"


def test_filters_work_wherever_templates_do() -> None:
    templates = with_filters({"shout": "value.toUpperCase()"})
    assert templates.expand({"a": "{{ b | shout }}", "b": "x"}) == {"a": "X", "b": "x"}
    assert templates.render_value(["{{ v | shout }}"], {"v": "x"}) == ["X"]
    assert templates.prompt('{"a": "{{ v | shout }}"}').render({"v": 'a"'}) == '{\n  "a": "A\\""\n}'
    assert templates.prompt("{% filter shout %}a{% endfilter %}").render({}) == "A"


def test_a_filter_may_return_a_value_of_any_sort() -> None:
    assert render("{% for x in v | parts %}{{ x.n }};{% endfor %}", {"parts": "[{n: 1}, {n: value}]"}, v=2) == "1;2;"


def test_keyword_arguments_are_one_last_object_of_a_javascript_filter() -> None:
    assert render("{{ 1 | f(2, a=3) | dump }}", {"f": "[value, ...args]"}) == '[1,2,{"a":3,"__keywords":true}]'
    with pytest.raises(
        RenderError, match=r"^the filter `f` is written in Python, and takes its arguments by position$"
    ):
        render("{{ 1 | f(a=3) }}", {"f": "python: value"})


def test_undefined_is_null_to_a_filter() -> None:
    assert render("{{ missing | f }}", {"f": "value === null"}) == "true"


def test_a_filter_that_returns_nothing_is_told_once() -> None:
    told: list[str] = []
    templates = with_filters({"f": "undefined"}, told=told)
    assert templates.prompt("[{{ 1 | f }}{{ 2 | f }}]").render({}) == "[]"
    assert told == ["the filter `f` returned nothing; it renders as empty"]


def test_a_filter_may_take_the_place_of_a_built_in_one() -> None:
    told: list[str] = []
    templates = with_filters({"upper": "value + '!'"}, told=told)
    assert templates.prompt("{{ 'a' | upper }}").render({}) == "a!"
    assert told == ["the filter `upper` of the configuration takes the place of the built-in one"]
    assert Templates().prompt("{{ 'a' | upper }}").render({}) == "A"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("value.no.x", "filter `f`: the code raised TypeError: cannot read property 'x' of undefined"),
        ("let x = 1;\nreturn value.no.x", "filter `f`: line 2 of the code raised TypeError: "),
        ("python: value['no']", "filter `f`: the code raised TypeError: "),
        ("python: {value}", "filter `f`: the function returned what is not JSON: a value of type `set`"),
    ],
)
def test_a_filter_that_fails_is_a_render_error_with_its_line(code: str, message: str) -> None:
    with pytest.raises(RenderError) as raised:
        render("{{ v | f }}", {"f": code}, v="x")
    assert raised.value.message.startswith(message)


def test_what_is_no_json_cannot_be_given_to_a_filter() -> None:
    with pytest.raises(RenderError, match=r"^the filter `f` cannot be given a function"):
        render("{{ range | f }}", {"f": "value"})


def test_every_filter_that_cannot_be_loaded_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError) as raised:
        with_filters({"a": "value.", "b": "file://no.js", "c": "python: lambda: 1", "d e": "value", "ok": "value"})
    assert [problem.where for problem in raised.value.problems] == [PLACE] * 4
    assert [problem.message for problem in raised.value.problems][1:] == [
        "the script `no.js` does not exist",
        "the function `<lambda>` cannot be called as the filter `c`",
        "`d e` is not a name that a template can call a filter by",
    ]


def test_the_name_of_a_filter_is_known_to_the_check() -> None:
    templates = with_filters({"shout": "value"})
    with pytest.raises(ConfigError, match="unknown filter `shot` in a template") as raised:
        templates.check("{{ v | shot }}", None)
    assert raised.value.problems[0].hint == "did you mean `shout`?"
