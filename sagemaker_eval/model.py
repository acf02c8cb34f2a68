"""The words of sageval: what a suite is made of, what a call carries, and what a case results in.

All types are frozen. Times are milliseconds as floats unless a name says otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = Any
"""A decoded JSON value: None, bool, int, float, str, a list of Json or a dict from str to Json."""

EMPTY: Mapping[str, Any] = MappingProxyType({})


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact_json(value: Json) -> str:
    """`value` as JavaScript's JSON.stringify writes it: no spaces, non-ASCII kept, no sorting."""
    return _COMPACT.encode(value)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file of the user. `pointer` leads to the value inside the document; lines count from 1.

    `line` and `column` may be unknown until somebody asks (`config.locating.locate` finds them from `pointer`).
    """

    path: str
    line: int | None = None
    column: int | None = None
    pointer: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


class Outcome(StrEnum):
    """PASSED and FAILED: the model answered. ERRORED: nothing was learned. SKIPPED: planned and never sent."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"


# ---- what a suite is made of


@dataclass(frozen=True, slots=True)
class UserCode:
    """Code of the user as the configuration has it, not yet compiled (`text.code.compile_code` does that).

    `source` is inline JavaScript, inline Python after `python:`, or `file://script.js[:fn]` / `file://script.py[:fn]`
    relative to `base_path`.
    """

    source: str
    base_path: str = "."
    where: Place | None = field(default=None, compare=False)


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
class StaticKeys:
    """AWS access keys written in the configuration. Never printed."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where and as whom to call AWS, as far as the configuration says; None means: as the AWS chain resolves it."""

    region: str | None = None
    profile: str | None = None
    keys: StaticKeys | None = None
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a request asks of the model besides the prompt."""

    max_tokens: int = 1024
    temperature: float = 0.7
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    chat: bool = False


@dataclass(frozen=True, slots=True)
class SageMakerOptions:
    """The `config` of a `sagemaker:` provider, with environment and defaults applied.

    `model_type` names a format; for embedding endpoints it names the request shape of `embedding` formats.
    """

    endpoint: str
    model_type: str = "custom"
    embedding: bool = False
    aws: AwsSettings = AwsSettings()
    sampling: Sampling = Sampling()
    content_type: str = "application/json"
    accept: str = "application/json"
    response_path: str | None = None
    transform: UserCode | None = None
    """Changes the request: the prompt, or the whole body."""
    max_retries: int = 3
    timeout_ms: int = 80_000
    base_path: str = "."
    """The folder that `file://` references of this provider are relative to."""
    written: Mapping[str, Json] = field(default_factory=dict)
    """The `config` as the user wrote it, credentials left out: what transforms see as `context.config`."""


@dataclass(frozen=True, slots=True)
class CustomOptions:
    """What a provider written by the user is made of: its function, and its `config` as written."""

    code: UserCode
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A column family of the table: who answers. `kind` names an entry of the provider registry.

    `options` is what that entry understands: `SageMakerOptions` for `sagemaker` and `container`, `CustomOptions` for
    `python`, None for `echo`.
    """

    id: str
    kind: str
    label: str | None = None
    options: Any = None
    delay_ms: int | None = None
    max_concurrency: int | None = None
    prompts: tuple[str, ...] | None = None
    transform: UserCode | None = None
    """Changes the output: `responseTransform` of `sagemaker` and `container`, `transform` of every other kind."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of this provider alone, over those of the suite."""
    where: Place | None = None

    @property
    def name(self) -> str:
        """What the user calls it: the label, else the id."""
        return self.label or self.id


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
    max_error_rate: float = 0.0
    """Share of errored cases, 0 to 1, up to which the run is not called broken."""
    output_paths: tuple[str, ...] = ()
    document: Mapping[str, Json] = field(default_factory=dict)
    """The merged configuration as written, secrets masked, for the result document."""
    base_path: str = "."
    filters: Mapping[str, UserCode] = field(default_factory=dict)
    """Template filters of the user, by name: `nunjucksFilters` (JavaScript) and `filters` (Python)."""
    derived_metrics: tuple[DerivedMetric, ...] = ()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Secret values seen in the configuration, for scrubbing of logs and messages."""


# ---- the plan


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


# ---- a call


@dataclass(frozen=True, slots=True)
class Call:
    """What a provider is asked: the rendered prompt, and what of its case matters to the answer."""

    prompt: str
    vars: Mapping[str, Json] = field(default_factory=dict)
    repeat: int = 0
    label: str = ""
    """The label of the prompt's template."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """The `config` of the prompt under the test's `options`: what a custom provider sees as `prompt.config`."""
    test: TestCase | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One InvokeEndpoint. `routing` holds further members of the operation by their botocore names, sorted."""

    endpoint: str
    body: bytes
    content_type: str = "application/json"
    accept: str = "application/json"
    routing: tuple[tuple[str, str], ...] = ()
    repeat: int = 0
    """The repetition that this call belongs to; part of the cache key, never sent."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one or more answers. `estimated` marks counts that the endpoint did not report."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    """Tokens of answers that came from the cache."""
    estimated: bool = False
    requests: int = 0

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    def __add__(self, other: TokenUsage) -> TokenUsage:
        return TokenUsage(
            prompt=self.prompt + other.prompt,
            completion=self.completion + other.completion,
            cached=self.cached + other.cached,
            estimated=self.estimated or other.estimated,
            requests=self.requests + other.requests,
        )


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of an answer went, in ms. `wire` is the successful attempt alone, first byte out to last in."""

    queue: float = 0.0
    backoff: float = 0.0
    wire: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What InvokeEndpoint answered: the body as it came, and what the headers told. Always a success.

    `usage` is what the format read from the body, None where the body does not tell.
    """

    body: bytes
    content_type: str = "application/json"
    status: int = 200
    variant: str | None = None
    request_id: str | None = None
    usage: TokenUsage | None = None
    timings: Timings = Timings()
    attempts: int = 1
    cached: bool = False


class Invoke(Protocol):
    """The one seam of `calling/`: each wrapper is an Invoke around another. Raises `EndpointFault`, `SetupError`."""

    async def __call__(self, request: Request) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a format reads from an answer. `found` is False where no known shape fits; `output` is then undefined."""

    output: Json = None
    found: bool = True
    usage: TokenUsage | None = None
    finish_reason: str | None = None


