from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sagemaker_eval.config.test_cases import TestContext, build_test, read_default_test
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Place, ProviderSpec, TestCase, UserCode

KINDS = ("contains", "equals")
WHERE = Place("sageval.yaml", pointer=("tests", 0))
DEFAULT_WHERE = Place("sageval.yaml", pointer=("defaultTest",))


def built(raw: Json, default: Json = None, **context: Any) -> TestCase:
    plain = TestContext(KINDS, ".", **context)
    return build_test(raw, WHERE, replace(plain, default=defaults(default, plain)[0]))


def defaults(raw: Json, context: TestContext = TestContext(KINDS, ".")) -> tuple[TestCase, list[str]]:
    notices: list[str] = []
    return read_default_test(raw, DEFAULT_WHERE, context, {}, notices.append), notices


def refused(raw: Json, **context: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        built(raw, **context)
    return [problem.message for problem in caught.value.problems]


def types(test: TestCase) -> list[str]:
    return [spec.type for spec in test.assertions]


def test_every_key() -> None:
    provider = ProviderSpec("echo", "echo")
    test = built(
        {
            "description": "all of it",
            "vars": {"a": 1},
            "assert": [{"type": "not-contains", "value": "x", "metric": "m", "weight": 2}],
            "threshold": 0.5,
            "options": {"prefix": "> ", "temperature": 0.1, "transform": "output.trim()"},
            "metadata": {"kind": "easy"},
            "provider": "echo",
            "providers": ["echo", "other"],
            "prompts": ["first"],
            "providerOutput": {"text": "canned"},
            "assertScoringFunction": "file://score.py:mean",
        },
        build_provider=lambda raw, where: provider,
    )
    code = UserCode("output.trim()")
    assert test == TestCase(
        description="all of it",
        vars={"a": 1},
        assertions=(
            AssertionSpec(
                "contains",
                "x",
                True,
                weight=2,
                metric="m",
                where=Place("sageval.yaml", None, None, ("tests", 0, "assert", 0)),
            ),
        ),
        threshold=0.5,
        options={"prefix": "> ", "temperature": 0.1, "transform": code},
        metadata={"kind": "easy"},
        provider=provider,
        providers=("echo", "other"),
        prompts=("first",),
        provider_output={"text": "canned"},
        scoring=UserCode("file://score.py:mean"),
        where=WHERE,
    )
    assert test.options["transform"].where == Place("sageval.yaml", pointer=("tests", 0, "options", "transform"))


def test_what_a_test_inherits() -> None:
    default = {
        "vars": {"a": 1, "b": 2},
        "assert": [{"type": "equals", "value": "x"}],
        "threshold": 0.5,
        "options": {"prefix": "> ", "repeat": 2},
        "metadata": {"a": 1, "b": 2},
        "providers": ["one"],
        "prompts": ["first"],
        "assertScoringFunction": "file://score.py",
    }
    own = {"vars": {"c": 4, "b": 3}, "assert": [{"type": "contains", "value": "y"}], "options": {"repeat": 3}}
    test = built({**own, "metadata": {"b": 3}, "providers": ["two"], "threshold": 0}, default)
    assert list(test.vars.items()) == [("a", 1), ("b", 3), ("c", 4)]
    assert types(test) == ["equals", "contains"]
    assert (test.threshold, test.options, test.metadata) == (0, {"prefix": "> ", "repeat": 3}, {"a": 1, "b": 3})
    assert (test.providers, test.prompts) == (("two",), ("first",))
    assert test.scoring == UserCode("file://score.py")


def test_default_assertions_can_be_disabled() -> None:
    default = {"assert": [{"type": "equals", "value": "x"}]}
    own = {"assert": [{"type": "contains", "value": "y"}]}
    assert types(built({**own, "options": {"disableDefaultAsserts": True}}, default)) == ["contains"]
    assert types(built({**own, "options": {"disableDefaultAsserts": False}}, default)) == ["equals", "contains"]


def test_what_has_no_effect_in_the_default_test_is_told() -> None:
    raw = {"description": "x", "providerOutput": "y", "options": {"disableDefaultAsserts": True}}
    default, notices = defaults(raw)
    assert (default.description, default.provider_output) == (None, None)
    assert [notice.split()[0] for notice in notices] == ["`description`", "`providerOutput`", "`disableDefaultAsserts`"]
    assert types(built({"vars": {}}, {**raw, "assert": [{"type": "equals", "value": "x"}]})) == ["equals"]


def test_an_empty_provider_output_is_none() -> None:
    assert built({"vars": {}, "providerOutput": ""}).provider_output is None


def test_the_old_name_of_transform() -> None:
    notices: list[str] = []
    test = built({"options": {"postprocess": "output"}}, {"options": {"transform": "x"}}, notice=notices.append)
    assert test.options == {"transform": UserCode("output")}
    assert notices == ["`postprocess` is the old name of `transform`: it has the same effect"]


def test_tests_with_the_same_provider_share_it() -> None:
    built_ids: list[Json] = []

    def build(raw: Json, where: Place) -> ProviderSpec:
        built_ids.append(raw)
        return ProviderSpec(str(raw), "echo")

    context = TestContext(KINDS, ".", build_provider=build)
    specs = [build_test({"provider": raw}, WHERE, context).provider for raw in ("a", {"id": "a"}, "a", {"id": "a"})]
    assert built_ids == ["a", {"id": "a"}]
    assert specs[0] is specs[2]
    assert specs[1] is specs[3]


@pytest.mark.parametrize(
    ("raw", "messages"),
    [
        ({}, ["the test is empty"]),
        (
            {"description": "only a name", "vars": None},
            ["the test has none of `assert`, `vars`, `options`, `metadata`, `provider`, `providerOutput`, `threshold`"],
        ),
        ({"vars": {}, "assert": {"type": "equals"}}, ["`assert` must be a list of assertions, not a map"]),
        ({"assert": ["equals"]}, ["`assert[0]` must be a map with a `type`, not the text `equals`"]),
        ({"assert": [{"value": 1}]}, ["`type` is missing in an assertion"]),
        (
            {"assert": [{"type": "equals"}] * 10_001},
            ["`assert` has 10,001 assertions, and a test may have 10,000"],
        ),
        ({"vars": {}, "provider": 3}, ["`provider` must be the id of a provider, or a map, not the number `3`"]),
        ({"vars": {}, "provider": "echo"}, ["`provider` is not yet supported"]),
        ({"vars": {}, "providers": "echo"}, ["`providers` must be a list, not the text `echo`"]),
        ({"vars": {}, "prompts": [""]}, ["`prompts[0]` must not be empty"]),
        ({"vars": {}, "providerOutput": 3}, ["`providerOutput` must be text or a map, not the number `3`"]),
        (
            {"vars": {}, "assertScoringFunction": "score.py"},
            [
                "`assertScoringFunction` must name a script: `file://script.js` or `file://script.py`, with "
                "`:function` or without, not the text `score.py`"
            ],
        ),
        (
            {"options": {"transform": "a", "postprocess": "b"}},
            ["`transform` and `postprocess` stand side by side"],
        ),
        (
            {"options": {"runSerially": "soon", "storeOutputAs": "", "prefix": 3, "transformVars": ["x"]}},
            [
                "`prefix` must be text, not the number `3`",
                "`transformVars` must be text, not a list",
                "`storeOutputAs` must not be empty",
                "`runSerially` must be true or false, not the text `soon`",
            ],
        ),
        (
            {"options": {"rubricPrompt": 7, "provider": {"txt": "y", "text": "echo"}}},
            [
                "unknown role `txt` of a grader",
                "`provider` is not yet supported",
                "`rubricPrompt` must be text, a list or a map, not the number `7`",
            ],
        ),
    ],
)
def test_what_is_refused(raw: Json, messages: list[str]) -> None:
    assert refused(raw) == messages


def test_all_problems_of_a_test_are_told_at_once() -> None:
    raw = {"vars": 1, "options": {"repeat": 0}, "assert": [{"type": "nothing"}], "provider": [], "unknown": 1}
    assert len(refused(raw)) == 5
