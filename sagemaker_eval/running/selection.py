"""The filters of `sageval eval`: which providers, prompts and tests of a suite are run.

Order as in promptfoo: metadata, failing or errors only, pattern, range, first n, sample. Tests keep their order. A
filter that leaves nothing is an error, so that a typing mistake cannot turn a pipeline green.
"""

from __future__ import annotations

import json
import random
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Outcome, Suite, TestCase, Tests
from sagemaker_eval.running.plan import combinations


class _Named(Protocol):
    @property
    def label(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class EarlierRows:
    """The rows of an earlier run that a filter asks for: `--filter-failing`, `--filter-errors-only`."""

    source: str
    keys: frozenset[str]

    @classmethod
    def of(cls, source: str, rows: Iterator[Mapping[str, Json]], outcomes: frozenset[Outcome]) -> EarlierRows:
        """The keys of the rows that ended in one of `outcomes`; reads promptfoo's documents too."""
        return cls(source, frozenset(_vars_key(_planned_vars(row)) for row in rows if _outcome(row) in outcomes))


@dataclass(frozen=True, slots=True)
class Filters:
    """What `--filter-*` asked for; None means: not asked."""

    pattern: str | None = None
    first_n: int | None = None
    range: tuple[int | None, int | None] | None = None
    sample: int | None = None
    sample_seed: int | None = None
    providers: str | None = None
    prompts: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    earlier: EarlierRows | None = None


class SelectedTests:
    """Some tests of a source, by their positions in it; read again by every iteration."""

    def __init__(self, tests: Tests, positions: Sequence[int]) -> None:
        self._tests = tests
        self._positions = array("Q", sorted(positions))

    def __len__(self) -> int:
        return len(self._positions)

    def __iter__(self) -> Iterator[TestCase]:
        wanted = iter(self._positions)
        following = next(wanted, None)
        for position, test in enumerate(self._tests):
            if following is None:
                return
            if position == following:
                yield test
                following = next(wanted, None)


def select(suite: Suite, filters: Filters) -> Suite:
    """The suite that the filters leave. Raises `ConfigError` for a bad pattern or where nothing is left."""
    if filters.providers is not None:
        chosen = _matching("--filter-providers", filters.providers, suite.providers, lambda spec: (spec.id, spec.label))
        suite = replace(suite, providers=chosen)
    if filters.prompts is not None:
        kept = _matching("--filter-prompts", filters.prompts, suite.prompts, lambda prompt: (prompt.name, prompt.label))
        suite = replace(suite, prompts=kept)
    positions = _positions(suite, filters)
    if positions is None:
        return suite
    if not positions:
        raise ConfigError.of(
            "the filters leave no test", hint=f"of {len(suite.tests)} configured; loosen a --filter option"
        )
    return replace(suite, tests=SelectedTests(suite.tests, positions))


Entry = TypeVar("Entry")


def _matching(
    option: str, source: str, entries: Sequence[Entry], names: Callable[[Entry], tuple[str | None, ...]]
) -> tuple[Entry, ...]:
    pattern = _compiled(option, source)
    kept = tuple(entry for entry in entries if any(name and pattern.search(name) for name in names(entry)))
    if not kept:
        known = ", ".join(dict.fromkeys(f"`{name}`" for entry in entries for name in names(entry) if name))
        raise ConfigError.of(f"{option} `{source}` matches nothing", hint=f"there are: {known}")
    return kept


def _compiled(option: str, source: str) -> re.Pattern[str]:
    try:
        return re.compile(source)
    except re.error as error:
        raise ConfigError.of(f"{option} `{source}` is not a regular expression: {error}") from error


def _positions(suite: Suite, filters: Filters) -> Sequence[int] | None:
    """Positions of the tests that are left, or None where no filter looks at tests."""
    predicates = _predicates(filters)
    slices = filters.range, filters.first_n, filters.sample
    if not predicates and all(part is None for part in slices):
        return None
    if predicates:
        kept = array("Q")
        for position, test in enumerate(suite.tests):
            if all(predicate(test) for predicate in predicates):
                kept.append(position)
    else:
        kept = array("Q", range(len(suite.tests)))
    if filters.range is not None:
        kept = kept[slice(*filters.range)]
    if filters.first_n is not None:
        kept = kept[: filters.first_n]
    if filters.sample is not None and filters.sample < len(kept):
        kept = array("Q", random.Random(filters.sample_seed).sample(kept, filters.sample))
    return kept


def _predicates(filters: Filters) -> list[Callable[[TestCase], bool]]:
    predicates: list[Callable[[TestCase], bool]] = []
    for name, wanted in filters.metadata:
        predicates.append(lambda test, name=name, wanted=wanted: _has_metadata(test, name, wanted))  # type: ignore[misc]
    if (earlier := filters.earlier) is not None:
        predicates.append(lambda test: any(_vars_key(values) in earlier.keys for values in combinations(test)))
    if filters.pattern is not None:
        pattern = _compiled("--filter-pattern", filters.pattern)
        predicates.append(lambda test: test.description is not None and pattern.search(test.description) is not None)
    return predicates


def _has_metadata(test: TestCase, name: str, wanted: str) -> bool:
    value = test.metadata.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return any(wanted in (item if isinstance(item, str) else json.dumps(item)) for item in values)


def _vars_key(variables: Mapping[str, Json]) -> str:
    """What a row is known by between runs: its variables, without promptfoo's run-time ones (`_conversation` …)."""
    kept = {name: value for name, value in variables.items() if not name.startswith("_")}
    return json.dumps(kept, sort_keys=True, ensure_ascii=False, default=lambda code: code.source)


def _planned_vars(row: Mapping[str, Json]) -> Mapping[str, Json]:
    """The variables of a row as they were planned: its own have code replaced by what it returned."""
    test = row.get("testCase")
    planned = test.get("vars") if isinstance(test, Mapping) else None
    return planned if isinstance(planned, Mapping) else row["vars"]


def _outcome(row: Mapping[str, Json]) -> Outcome:
    if row.get("failureReason") == 2:
        return Outcome.ERRORED
    return Outcome.PASSED if row.get("success") else Outcome.FAILED
