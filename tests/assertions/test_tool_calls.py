"""What tool-call-f1 says of an output."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.tool_calls import f1
from sagemaker_eval.assertions.tool_names import called_tools
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]
OPENAI = {"tool_calls": [{"type": "function", "function": {"name": "search", "arguments": "{}"}}]}
ANTHROPIC = [{"type": "text", "text": "Let me see."}, {"type": "tool_use", "name": "search", "input": {}}]
GOOGLE = {"functionCall": {"name": "search", "args": {}}}
LIVE = {"toolCall": {"functionCalls": [{"name": "search"}, {"name": "fetch"}]}}


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (OPENAI, {"search"}),
        (OPENAI["tool_calls"], {"search"}),
        (ANTHROPIC, {"search"}),
        (GOOGLE, {"search"}),
        (LIVE, {"search", "fetch"}),
        ([{"name": "search"}, {"name": "search"}], {"search"}),
        (json.dumps(OPENAI), {"search"}),
        (f"Let me see.\n{json.dumps(GOOGLE)}\nand\n{json.dumps(ANTHROPIC, indent=2)}", {"search"}),
        (f"In the middle {json.dumps(GOOGLE)} of a line", set()),
        (f"```json\n{json.dumps(GOOGLE)}\n```", set()),
        ("I call search.", set()),
        ({"answer": 42}, set()),
        (None, set()),
    ],
)
def test_names_are_found_in_the_shapes_of_all_vendors(output: Json, names: set[str]) -> None:
    assert called_tools(output) == names


@pytest.mark.parametrize(
    ("wanted", "called", "score"),
    [({"a"}, {"a"}, 1.0), ({"a", "b"}, {"a"}, 2 / 3), ({"a"}, {"b"}, 0.0), ({"a"}, set(), 0.0)],
)
def test_f1(wanted: set[str], called: set[str], score: float) -> None:
    assert f1(frozenset(wanted), frozenset(called)) == pytest.approx(score)


def test_the_score_is_f1_with_not_too(judged: Judged) -> None:
    verdict = judged(OPENAI, "tool-call-f1", "search, fetch")
    assert not verdict.passed
    assert verdict.score == pytest.approx(2 / 3)
    assert "0.667, expected to be at least 1: expected `fetch`, `search`, called `search`" in verdict.reason
    assert judged(OPENAI, "tool-call-f1", ["search", "fetch"], threshold=0.6).passed
    opposite = judged(OPENAI, "not-tool-call-f1", ["search", "fetch"])
    assert opposite.passed
    assert opposite.score == pytest.approx(2 / 3)


@pytest.mark.parametrize("value", [None, "", ",", [], [""], 5, {"name": "search"}, [["search"]]])
def test_a_value_without_names_is_refused_beforehand(judged: Judged, value: Json) -> None:
    with pytest.raises(ConfigError, match="`tool-call-f1` needs a `value`: the names of tools"):
        judged(OPENAI, "tool-call-f1", value)
