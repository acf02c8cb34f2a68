"""The plan: which cases there are, in which order, without ever holding them all.

Rows are enumerated as promptfoo does: for each test, for each repeat, for each combination of variables.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.config.prompts import prompt_matches
from sagemaker_eval.model import Case, Column, Json, Prompt, ProviderSpec, Row, Suite, TestCase


@dataclass(frozen=True, slots=True)
class Plan:
    """A suite, counted. `var_names` are the variables of all tests in the order of first sight."""

    suite: Suite
    columns: tuple[Column, ...]
    row_count: int
    var_names: tuple[str, ...]

    @classmethod
    def of(cls, suite: Suite, inspect: Callable[[TestCase], None] | None = None) -> Plan:
        """Count the suite, reading its tests once and showing each to `inspect`.

        Raises `ConfigError` for tests that are wrong.
        """
        names: dict[str, None] = {}
        count = 0
        for test in suite.tests:
            if inspect is not None:
                inspect(test)
            names.update(dict.fromkeys(test.vars))
            count += _repeats(test, suite) * math.prod(len(values) for values in _choices(test).values())
        return cls(suite, columns_of(suite), count, tuple(names))

    @property
    def total(self) -> int:
        """How many cases there are."""
        return self.row_count * len(self.columns)

    def rows(self) -> Iterator[Row]:
        """All rows in plan order, made anew by every call."""
        index = 0
        for test in self.suite.tests:
            for repeat in range(_repeats(test, self.suite)):
                for values in combinations(test):
                    yield Row(index, test, repeat, values)
                    index += 1

    def cases(self, provider: ProviderSpec | None = None) -> Iterator[Case]:
        """All cases in plan order, or those of one provider."""
        columns = [column for column in self.columns if provider is None or column.provider is provider]
        width = len(self.columns)
        for row in self.rows():
            for column in columns:
                yield Case(row.index * width + column.index, row, column)


def columns_of(suite: Suite) -> tuple[Column, ...]:
    """The columns of a suite: providers in the outer loop, each with the prompts that it is allowed."""
    pairs = [
        (provider, prompt) for provider in suite.providers for prompt in suite.prompts if is_allowed(provider, prompt)
    ]
    return tuple(Column(index, provider, prompt) for index, (provider, prompt) in enumerate(pairs))


def is_allowed(provider: ProviderSpec, prompt: Prompt) -> bool:
    """Whether the provider's `prompts` (all, where absent) name this prompt."""
    return provider.prompts is None or any(prompt_matches(reference, prompt) for reference in provider.prompts)


def combinations(test: TestCase) -> Iterator[Mapping[str, Json]]:
    """The variable combinations of a test: the product of its lists, the first variable varying slowest."""
    choices = _choices(test)
    if not choices:
        yield test.vars
        return
    for values in itertools.product(*choices.values()):
        yield {**test.vars, **dict(zip(choices, values, strict=True))}


def _choices(test: TestCase) -> dict[str, list[Any]]:
    """The variables that are expanded. As in promptfoo a list counts only where its first element is a string."""
    if test.options.get("disableVarExpansion"):
        return {}
    return {
        name: value
        for name, value in test.vars.items()
        if isinstance(value, list) and value and isinstance(value[0], str)
    }


def _repeats(test: TestCase, suite: Suite) -> int:
    return int(test.options.get("repeat") or suite.repeat)
