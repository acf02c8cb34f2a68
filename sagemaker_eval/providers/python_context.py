"""What the user's own provider is told of a case: promptfoo's `context`, as plain data that it may change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_eval.model import AssertionSpec, Call, Json, TestCase, UserCode


def call_context(call: Call) -> dict[str, Json]:
    """The context of one call: `vars`, `prompt` (rendered, with its label and config), `test`, `repeatIndex`."""
    return {
        "vars": _plain(call.vars),
        "prompt": {"raw": call.prompt, "label": call.label, "config": _plain(call.config)},
        "test": test_context(call.test) if call.test is not None else {},
        "repeatIndex": call.repeat,
    }


def test_context(test: TestCase) -> dict[str, Json]:
    """The test as the configuration has it, defaults merged in."""
    told: dict[str, Any] = {
        "description": test.description,
        "vars": _plain(test.vars),
        "assert": [_assertion(spec) for spec in test.assertions],
        "threshold": test.threshold,
        "options": _plain(test.options),
        "metadata": _plain(test.metadata),
    }
    return {key: value for key, value in told.items() if value is not None}


def _assertion(spec: AssertionSpec) -> dict[str, Json]:
    told = {"type": spec.type, "value": _plain(spec.value), "threshold": spec.threshold, "metric": spec.metric}
    return {key: value for key, value in told.items() if value is not None} | {"weight": spec.weight}


def _plain(value: Any) -> Json:
    """A copy of a value of the configuration, code as it was written."""
    if isinstance(value, UserCode):
        return value.source
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
