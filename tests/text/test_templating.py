from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sagemaker_eval.errors import ConfigError, Problem, RenderError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.text.templating.templates import Templates


def plain_text() -> st.SearchStrategy[str]:
    """Text that is no template, and whose end is not trimmed."""
    return st.text().filter(lambda text: not text.endswith("\n") and "{{" not in text and "{%" not in text)


def problems(templates: Templates, source: str, where: Place | None, *, whole_file: bool = False) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        templates.check(source, where, whole_file=whole_file)
    return list(caught.value.problems)


def problem(source: str, where: Place | None = None, *, whole_file: bool = False) -> Problem:
    (only,) = problems(Templates(), source, where, whole_file=whole_file)
    return only


# ---- prompts


def test_a_text_prompt_is_rendered_as_it_stands() -> None:
    prompt = Templates().prompt("Translate {{ text }} to {{language}}\r\n")
    assert prompt.render({"text": 'a "b"', "language": "French"}) == 'Translate a "b" to French\r\n'


def test_a_json_prompt_has_its_texts_rendered_and_is_indented_by_two() -> None:
    prompt = Templates().prompt('[{"role": "user", "content": "{{q}}"}, {"{{q}}": [1.0, 0.5, true, null, {}, []]}]')
    assert prompt.render({"q": 'say "hé"\nplease'}) == (
        "[\n"
        '  {\n    "role": "user",\n    "content": "say \\"hé\\"\\nplease"\n  },\n'
        '  {\n    "{{q}}": [\n      1,\n      0.5,\n      true,\n      null,\n      {},\n      []\n    ]\n  }\n'
        "]"
    )


def test_a_json_prompt_may_quote_inside_its_templates() -> None:
    prompt = Templates().prompt(r'{"inputs": "{{ name | default(\"nobody\") }}"}')
    assert json.loads(prompt.render({})) == {"inputs": "nobody"}


def test_an_object_goes_into_a_json_prompt_through_dump() -> None:
    prompt = Templates().prompt('{"inputs": "{{ form | dump }}"}')
    assert json.loads(prompt.render({"form": {"a": [1, "é"]}})) == {"inputs": '{"a":[1,"é"]}'}


def test_a_prompt_that_is_one_json_text_stays_one() -> None:
    assert Templates().prompt('"{{a}}"').render({"a": 'x"y'}) == '"x\\"y"'


@pytest.mark.parametrize("raw", ['{"x": {{n}}}', "[1, 2", "{{n}}", '{"a": NaN, "b": "{{n}}"}', "[" * 5000])
def test_what_is_not_json_is_text(raw: str) -> None:
    assert Templates().prompt(raw).render({"n": 3}) == raw.replace("{{n}}", "3")


@given(plain_text())
@example("\r\n x \ufdd0 \r")
@example("$& $1 $$ \\ {# not a comment #} }} %}")
def test_a_text_arrives_byte_for_byte(text: str) -> None:
    templates = Templates()
    vars = templates.expand({"v": text})
    assert templates.prompt("{{v}}").render(vars) == text
    assert json.loads(templates.prompt('{"a": ["{{v}}"]}').render(vars)) == {"a": [text]}


@given(st.text(alphabet="ab \r\n\ufdd001", max_size=20))
def test_the_literal_text_of_a_template_arrives_byte_for_byte(text: str) -> None:
    assert Templates().prompt(text + "{{v}}" + text).render({"v": "V"}) == text + "V" + text


def test_a_prompt_tells_the_variables_it_takes() -> None:
    templates = Templates()
    assert templates.prompt("{{a.b}}{% for c in d %}{{c}}{{env.X}}{{range(2)}}{{null}}{% endfor %}").variables == {
        "a",
        "d",
    }
    assert templates.prompt('["{{a}}", {"k": "{{b | dump}}"}]').variables == {"a", "b"}
    assert templates.variables("{{ _conversation.length }}") == {"_conversation"}
    assert templates.variables("none") == frozenset()


# ---- assertion values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{{a}}!", "A!"),
        ("plain", "plain"),
        (["{{a}}", 1, ["{{a}}"], None], ["A", 1, ["{{a}}"], None]),
        ({"k": "{{a}}"}, {"k": "{{a}}"}),
        (5, 5),
        (None, None),
        ('{"k": "{{a}}"}', '{"k": "A"}'),
    ],
)
def test_a_value_is_rendered_where_it_is_text_or_a_list_of_texts(value: Json, expected: Json) -> None:
    assert Templates().render_value(value, {"a": "A"}) == expected


