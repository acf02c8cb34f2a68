"""What an assertion is, what it is shown, and the registry of kinds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sagemaker_eval.model import AssertionSpec, Json, Prompt, ProviderSpec, Response, TestCase, Verdict
from sagemaker_eval.registry import Registry


@dataclass(frozen=True, slots=True)
class Subject:
    """What an assertion judges: one output, and the case it belongs to.

    `text` is the output as assertions see it (a string, or the compact JSON of anything else); `value` is the
    assertion's own value with its templates rendered for this case.
    """

    text: str
    value: Json
    prompt: str
    vars: Mapping[str, Json]
    test: TestCase
    template: Prompt
    provider: ProviderSpec
    response: Response


Check = Callable[[Subject], Verdict | Awaitable[Verdict]]
"""Judges one subject. Never raises for an output that is merely wrong; a `CaseError` means that it cannot decide."""

Assertion = Callable[[AssertionSpec], Check]
"""Prepares the check of one spec, before anything is sent.

Raises `ConfigError` where the spec can never be judged (no value, a broken pattern, an invalid schema); such an error
needs no place: whoever prepares adds `spec.where`. The check ignores `spec.negated`: `judging` turns the verdict round.
"""

ASSERTIONS: Registry[Assertion] = Registry("assertion type")
