from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import RenderError
from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.templates import Templates


def expanded(**vars: Json) -> dict[str, Json]:
    return Templates({"REGION": "eu-west-1"}).expand(vars)


def failure(**vars: Json) -> RenderError:
    with pytest.raises(RenderError) as caught:
        Templates().expand(vars)
    return caught.value


def test_one_trailing_newline_is_removed_from_each_text() -> None:
    assert expanded(a="x\n", b="x\n\n", c="\n", d=["x\n"], e=None) == {
        "a": "x",
        "b": "x\n",
        "c": "",
        "d": ["x\n"],
        "e": None,
    }


def test_the_given_variables_stay_as_they_are() -> None:
    vars = {"a": "{{b}}", "b": "x\n"}
    Templates().expand(vars)
    assert vars == {"a": "{{b}}", "b": "x\n"}


def test_variables_may_mention_each_other_in_any_order_and_depth() -> None:
    vars = {f"v{number}": f"{{{{ v{number + 1} }}}}." for number in range(20)} | {"v20": "end\n"}
    assert expanded(**vars)["v0"] == "end" + "." * 20


def test_a_variable_is_a_whole_template() -> None:
    assert (
        expanded(a="{{ b | upper }}{% if b %}!{% endif %} {{ l }} {{ env.REGION }}", b="x", l=[1, 2])["a"]
        == "X! 1,2 eu-west-1"
    )


def test_marks_of_replacement_patterns_mean_nothing() -> None:
    assert expanded(a="<{{b}}>", b="$& $1 $$ \\1 \\g<0>")["a"] == "<$& $1 $$ \\1 \\g<0>>"


def test_templates_inside_lists_and_objects_stay_literal() -> None:
    assert expanded(a="x", b=["{{a}}"], c={"k": "{{a}}"}) == {"a": "x", "b": ["{{a}}"], "c": {"k": "{{a}}"}}


def test_raw_blocks_keep_their_text_through_further_references() -> None:
    assert expanded(a="{{b}}", b="{% raw %}{{ c }}{% endraw %}", c="x") == {"a": "{{ c }}", "b": "{{ c }}", "c": "x"}


def test_what_is_defined_is_filled_in_beside_what_is_not() -> None:
    assert expanded(a="{{b}}: {{ absent }}, {{ b | upper }}", b="x")["a"] == "x: {{ absent }}, {{ b | upper }}"


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("Dear {{ name }}", "variable `a` mentions `name`, which is not defined; its text is used as it is"),
        (
            "{{ name | upper }}",
            "variable `a` mentions `name`, which is not defined; its text is used as it is",
        ),
        (
            "{{#each x}}",
            "variable `a` cannot be read as a template (template syntax: unexpected char `#` at 2); "
            "its text is used as it is",
        ),
    ],
)
def test_data_that_only_looks_like_a_template_stays_literal(text: str, notice: str) -> None:
    told: list[str] = []
    templates = Templates(notice=told.append)
    for _ in range(2):
        vars = templates.expand({"a": text, "b": "x"})
        assert templates.prompt("{{ a }}").render(vars) == text
    assert told == [notice]


def test_strict_templates_refuse_data_that_mentions_the_unknown() -> None:
    with pytest.raises(RenderError, match=r"^variable `a` mentions `name`, which is not defined$"):
        Templates(strict=True).expand({"a": "{{ name }}"})


@pytest.mark.parametrize(
    ("vars", "message"),
    [
        ({"a": "{{ a }}"}, "variable `a` refers to itself (`a` → `a`)"),
        ({"a": "{{ b }}", "b": "{{ c | e }}", "c": "{{ a }}"}, "variable `a` refers to itself (`a` → `b` → `c` → `a`)"),
        ({"x": "{{ a }}", "a": "{{ b }}", "b": "{{ a }}"}, "variable `a` refers to itself (`a` → `b` → `a`)"),
    ],
)  # fmt: skip
def test_a_circle_is_an_error(vars: dict[str, str], message: str) -> None:
    assert failure(**vars).message == message


def test_growth_without_bounds_is_an_error() -> None:
    vars = {f"v{number}": f"{{{{v{number + 1}}}}}" * 10 for number in range(7)} | {"v7": "x"}
    assert failure(**vars).message == "variable `v0` grows beyond 1000060 characters"


def test_a_long_document_may_be_mentioned() -> None:
    document = "x" * 2_000_000
    assert expanded(a="<{{ document }}>", document=document)["a"] == f"<{document}>"


def test_a_variable_whose_template_fails_is_named() -> None:
    assert failure(a="{{ b.nope() }}", b="x").message == (
        "variable `a`: `nope` is not defined on text it is asked of, so it cannot be called"
    )


def test_hundreds_of_levels_are_an_error() -> None:
    vars = {f"v{number}": f"{{{{ v{number + 1} }}}}" for number in range(500)} | {"v500": "x"}
    assert failure(**vars).message == "variable `v0` refers to others more than 100 levels deep"


@given(st.dictionaries(st.sampled_from("abc"), st.text(alphabet="abc {}%#\n|", max_size=12)))
def test_expanding_yields_texts_or_names_a_variable(vars: dict[str, str]) -> None:
    try:
        assert Templates().expand(vars).keys() == vars.keys()
    except RenderError as error:
        assert error.message.startswith("variable `")


@pytest.mark.parametrize("text", ["{" * 100_000, "\r{{" * 50_000, "{% if a " * 20_000])
def test_text_full_of_marks_that_open_nothing_takes_no_longer_than_its_length(text: str) -> None:
    assert expanded(a=text)["a"] == text