def test_a_value_that_is_no_template_is_a_render_error() -> None:
    with pytest.raises(RenderError, match=r"^unknown filter `nope` in a template$"):
        Templates().render_value("{{ a | nope }}", {})


# ---- checking


def test_what_is_fine_passes_the_check() -> None:
    Templates().check("{% if a %}{{ b | upper }}{% endif %} {# note #}", None)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ a", "template syntax: unexpected end of template, expected `}}`"),
        ("{{ a b }}", "template syntax: expected token `}}`, got `b`"),
        ("{% fi %}", "template syntax: unknown tag `fi`"),
        (
            "{% if a %}",
            "template syntax: unexpected end of template, expected `elif` or `else` or `endif` to close `if`",
        ),
        (
            "{% for x in y %}{% endif %}",
            "template syntax: unknown tag `endif`, expected `endfor` or `else` to close `for`",
        ),
        ("{# a", "template syntax: missing end of comment tag"),
        ("{{ a && b }}", "template syntax: unexpected char `&` at 5"),
        ("{% include 'x' %}", "`include` has no other template to take"),
        ("{% from 'x' import y %}", "`from` has no other template to take"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "the template is nested too deeply or too long"),
        ("{{ " + "1" * 5000 + " }}", "the template is nested too deeply or too long"),
    ],
)
def test_a_template_that_cannot_be_read_is_explained(source: str, message: str) -> None:
    assert problem(source).message == message


def test_an_unknown_filter_or_test_is_named_with_the_nearest_one() -> None:
    where = Place("c.yaml", 4, 9)
    found = problems(Templates(), "{{ a | uper }}\n{% if a is strin %}{% endif %}", where)
    assert [str(each) for each in found] == [
        "c.yaml:4:9: unknown filter `uper` in a template (line 1 of the template)",
        "c.yaml:4:9: unknown test `strin` in a template (line 2 of the template)",
    ]
    assert [each.hint for each in found] == ["did you mean `upper`?", "did you mean `string`?"]


@pytest.mark.parametrize(
    ("where", "place"),
    [(Place("p.txt"), "p.txt:3"), (Place("p.txt", 10, 1), "p.txt:12")],
)
def test_in_a_file_of_its_own_the_line_of_the_template_is_a_line_of_the_file(where: Place, place: str) -> None:
    assert str(problem("a\nb\n{{ c", where, whole_file=True).where) == place


def test_a_prompt_is_checked_when_it_is_made() -> None:
    with pytest.raises(ConfigError, match=r"^p\.txt:2: template syntax: "):
        Templates().prompt("a\n{{ b", Place("p.txt"), whole_file=True)
    with pytest.raises(ConfigError, match=r"^c\.yaml:7: unknown filter `nope` in a template$"):
        Templates().prompt('["{{ a | nope }}"]', Place("c.yaml", 7))


# ---- notices


def test_each_missing_variable_is_told_once() -> None:
    told: list[str] = []
    templates = Templates({}, told.append)
    for _ in range(2):
        assert (
            templates.prompt("[{{ topic }}{{ topic | upper }}{{ topic.a.b }}{{ o.x }}{{ env.KEY }}]").render({"o": {}})
            == "[]"
        )
    assert told == [
        "variable `topic` is not defined; it renders as empty",
        "`x` is not defined on the object it is asked of; it renders as empty",
        "environment variable `KEY` is not set; it renders as empty",
    ]


def test_asking_whether_a_variable_is_there_tells_nothing() -> None:
    told: list[str] = []
    source = "{% if a %}{% endif %}{{ a | default('') }}{{ 'x' if a is defined }}{{ a or '' }}{{ null }}"
    assert Templates({}, told.append).prompt(source).render({}) == ""
    assert told == []


