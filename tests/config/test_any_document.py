"""Whatever a document holds, loading it ends in a suite or in problems with places."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_eval.config.explaining import render_problems
from sagemaker_eval.config.loading import Overrides, load
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.schema import (
    AssertionEntry,
    ConfigEntry,
    EvaluateOptions,
    PromptEntry,
    ProviderEntry,
    SageMakerConfig,
    TestEntry,
)
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json

NAMES = KnownNames(("custom", "openai"), ("custom",), ("contains", "equals"), (".json",))

_NAMES = st.sampled_from(["echo", "sagemaker:mine", "sagemaker:openai:mine", "contains", "not-equals", "llm-rubric"])
_PATHS = st.sampled_from(["file://", "file://*.txt", "file://a.py:f", "a.json", "a.csv", "a/", "[", "{a,b}", "\0"])
_WORDS = st.one_of(_NAMES, _PATHS, st.sampled_from(["", "{{x}}", "{{env.X}}", "5%", "0.5", "two\nlines"]))
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**70), st.floats(allow_nan=False, allow_infinity=False), _WORDS
)
_KEYS = st.sampled_from(
    sorted(
        {
            key
            for entry in (ConfigEntry, ProviderEntry, SageMakerConfig, PromptEntry, TestEntry, AssertionEntry)
            for key in (*entry.known_keys(), *entry.later)
        }
        | {*EvaluateOptions.known_keys(), "sagemaker:x", "", "x-mine", "path", "a", "redteam"}
    )
)
_VALUES: st.SearchStrategy[Json] = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=12,
)
_PROVIDERS = st.fixed_dictionaries({"id": _WORDS}, optional={"config": _VALUES, "label": _WORDS, "prompts": _VALUES})
_TESTS = st.fixed_dictionaries(
    {}, optional={"vars": _VALUES, "assert": st.lists(st.dictionaries(_KEYS, _VALUES, max_size=3), max_size=2)}
)


def _outcome(document: Any) -> str | None:
    """The problems as printed, or None where the document loads. Runs through all tests of a suite that loads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any.json")
        path.write_text(json.dumps(document))
        try:
            list(load([str(path)], Overrides(), {}, NAMES, lambda message: None).tests)
        except ConfigError as error:
            return render_problems(error)
    return None


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_document_loads_or_is_explained(document: Json) -> None:
    assert _outcome(document) != ""


@given(st.lists(_PROVIDERS, min_size=1, max_size=3), st.lists(_TESTS, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_provider_and_any_test_load_or_are_explained(providers: Json, tests: Json) -> None:
    assert _outcome({"providers": providers, "tests": tests}) != ""
