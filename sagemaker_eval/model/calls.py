"""A call: what is asked, what is sent, what comes back, and what a provider makes of it. Times are in ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from sagemaker_eval.model.suite import TestCase
from sagemaker_eval.model.values import Json, Operation, compact_json, whole_numbers


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
    """One call to an endpoint. `routing` holds further members of the operation by their botocore names, sorted."""

    endpoint: str
    body: bytes
    content_type: str = "application/json"
    accept: str = "application/json"
    routing: tuple[tuple[str, str], ...] = ()
    operation: Operation = Operation.INVOKE
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
    """Where the time of an answer went, in ms: `queue`, `backoff`, `cold_start` and `wire` add up to `total`.

    `wire` is the successful attempt alone, first byte out to last in; `first_token`, which is a part of it, is None
    where the answer was not streamed.
    """

    queue: float = 0.0
    """Waiting for a turn: the first call alone, `delay`, rates, slots; before every attempt."""
    backoff: float = 0.0
    """Lost to attempts that failed: those calls and the pauses after them."""
    cold_start: float = 0.0
    """Waiting for an endpoint that was scaled to zero or loading its model."""
    wire: float = 0.0
    first_token: float | None = None
    inter_token: float | None = None
    """The mean time between the tokens of a stream after the first; None for fewer than two."""
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answered: the body as it came, and what the headers told. Always a success.

    The body of a stream is all that came, frames of the event stream aside. `usage` is what the format read from the
    body, None where the body does not tell.
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
    told: tuple[tuple[str, str], ...] = ()
    """What else the headers told, by the keys that documents have: `customAttributes`, `newSessionId`, …"""


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
    told: tuple[tuple[str, str], ...] = ()
    """What else the service told of the answer, as `Answer.told`."""
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
            return compact_json(whole_numbers(self.output))
        except RecursionError:
            return compact_json(self.output)