def test_a_printed_object_is_json_and_told_once() -> None:
    told: list[str] = []
    templates = Templates({}, told.append)
    assert templates.prompt("{{ o }}{{ [o] }}").render({"o": {"a": 1.0, "b": None}}) == '{"a":1,"b":null}' * 2
    assert told == ["an object is printed as its JSON; write `| dump` where that is meant"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ topic }}", "variable `topic` is not defined"),
        ("{{ 'a' ~ topic }}", "variable `topic` is not defined"),
        ("{% for a in topic %}{% endfor %}", "variable `topic` is not defined"),
        ("{{ env.NO }}", "environment variable `NO` is not set"),
    ],
)
def test_strict_templates_refuse_what_is_not_defined(source: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        Templates(strict=True).prompt(source).render({})
    assert caught.value.message == message


def test_environment_variables_are_looked_up_one_by_one() -> None:
    templates = Templates({"HOME": "/h"})
    assert templates.prompt("{{ env.HOME }}{{ env['HOME'] }}{{ env.NO | default('-') }}").render({}) == "/h/h-"
    for source in ("{{ env }}", "{{ env | dump }}", "{{ 'a' ~ env }}", "{{ [env] }}"):
        with pytest.raises(RenderError):
            templates.prompt(source).render({})


# ---- failures


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ f(1) }}", "variable `f` is not defined, so it cannot be called"),
        ("{{ o.items() }}", "`items` is not defined on the object it is asked of, so it cannot be called"),
        ("a\n{{ s.nope() }}\n",
         "`nope` is not defined on text it is asked of, so it cannot be called (line 2 of the template)"),
        ("{{ s() }}", "text cannot be called"),
        ("{{ s.slice('a') }}", "`slice` cannot be called with these arguments"),
        ("{{ s | batch(2, 3, 4) }}", "the filter `batch` cannot take text with these arguments"),
        ("{{ f + 1 }}", "variable `f` is not defined, so `+` cannot compute with it"),
        ("{{ 1 in 5 }}", "`in` needs a list, a text or an object to look in, not a number"),
        ("{{ range }}", "a function cannot be printed"),
        ("{{ l.push(1) }}", "`push` would change a list that other cases share"),
        ("{{ s | load }}", "the filter `load` needs JSON text (Expecting value: line 1 column 1 (char 0))"),
        ("{{ range(100001) }}", "`range` goes up to 100000 items"),
        ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
         "the loops and macros of this template make more than 1000000 rounds"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "the template calls itself without end"),
        ("{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "macro `m` takes not more than 1 argument(s)"),
        ("{{ 'a'.repeat(10000000) }}", "a text of 10000000 characters is more than a template may make"),
        ("{{ l['a':] }}", "the bounds of a slice are whole numbers"),
        ("{{ s is odd(1) }}", "the test `odd` cannot take text with these arguments"),
        ("{{ l | map('nope') }}", "no filter named `nope`"),
    ],
)  # fmt: skip
def test_a_failing_template_says_what_failed(source: str, message: str) -> None:
    with pytest.raises(RenderError) as caught:
        Templates().prompt(source).render({"s": "text", "o": {}, "l": [1]})
    assert caught.value.message == message


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'].__mro__ }}",
        "{{ l.__len__() }}",
        "{{ range.__globals__ }}",
        "{{ s.format.__self__ }}",
        "{% macro m() %}{% endmacro %}{{ m.__init__ }}",
        "{{ [''] | map(attribute='__class__') }}",
        "{{ s.upper.__func__ }}",
        "{{ undefined.__class__ }}",
    ],
)
def test_templates_cannot_walk_into_python(source: str) -> None:
    with pytest.raises(RenderError, match=r"^the attribute `__\w+__` is out of bounds for templates$"):
        Templates().prompt(source).render({"s": "", "l": []})


@pytest.mark.parametrize("source", ["{{ s | attr('x') }}", "{{ s | format(1) }}", "{{ s | pprint }}"])
def test_filters_that_reach_into_python_do_not_exist(source: str) -> None:
    with pytest.raises(ConfigError, match=r"^unknown filter"):
        Templates().prompt(source)


@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{%", "%}", "{#", "#}", " a ", " s ", ".b", "|upper", "|dump", "|sort", "(", ")", "[", "]",
             "'x'", "1", " if ", " else ", " for ", " in ", " set ", " endif ", " endfor ", " = ", "==", "=", "+", "~",
             ",", "-", " not ", " is ", " odd", "text", "\r\n", "{", "}", ":", "%"]
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
def test_nothing_but_expected_errors_comes_out(source: str) -> None:
    templates = Templates()
    vars: dict[str, Json] = {"a": {"b": [1, None]}, "s": "text"}
    try:
        assert isinstance(templates.prompt(source).render(vars), str)
    except (ConfigError, RenderError) as error:
        assert "\n" not in str(error)
