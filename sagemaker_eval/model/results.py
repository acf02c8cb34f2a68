"""What became of a case, of a column, of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sagemaker_eval.model.calls import Response, TokenUsage
from sagemaker_eval.model.suite import AssertionSpec, Case
from sagemaker_eval.model.values import Json, Outcome


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
class Percentiles:
    """How a measure is spread over the cases that have it."""

    p50: float
    p95: float
    p99: float


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
    usage: TokenUsage = field(default_factory=TokenUsage)
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
    first_token: Percentiles | None = None
    """Times to the first token in ms; None where nothing was streamed, as for the next two."""
    inter_token: Percentiles | None = None
    """Times between tokens in ms."""
    tokens_per_second: Percentiles | None = None
    """Output tokens of each streamed answer per second of its wire time."""
    variants: tuple[tuple[str, ColumnSummary], ...] = ()
    """The same by production variant, the busiest first; empty where no more than one answered."""

    @property
    def finished(self) -> int:
        return self.passed + self.failed + self.errored

    @property
    def pass_rate(self) -> float | None:
        """Passed among those that were answered, 0 to 1; None where nothing was."""
        answered = self.passed + self.failed
        return self.passed / answered if answered else None


@dataclass(frozen=True, slots=True)
class EndpointUse:
    """What the calls of a run took of one endpoint. `seconds` run from the first call's start to the last one's end.

    `fleet` are its instances (`2 x ml.g5.xlarge`), and `hourly_usd` is what an hour of all of them costs; `source` says
    where that is known from.
    """

    endpoint: str
    calls: int
    seconds: float
    fleet: str = ""
    hourly_usd: float | None = None
    source: str = ""
    cases: int = 0
    """Cases that it answered in this run, the cache aside."""
    passed: int = 0
    """Cases that passed; 0 where some came from the cache, as nobody could say what a passed case cost."""

    @property
    def dollars(self) -> float | None:
        """What the endpoint's instances cost while the run used them; None where no price is known."""
        return None if self.hourly_usd is None else self.hourly_usd * self.seconds / 3600


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The whole run. `columns` runs parallel to the plan's columns, `providers` to the providers that have any."""

    total: ColumnSummary
    columns: Sequence[ColumnSummary] = ()
    providers: Sequence[ColumnSummary] = ()
    duration_ms: float = 0.0
    endpoints: Sequence[EndpointUse] = ()
    """The endpoints that were called, in the order of their first calls."""
