"""The objects of a sandbox script, field by field, under the names that the file uses (camelCase)."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sagemaker_eval.config.fields import Count, Filled, HeaderValue, NotNegative, Share, WholeNotNegative, refusal
from sagemaker_eval.config.schema import Entry
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.deployments import DeploymentEntry

_ERROR_STATUS = 400
_ROUNDING = 1e-9
_NAME = re.compile(r"(?=.{1,63}\Z)[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_PART_SIZES = ("whole", "random")


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise refusal(f"must be a regular expression ({error})") from None
    return value


def _original_status(value: int) -> int:
    if value and value < _ERROR_STATUS:
        raise refusal("must be 0 (the container timed out) or 400 to 599")
    return value


def _short_for(name: str) -> BeforeValidator:
    """A value that is no map stands for a map of which it is the member `name`."""
    return BeforeValidator(lambda value: value if isinstance(value, dict) else {name: value})


def _part_size(value: Json) -> Json:
    if value in _PART_SIZES or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise refusal("must be a number of bytes from 1 on, `whole` or `random`")


class FaultEntry(Entry):
    """How often a fault strikes: a share of all attempts, after the first attempts of each request."""

    where_it_stands = "in a fault"

    share: Share = 0.0
    first: WholeNotNegative = 0
    message: str | None = None


class ModelErrorEntry(FaultEntry):
    """A fault whose message is the body of the container, and `status` its HTTP status."""

    status: Annotated[WholeNotNegative, Field(le=599), AfterValidator(_original_status)] = 500


class ColdStartEntry(Entry):
    """How long an endpoint is not ready, for its first requests and for a time after the first, and what it answers."""

    where_it_stands = "in `coldStart`"

    requests: WholeNotNegative = 0
    seconds: NotNegative = 0.0
    fault: str | None = None


Fault: TypeAlias = Annotated[FaultEntry, _short_for("share")]
ModelError: TypeAlias = Annotated[ModelErrorEntry, _short_for("share")]


class FaultsEntry(Entry):
    """The faults of an endpoint, by name."""

    where_it_stands = "in `faults`"

    cold_start: Annotated[ColdStartEntry, _short_for("requests")] | None = None
    throttling: Fault | None = None
    model_error: ModelError | None = None
    unavailable: Fault | None = None
    internal_failure: Fault | None = None
    internal_dependency: Fault | None = None
    bad_gateway: Fault | None = None
    access_denied: Fault | None = None
    expired_token: Fault | None = None
    not_found: Fault | None = None
    no_capacity: Fault | None = None
    validation: Fault | None = None
    batch_failed: Fault | None = None
    generation_failed: Fault | None = None
    empty_body: Fault | None = None
    truncated: Fault | None = None
    disconnect: Fault | None = None
    timeout: Fault | None = None
    container_timeout: Fault | None = None
    stream_broken: Fault | None = None
    stream_time_limit: Fault | None = None
    internal_stream_failure: Fault | None = None
    stream_error: Fault | None = None
    bad_checksum: Fault | None = None
    stream_cut: Fault | None = None
    stream_truncated: Fault | None = None
    container_stream_error: Fault | None = None
    stall: Fault | None = None

    def by_name(self) -> dict[str, FaultEntry]:
        """The faults that are set, by the names of the file, in the order above; `coldStart` is none of them."""
        entries = {field.alias or name: getattr(self, name) for name, field in type(self).model_fields.items()}
        return {name: entry for name, entry in entries.items() if isinstance(entry, FaultEntry)}

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        total = sum(entry.share for entry in self.by_name().values())
        if total > 1 + _ROUNDING:
            raise refusal(f"must have shares that add up to 1 at most (they add up to {total:g})")
        return self


class AnswerEntry(Entry):
    """One prescribed answer: a text in the shape of the container, a whole body, or a fault.

    `share` is that of the attempts at fitting prompts which get it; the others go on to the next answer.
    """

    where_it_stands = "in an answer"

    pattern: Annotated[str, AfterValidator(_pattern)] = ""
    answer: str | None = None
    body: Json = None
    content_type: HeaderValue | None = None
    status: Annotated[WholeNotNegative, Field(ge=200, le=599)] = 200
    fault: str | None = None
    share: Share = 1.0

    @property
    def has_body(self) -> bool:
        """Null is a body too."""
        return "body" in self.model_fields_set

    @model_validator(mode="after")
    def _choose_one(self) -> Self:
        chosen = (self.answer is not None) + self.has_body + (self.fault is not None)
        if chosen != 1:
            raise refusal("must have exactly one of `answer`, `body` and `fault`")
        if not self.has_body and self.model_fields_set & {"content_type", "status"}:
            raise refusal("may have `contentType` and `status` only together with `body`")
        return self


class StreamEntry(Entry):
    """How streams are cut into parts, and how long they take: ms before the first token and between tokens."""

    where_it_stands = "in `stream`"

    part_size: Annotated[int | Literal["whole", "random"], BeforeValidator(_part_size)] | None = None
    first_token: NotNegative = 0.0
    inter_token: NotNegative = 0.0


class CapacityEntry(Entry):
    """How many requests an endpoint answers at a time, and what becomes of more."""

    where_it_stands = "in `capacity`"

    in_flight: Count
    behaviour: Literal["throttle", "queue", "containerBusy"] = "throttle"


class BehaviourEntry(Entry):
    """What can differ between the variants of an endpoint. `latency` and `jitter` are milliseconds."""

    shape: str | None = None
    latency: NotNegative = 0.0
    jitter: NotNegative = 0.0
    faults: FaultsEntry | None = None
    answers: list[AnswerEntry] | None = None
    stream: StreamEntry | None = None


class VariantEntry(BehaviourEntry):
    """A production variant: its weight, and what it does otherwise than its endpoint."""

    where_it_stands = "in a variant"

    weight: NotNegative = 1.0

    @model_validator(mode="after")
    def _warm_up_together(self) -> Self:
        if self.faults and self.faults.cold_start:
            raise refusal("may not have `coldStart`, which is the endpoint's")
        return self


def _variants(value: dict[str, VariantEntry]) -> dict[str, VariantEntry]:
    for name in value:
        if not _NAME.fullmatch(name):
            raise refusal(f"must name variants by 1 to 63 letters, digits and inner hyphens, which `{name}` is not")
    if not sum(entry.weight for entry in value.values()):
        raise refusal("must have a variant whose weight is more than 0")
    return value


Variant: TypeAlias = Annotated[VariantEntry, _short_for("weight")]


class RuleEntry(BehaviourEntry):
    """What the endpoints of one pattern do."""

    where_it_stands = "in an endpoint"

    seed: WholeNotNegative = 0
    capacity: Annotated[CapacityEntry, _short_for("inFlight")] | None = None
    variants: Annotated[dict[str, Variant], AfterValidator(_variants)] | None = None
    deployment: DeploymentEntry | None = None


class ScriptEntry(Entry):
    """The whole script."""

    where_it_stands = "in a sandbox script"

    endpoints: dict[Filled, RuleEntry | None] | None = None
    missing: list[Filled] | None = None