def _whole(value: Json) -> Json:
    """`value` with whole numbers as JavaScript prints them: `5`, where Python has `5.0`."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Response:
    """What a provider makes of an answer: the output that is shown and judged, and where it came from."""

    output: Json
    raw: str = ""
    usage: TokenUsage = TokenUsage()
    finish_reason: str | None = None
    variant: str | None = None
    request_id: str | None = None
    attempts: int = 1
    """Calls that it took; 0 where none was made (from the cache, or a provider that calls nothing)."""
    timings: Timings = Timings()
    cached: bool = False
    cost: float | None = None
    """US dollars, where the provider tells."""
    stages: tuple[Json, ...] = ()
    """Where transforms made another output: as the provider gave it, and after the provider's own transform."""
    log_probs: tuple[float, ...] | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)

    @property
    def latency_ms(self) -> float | None:
        """The wire time of the successful call, now or when the answer was cached; None where there never was one."""
        return self.timings.wire if self.attempts or self.cached else None

    @property
    def text(self) -> str:
        """What assertions see and the table shows: the output if it is a string, else its compact JSON."""
        if isinstance(self.output, str):
            return self.output
        try:
            return compact_json(_whole(self.output))
        except RecursionError:
            return compact_json(self.output)


# ---- models that judge


class Grader(Protocol):
    """A model that answers a question about an output."""

    async def ask(self, prompt: str, repeat: int = 0) -> Response:
        """Its reply to a rendered prompt. Raises `CaseError`, and `SetupError` to stop the run.

        `repeat` counts askings of one prompt that have to be calls of their own: it is part of the cache key, as
        `Request.repeat` is, and never sent.
        """
        ...


Vector: TypeAlias = tuple[float, ...]


