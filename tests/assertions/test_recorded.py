"""Our verdicts beside those that promptfoo 0.123.1 gave of an `echo` provider, family by family (`recorded_*.json`).

An entry has the output, the assertion, and what promptfoo said of it: `[pass, score]`, or `error` where it raised. One
that is marked `differs` is known to have another verdict here; the mark says where that comes from.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval import assertions
from sagemaker_eval.assertions.base import ASSERTIONS, Subject
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Prompt, ProviderSpec, Response, TestCase, Verdict

assert assertions.__all__

FAMILIES = ("html", "json", "refusal", "sql", "text", "tools", "xml")
ECHO = ProviderSpec("echo", "echo")


def entries(family: str) -> list[dict[str, Any]]:
    path = Path(__file__).parent / f"recorded_{family}.json"
    return list(json.loads(path.read_text("utf-8")))


def our_verdict(entry: dict[str, Any]) -> Json:
    kind = entry["type"].removeprefix("not-")
    spec = AssertionSpec(kind, entry.get("value"), negated=kind != entry["type"], threshold=entry.get("threshold"))
    response = Response(entry["output"], attempts=0)
    prompt = Prompt(entry["output"], entry["output"], "id")
    subject = Subject(response.text, spec.value, prompt.raw, {}, TestCase(), prompt, ECHO, response)
    try:
        verdict = ASSERTIONS.get(kind)(spec)(subject)
        if not isinstance(verdict, Verdict):
            verdict = asyncio.run(awaited(verdict))
    except (ConfigError, CaseError):
        return "error"
    return [verdict.passed, pytest.approx(verdict.score)]


async def awaited(verdict: Awaitable[Verdict]) -> Verdict:
    return await verdict


@pytest.mark.parametrize("family", FAMILIES)
def test_the_verdicts_are_promptfoos_except_for_known_differences(family: str) -> None:
    unexpected = [
        entry for entry in entries(family) if (our_verdict(entry) == entry["verdict"]) is ("differs" in entry)
    ]
    assert unexpected == []


def test_little_differs() -> None:
    total = [entry for family in FAMILIES for entry in entries(family)]
    assert len(total) > 5000
    by_choice = [entry for entry in total if entry.get("differs") not in (None, "refused beforehand")]
    assert len(by_choice) < len(total) / 25


@pytest.mark.parametrize("family", FAMILIES)
def test_where_promptfoo_raises_nothing_passes(family: str) -> None:
    raised = [entry for entry in entries(family) if entry["verdict"] == "error"]
    passed = [entry for entry in raised if our_verdict(entry) != "error"]
    assert all(isinstance(entry["value"], bool) for entry in passed)  # schemas by the JSON Schema standard
