"""Who answers, and what a call is marked with: from the keys of a configuration to the members of the operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.config.routing_members import BY_KEY
from sagemaker_eval.model import Json, Operation

if TYPE_CHECKING:
    from tests.config.conftest import Build, Configure, Refuse

SWITCHES: dict[Operation, dict[str, Json]] = {
    Operation.INVOKE: {},
    Operation.STREAM: {"stream": True},
    Operation.ASYNC: {"async": True},
    Operation.OPENAI: {"transport": "openai"},
}


def test_nothing_is_sent_that_is_not_written(configure: Configure) -> None:
    assert configure({}).routing == {}
    assert configure({}, id="sagemaker:jumpstart:meta-textgeneration-llama-2-7b").routing == {}


@pytest.mark.parametrize("key", BY_KEY)
def test_a_key_is_the_member_of_its_name(configure: Configure, key: str) -> None:
    assert configure({key: "{{value}}"}).routing == {BY_KEY[key].name: "{{value}}"}
    assert configure({key: "a1"}).routing == {BY_KEY[key].name: "a1"}


@pytest.mark.parametrize("operation", SWITCHES)
@pytest.mark.parametrize("key", BY_KEY)
def test_an_operation_has_only_members_of_its_own(
    configure: Configure, refuse: Refuse, operation: Operation, key: str
) -> None:
    config = {key: "a1", **SWITCHES[operation]}
    if operation in BY_KEY[key].operations:
        assert configure(config).routing == {BY_KEY[key].name: "a1"}
    else:
        (told,) = refuse(config=config)
        assert told.startswith(f"`{key}` does not go with `")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("accept_eula=true", "accept_eula=true"),
        ({"accept_eula": True}, "accept_eula=true"),
        ({"trace": "{{id}}", "n": 3, "share": 0.5, "on": False}, "trace={{id}},n=3,share=0.5,on=false"),
        ({"filter": "a=b;c"}, "filter=a=b;c"),
        ({"list": "{{ items | join(',') }}"}, "list={{ items | join(',') }}"),
    ],
)
def test_custom_attributes_are_text_or_a_map(configure: Configure, written: Json, sent: str) -> None:
    assert configure({"customAttributes": written}).routing == {"CustomAttributes": sent}


@pytest.mark.parametrize(
    "written",
    ["", "ü", "two\nlines", "x" * 1025, 7, [], {}, {"a": "b,c"}, {"a=b": "c"}, {" ": "a"}, {"a": None}, {"a": ["b"]}],
)
def test_custom_attributes_that_cannot_be_sent(refuse: Refuse, written: Json) -> None:
    assert len(refuse(config={"customAttributes": written})) == 1


@pytest.mark.parametrize(("written", "sent"), [(True, "`true`"), (False, "`false`"), ("[0] > `1`", "[0] > `1`")])
def test_explanations_are_asked_for_by_an_expression(configure: Configure, written: Json, sent: str) -> None:
    assert configure({"enableExplanations": written}).routing == {"EnableExplanations": sent}


@pytest.mark.parametrize("key", sorted({*BY_KEY} - {"customAttributes"}))
@pytest.mark.parametrize("value", ["", "ü", "a\nb", "x" * 1025])
def test_values_that_the_service_refuses(refuse: Refuse, key: str, value: str) -> None:
    (told,) = refuse(config={key: value})
    assert told.startswith(f"`{key}` must ")


def test_a_new_session_cannot_be_streamed(configure: Configure, refuse: Refuse) -> None:
    assert configure({"sessionId": "NEW_SESSION"}).routing == {"SessionId": "NEW_SESSION"}
    assert refuse(config={"sessionId": "NEW_SESSION", "stream": True}) == [
        "`sessionId: NEW_SESSION` cannot be streamed"
    ]


def test_variants_are_columns_that_are_pinned(build: Build) -> None:
    config: dict[str, Json] = {"variants": ["blue", "green"], "inferenceId": "{{id}}"}
    blue, green = build(config=config, maxConcurrency=2)
    assert (blue.label, green.label) == ("sagemaker:mine (blue)", "sagemaker:mine (green)")
    assert (blue.id, green.id) == ("sagemaker:mine", "sagemaker:mine")
    assert dict(blue.options.routing) == {"InferenceId": "{{id}}", "TargetVariant": "blue"}
    assert green.options.routing["TargetVariant"] == "green"
    assert (blue.max_concurrency, green.max_concurrency) == (2, 2)


def test_a_label_comes_before_the_name_of_the_variant(build: Build) -> None:
    (spec,) = build(label="Chat", config={"variants": ["blue"]})
    assert spec.label == "Chat (blue)"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"variants": []}, "`variants` must not be empty"),
        ({"variants": ["a", "b", "a"]}, "`variants` must not name `a` twice"),
        ({"variants": "blue"}, "`variants` must be a list, not the text `blue`"),
        ({"variants": ["a"], "targetVariant": "b"}, "`targetVariant` stands beside `variants`"),
    ],
)
def test_variants_that_are_refused(refuse: Refuse, config: dict[str, Json], told: str) -> None:
    assert refuse(config=config) == [told]


@pytest.mark.parametrize("operation", [Operation.ASYNC, Operation.OPENAI])
def test_variants_need_an_operation_that_can_pin_them(refuse: Refuse, operation: Operation) -> None:
    (told,) = refuse(config={"variants": ["a"], **SWITCHES[operation]})
    assert told.startswith("`variants` does not go with")


def test_a_variant_is_a_name_and_no_template(refuse: Refuse) -> None:
    (told,) = refuse(config={"variants": ["{{name}}"]})
    assert "must be 1 to 63 letters, digits and inner hyphens" in told
