"""The plan: which cases there are, in which order, without ever holding them all.

Rows are enumerated as promptfoo does: for each test, for each repeat, for each combination of variables. A test may be
for some of the columns only; its other cells stay empty, and keep their numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagemaker_eval.config.prompts import prompt_matches
from sagemaker_eval.model import Case, Column, Json, Prompt, ProviderSpec, Row, Suite, TestCase, UserCode

Accept = Callable[[TestCase], bool]
"""Whether the cases of a test are wanted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A suite, counted. `var_names` are the variables of all tests in the order of first sight.

    `column_totals` are the cases of each column; `unasserted` counts the tests that assert nothing; `runs_alone` says
    whether a test has `runSerially`, `stores` whether one has `storeOutputAs`.
    """

    suite: Suite
    columns: tuple[Column, ...]
    row_count: int
    var_names: tuple[str, ...]
    column_totals: tuple[int, ...]
    unasserted: int = 0
    runs_alone: bool = False
    stores: bool = False
    _allowed: dict[tuple[Any, Any], tuple[Column, ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, suite: Suite, inspect: Callable[[TestCase], None] | None = None) -> Plan:
        """Count the suite, reading its tests once and showing each to `inspect`.

        Raises `ConfigError` for tests that are wrong.
        """
        columns, counted = columns_of(suite), _Counted()
        plan = cls(suite, columns, 0, (), (0,) * len(columns))
        totals = [0] * len(columns)
        for test in suite.tests:
            if inspect is not None:
                inspect(test)
            rows = counted.add(test, suite)
            for column in plan.columns_for(test):
                totals[column.index] += rows
        return cls(
            suite,
            columns,
            counted.rows,
            tuple(counted.names),
            tuple(totals),
            counted.unasserted,
            counted.runs_alone,
            counted.stores,
        )

    @property
    def total(self) -> int:
        """How many cases there are."""
        return sum(self.column_totals)

    @property
    def slots(self) -> int:
        """How many cells the table has, empty ones included: one more than the largest possible `Case.index`."""
        return self.row_count * len(self.columns)

    def rows(self, accept: Accept | None = None) -> Iterator[Row]:
        """All rows in plan order, or those of the tests that are accepted; made anew by every call."""
        index = 0
        for test in self.suite.tests:
            if accept is not None and not accept(test):
                index += _row_count(test, self.suite)
                continue
            for repeat in range(_repeats(test, self.suite)):
                for values in combinations(test):
                    yield Row(index, test, repeat, values)
                    index += 1

    def cases(self, provider: ProviderSpec | None = None, accept: Accept | None = None) -> Iterator[Case]:
        """All cases in plan order, or those of one provider and of accepted tests."""
        mine = [column for column in self.columns if provider is None or column.provider is provider]
        width = len(self.columns)
        for row in self.rows(accept):
            for column in self._restricted(row.test, mine):
                yield Case(row.index * width + column.index, row, column)

    def columns_for(self, test: TestCase) -> tuple[Column, ...]:
        """The columns that a test's `providers` and `prompts` leave it."""
        if test.providers is None and test.prompts is None:
            return self.columns
        key = (test.providers, test.prompts)
        allowed = self._allowed.get(key)
        if allowed is None:
            allowed = tuple(column for column in self.columns if suits(test, column))
            self._allowed[key] = allowed
        return allowed

    def _restricted(self, test: TestCase, columns: list[Column]) -> list[Column]:
        if test.providers is None and test.prompts is None:
            return columns
        allowed = self.columns_for(test)
        return [column for column in columns if column in allowed]


class _Counted:
    """What is learned of the tests while they are counted."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.rows = 0
        self.unasserted = 0
        self.runs_alone = False
        self.stores = False

    def add(self, test: TestCase, suite: Suite) -> int:
        """Count a test; how many rows it has."""
        rows = _row_count(test, suite)
        self.names.update(dict.fromkeys(test.vars))
        self.rows += rows
        self.unasserted += not test.assertions
        self.runs_alone = self.runs_alone or runs_alone(test)
        self.stores = self.stores or bool(test.options.get("storeOutputAs"))
        return rows


def columns_of(suite: Suite) -> tuple[Column, ...]:
    """The columns of a suite: providers in the outer loop, each with the prompts that it is allowed."""
    pairs = [
        (provider, prompt) for provider in suite.providers for prompt in suite.prompts if is_allowed(provider, prompt)
    ]
    return tuple(Column(index, provider, prompt) for index, (provider, prompt) in enumerate(pairs))


def is_allowed(provider: ProviderSpec, prompt: Prompt) -> bool:
    """Whether the provider's `prompts` (all, where absent) name this prompt."""
    return provider.prompts is None or any(prompt_matches(reference, prompt) for reference in provider.prompts)


def provider_matches(reference: str, provider: ProviderSpec) -> bool:
    """Whether a test's reference means this provider: label, id, a prefix ending in `*`, or a `group:` prefix."""
    names = [name for name in (provider.label, provider.id) if name is not None]
    if reference.endswith("*"):
        return any(name.startswith(reference[:-1]) for name in names)
    return any(name == reference or name.startswith(f"{reference}:") for name in names)


def suits(test: TestCase, column: Column) -> bool:
    """Whether a test's `providers` and `prompts` leave it this column."""
    if test.providers is not None and not any(provider_matches(name, column.provider) for name in test.providers):
        return False
    return test.prompts is None or any(prompt_matches(name, column.prompt) for name in test.prompts)


def runs_alone(test: TestCase) -> bool:
    """Whether a test's cases come before all others, one at a time (`runSerially`)."""
    return bool(test.options.get("runSerially"))


def combinations(test: TestCase) -> Iterator[Mapping[str, Json]]:
    """The variable combinations of a test: the product of its lists, the first variable varying slowest."""
    choices = _choices(test)
    if not choices:
        yield test.vars
        return
    for values in itertools.product(*choices.values()):
        yield {**test.vars, **dict(zip(choices, values, strict=True))}


def _choices(test: TestCase) -> dict[str, list[Any]]:
    """The variables that are expanded. As in promptfoo a list counts only where its first element is a string.

    Code is a string in the configuration: `file://get.py`.
    """
    if test.options.get("disableVarExpansion"):
        return {}
    return {
        name: value
        for name, value in test.vars.items()
        if isinstance(value, list) and value and isinstance(value[0], str | UserCode)
    }


def _row_count(test: TestCase, suite: Suite) -> int:
    return _repeats(test, suite) * math.prod(len(values) for values in _choices(test).values())


def _repeats(test: TestCase, suite: Suite) -> int:
    return int(test.options.get("repeat") or suite.repeat)