class Vectors(tuple[Vector, ...]):
    """One vector for each text, and the tokens that they took: those of texts embedded before count as cached."""

    usage: TokenUsage

    def __new__(cls, vectors: Iterable[Vector], usage: TokenUsage = TokenUsage()) -> Vectors:
        made = super().__new__(cls, vectors)
        made.usage = usage
        return made


class Embedder(Protocol):
    """A model that places texts in a space of meaning."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, all of one length and finite. Raises `CaseError`, `SetupError`."""
        ...


class Graders(Protocol):
    """The models that judge the cases of one run.

    For each assertion its own `graders` come first, then those of its test's options. Both raise `ConfigError`, which
    says how to name one, where there is none.
    """

    def text(self, spec: AssertionSpec, test: TestCase) -> Grader: ...
    def embedding(self, spec: AssertionSpec, test: TestCase) -> Embedder: ...
    def classification(self, spec: AssertionSpec, test: TestCase) -> Grader: ...
    def moderation(self, spec: AssertionSpec, test: TestCase) -> Grader: ...


# ---- what became of it


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one assertion says of one output: always with a reason."""

    passed: bool
    score: float
    reason: str
    spec: AssertionSpec | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict)
    named_scores: Mapping[str, float] = field(default_factory=dict)
    """Scores that a script gave names to."""
    usage: TokenUsage | None = None
    """Tokens that graders used."""
    members: tuple[Verdict, ...] = ()
    """The verdicts that this one is made of: those of an `assert-set`, or parts that a script told of."""


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdicts of a case taken together (promptfoo's gradingResult)."""

    passed: bool
    score: float
    reason: str
    verdicts: tuple[Verdict, ...] = ()
    named_scores: Mapping[str, float] = field(default_factory=dict)
    """The weighted mean of each metric."""
    named_score_weights: Mapping[str, float] = field(default_factory=dict)
    """The total weight of the assertions of each metric."""

    def flat_verdicts(self) -> Iterator[Verdict]:
        """Each verdict, followed by those that it is made of."""
        for verdict in self.verdicts:
            yield verdict
            yield from verdict.members


@dataclass(frozen=True, slots=True)
class CaseFailure:
    """Why a case is ERRORED: the message and hint of a `CaseError`, as data."""

    kind: str
    message: str
    hint: str | None = None
    code: str | None = None
    attempts: int = 0
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One finished case. `error` is set exactly where the outcome is ERRORED; `response` may be there even so."""

    case: Case
    outcome: Outcome
    prompt: str
    response: Response | None = None
    grade: Grade | None = None
    error: CaseFailure | None = None
    vars: Mapping[str, Json] | None = None
    """The row's variables with code replaced by what it returned; None: as the row has them."""


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column (or one provider, summed) of a run. Latencies are wire times in ms, cached cases included."""

    passed: int = 0
    failed: int = 0
    errored: int = 0
    skipped: int = 0
    unasserted: int = 0
    """Of `passed`: answered, with no assertion to judge them."""
    cached: int = 0
    score: float = 0.0
    assertions_passed: int = 0
    assertions_failed: int = 0
    usage: TokenUsage = TokenUsage()
    latency_total: float = 0.0
    latency_p50: float | None = None
    latency_p95: float | None = None
    named_scores: Mapping[str, float] = field(default_factory=dict)
    """The sum of score times weight of each metric, as promptfoo has it; divided by the weights it is the mean."""
    named_score_weights: Mapping[str, float] = field(default_factory=dict)
    named_score_counts: Mapping[str, int] = field(default_factory=dict)
    grading: TokenUsage | None = None
    """Tokens that graders used; None where none was asked."""
    cost: float | None = None
    """US dollars, as far as providers told; None where none did."""

    @property
    def finished(self) -> int:
        return self.passed + self.failed + self.errored

    @property
    def pass_rate(self) -> float | None:
        """Passed among those that were answered, 0 to 1; None where nothing was."""
        answered = self.passed + self.failed
        return self.passed / answered if answered else None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The whole run. `columns` runs parallel to the plan's columns, `providers` to the providers that have any."""

    total: ColumnSummary
    columns: Sequence[ColumnSummary] = ()
    providers: Sequence[ColumnSummary] = ()
    duration_ms: float = 0.0
