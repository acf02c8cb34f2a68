"""What finish-reason says of an answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Response, Verdict

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("given", "wanted", "passed"),
    [("stop", "stop", True), ("STOP", "stop", True), ("length", "Stop", False), (None, "stop", False)],
)
def test_the_reason_and_its_opposite(judged: Judged, given: str | None, wanted: str, passed: bool) -> None:
    response = Response("x", finish_reason=given)
    assert judged("", "finish-reason", wanted, response=response).passed is passed
    assert judged("", "not-finish-reason", wanted, response=response).passed is not passed


@pytest.mark.parametrize(
    ("type", "given", "reason"),
    [
        ("finish-reason", "length", 'Expected the finish reason "stop"; it was "length"'),
        ("finish-reason", None, 'Expected the finish reason "stop"; the endpoint gave none'),
        ("not-finish-reason", "stop", 'Expected a finish reason other than "stop"; it was "stop"'),
    ],
)
def test_a_failure_says_what_was_given(judged: Judged, type: str, given: str | None, reason: str) -> None:
    assert judged("", type, "stop", response=Response("x", finish_reason=given)).reason == reason


@pytest.mark.parametrize("value", [None, "", 5, ["stop"]])
def test_a_value_that_is_no_reason_is_refused_beforehand(judged: Judged, value: Json) -> None:
    with pytest.raises(ConfigError, match="`finish-reason` needs a `value`: the reason as text"):
        judged("", "finish-reason", value)
