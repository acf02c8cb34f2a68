"""What a configuration asks for: prompts, providers, tests, assertions; and the cases that are planned of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sagemaker_eval.model.providers import ProviderSpec
from sagemaker_eval.model.values import Json, Place, UserCode


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt template. `id` is the SHA-256 of label, else id, else raw text, in hex, as promptfoo has it."""

    raw: str
    label: str
    id: str
    name: str | None = None
    """The id that the user gave it, for references from providers."""
    where: Place | None = None
    config: Mapping[str, Json] = field(default_factory=dict)
    function: UserCode | None = None
    """The function that makes the template for each case; `raw` is then only what documents show."""
    whole_file: bool = False
    """Whether `where` is where the text itself begins in a file, so that its lines are lines of that file."""


@dataclass(frozen=True, slots=True)
class AssertionSpec:
    """One assertion of a test. `kind` is the type without `not-`; `negated` says whether that stood before it.

    `value` is as written, with files read; a script (`file://check.py`) is a `UserCode`.
    """

    kind: str
    value: Json = None
    negated: bool = False
    threshold: float | None = None
    weight: float = 1.0
    metric: str | None = None
    where: Place | None = None
    config: Mapping[str, Json] = field(default_factory=dict)
    """The user's own settings, for scripts."""
    graders: Mapping[str, ProviderSpec] = field(default_factory=dict)
    """Who judges, by role (`text`, `embedding`, `classification`, `moderation`); empty: as the test's options say."""
    rubric_prompt: Json = None
    """The prompt for the grader instead of ours; None: as the test's options say."""
    transform: UserCode | None = None
    """Changes the output for this assertion alone."""
    context_transform: UserCode | None = None
    """Takes the context of a retrieval assertion out of the output."""
    members: tuple[AssertionSpec, ...] = ()
    """The assertions of an `assert-set`."""

    @property
    def type(self) -> str:
        """The type as written: `not-contains`."""
        return f"not-{self.kind}" if self.negated else self.kind


@dataclass(frozen=True, slots=True)
class TestCase:
    """A test with `defaultTest` merged in; lists among `vars` are not yet expanded.

    A variable whose value is code (`file://get.py`) is a `UserCode`, and so is a list's element. `options` are as
    written, except that `transform` is a `UserCode`; `transformVars` has been applied.
    """

    __test__ = False

    description: str | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)
    assertions: tuple[AssertionSpec, ...] = ()
    threshold: float | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    options: Mapping[str, Json] = field(default_factory=dict)
    providers: tuple[str, ...] | None = None
    """References to the providers that run this test; None: all."""
    prompts: tuple[str, ...] | None = None
    """References to the prompts that this test is for; None: all."""
    provider: ProviderSpec | None = None
    """Who answers this test instead of the column's provider, under whose name the answer is still reported."""
    provider_output: Json = None
    """An answer given in advance (text or an object): no provider is asked."""
    scoring: UserCode | None = None
    """`assertScoringFunction`: makes the grade out of the verdicts."""
    where: Place | None = None


@dataclass(frozen=True, slots=True)
class DerivedMetric:
    """A figure of a column that is computed from its named scores. `code` is an expression or a file's function."""

    name: str
    code: UserCode


class Tests(Protocol):
    """The tests of a suite: counted, and read again from the start by every iteration.

    Large sources (CSV, JSONL) are streams over their file, so that memory does not grow with them.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[TestCase]: ...


@dataclass(frozen=True, slots=True)
class Suite:
    """Everything that a configuration asks for, checked, with the command line's overrides applied."""

    prompts: tuple[Prompt, ...]
    providers: tuple[ProviderSpec, ...]
    tests: Tests
    description: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    """Process environment overlaid by `.env` files and the config's `env`: what templates and boto3 see."""
    cache: bool = True
    repeat: int = 1
    max_concurrency: int = 4
    adaptive_most: int = 128
    """The most calls in flight of a provider that finds their number while running: the run's cap, if one was set."""
    max_error_rate: float = 0.0
    """Share of errored cases, 0 to 1, up to which the run is not called broken."""
    timeout_ms: int | None = None
    """Time limit of each case; 0: none, None: not set. So is that of the run."""
    max_eval_time_ms: int | None = None
    output_paths: tuple[str, ...] = ()
    document: Mapping[str, Json] = field(default_factory=dict)
    """The merged configuration as written, secrets masked, for the result document."""
    base_path: str = "."
    filters: Mapping[str, UserCode] = field(default_factory=dict)
    """Template filters of the user, by name: `nunjucksFilters` (JavaScript) and `filters` (Python)."""
    derived_metrics: tuple[DerivedMetric, ...] = ()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Secret values seen in the configuration, for scrubbing of logs and messages."""


@dataclass(frozen=True, slots=True)
class Column:
    """One (provider, prompt) pair; `index` is promptfoo's promptIdx."""

    index: int
    provider: ProviderSpec
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Row:
    """One (test, repeat, combination of variables); `index` is promptfoo's testIdx."""

    index: int
    test: TestCase
    repeat: int
    vars: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Case:
    """One cell: a row under a column. `index` counts cases in plan order, from 0."""

    index: int
    row: Row
    column: Column
