"""Members of a call for one case; and the whole way of a key from a configuration to a header."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import sagemaker_eval.formats  # noqa: F401 - files the formats in their registry
from sagemaker_eval.config.routing_members import MEMBERS
from sagemaker_eval.errors import CaseError
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.model import Request, Sampling
from sagemaker_eval.sagemaker.routing import rendered_routing
from sagemaker_eval.sagemaker.service import serialize


def rendering(**values: str) -> Callable[[str], str]:
    """Puts values in place of `{{name}}`."""

    def render(text: str) -> str:
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", value)
        return text

    return render


def never(text: str) -> str:
    return pytest.fail(f"`{text}` is no template")


def test_templates_are_rendered_and_members_sorted() -> None:
    routing = {"TargetVariant": "blue", "InferenceId": "run-{{id}}"}
    assert rendered_routing(routing, rendering(id="7")) == (("InferenceId", "run-7"), ("TargetVariant", "blue"))


def test_what_is_no_template_is_not_rendered() -> None:
    assert rendered_routing({}, never) == ()
    assert rendered_routing({"EnableExplanations": "`true`"}, never) == (("EnableExplanations", "`true`"),)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in MEMBERS),
        *((name, "line\nbreak") for name in MEMBERS),
        *((name, "Grüße") for name in MEMBERS),
        *((name, "x" * (member.longest + 1)) for name, member in MEMBERS.items()),
        ("TargetVariant", "a_b"),
        ("TargetVariant", "-a"),
        ("SessionId", "NEW_SESSIONS"),
        ("InferenceId", " a"),
    ],
)
def test_a_value_that_the_service_refuses_is_an_error_of_its_case(name: str, value: str) -> None:
    with pytest.raises(CaseError, match=rf"^`{MEMBERS[name].key}` must be 1 to {MEMBERS[name].longest} ") as caught:
        rendered_routing({name: "{{value}}"}, rendering(value=value))
    assert caught.value.hint == "it was made of the template `{{value}}`"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "x" * member.longest) for name, member in MEMBERS.items()),
        ("SessionId", "NEW_SESSION"),
        ("CustomAttributes", "accept_eula=true; c=d"),
        ("EnableExplanations", "`[0]` > `1`"),
        ("TargetModel", "a b.tar.gz"),
    ],
)
def test_a_value_that_the_service_takes_is_sent(name: str, value: str) -> None:
    assert rendered_routing({name: "{{value}}"}, rendering(value=value)) == ((name, value),)


def test_custom_attributes_are_shown_in_no_message() -> None:
    with pytest.raises(CaseError) as caught:
        rendered_routing({"CustomAttributes": "{{value}}"}, rendering(value="secret ü"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("model_type", FORMATS.names())
def test_a_licence_is_accepted_by_nobody_but_the_user(model_type: str) -> None:
    body = FORMATS.get(model_type).body("Hi", Sampling(), "application/json")
    path, headers = serialize(Request("endpoint", body, routing=rendered_routing({}, never)))
    assert "eula" not in f"{body!r} {path} {headers}".lower()


def test_a_licence_that_the_user_accepts_is_accepted() -> None:
    routing = rendered_routing({"CustomAttributes": "accept_eula=true"}, never)
    assert serialize(Request("e", b"", routing=routing))[1]["X-Amzn-SageMaker-Custom-Attributes"] == "accept_eula=true"
