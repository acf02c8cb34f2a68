"""What becomes of cases that meet a fault, fault by fault and by the draws of the sandbox."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sagemaker_eval.errors import Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.attempts import Attempt, Attempts, struck_by
from sagemaker_eval.sandbox.script import SandboxScript

ENDPOINT = "model"
PATIENCE = 12
TIMEOUT_MS = 1500
NO_TIMEOUT_MS = 60_000


class End(NamedTuple):
    """How a case ends: its outcome, the code of its error, and the calls that it took."""

    outcome: str
    code: str | None
    attempts: int


class Mode(StrEnum):
    """How an endpoint is asked."""

    SYNC = "sync"
    STREAM = "stream"
    ASYNC = "async"

    def config(self, fault: str, timeout_ms: int = TIMEOUT_MS) -> dict[str, Json]:
        """The settings of a provider: nothing times out but where that is the fault."""
        slow = fault in {"timeout", "stall"}
        timeout: dict[str, Json] = {"timeoutMs": timeout_ms if slow else NO_TIMEOUT_MS}
        match self:
            case Mode.STREAM:
                return {"stream": True, **timeout}
            case Mode.ASYNC:
                return {"async": {"invocationTimeoutSeconds": 1, "timeoutMs": NO_TIMEOUT_MS}}
            case _:
                return timeout

    @property
    def deployment(self) -> dict[str, Json]:
        """What a script says so that the endpoint can be asked in this way."""
        return {"deployment": {"async": True}} if self is Mode.ASYNC else {}


AT_ONCE = (Mode.SYNC, Mode.STREAM)
EVERY = tuple(Mode)


@dataclass(frozen=True, slots=True)
class Row:
    """A fault: which code a case ends with that meets nothing else, and what a further try is worth."""

    fault: str
    code: str
    retry: Retry
    modes: tuple[Mode, ...] = EVERY
    more: tuple[tuple[str, Json], ...] = ()

    def script(self, mode: Mode, how_often: float, seed: int = 0) -> dict[str, Json]:
        """What an endpoint does."""
        settings: dict[str, Json] = {"shape": "tgi", "seed": seed, **mode.deployment}
        if self.fault == "modelNotReady":  # which only a prompt can meet
            return {**settings, "answers": [{"fault": self.fault, "share": how_often}]}
        return {**settings, "faults": {self.fault: {"share": how_often, **dict(self.more)}}}

    @property
    def is_throttling(self) -> bool:
        """Whether it says: too many calls, which is no sign of an ill endpoint."""
        return self.retry is Retry.PATIENT or ("status", 429) in self.more

    def tries(self, max_retries: int) -> float:
        """The calls that one case may cost."""
        match self.retry:
            case Retry.LOADING:
                return math.inf  # waiting for an endpoint is no retry
            case Retry.PATIENT:
                return PATIENCE if max_retries else 1
            case Retry.COUNTED:
                return max_retries + 1
            case Retry.ONCE:
                return 1 + min(max_retries, 1)
            case _:
                return 1


def model_error(status: int, retry: Retry) -> Row:
    return Row("modelError", "ModelError", retry, more=(("status", status),))


MATRIX = (
    Row("throttling", "ThrottlingException", Retry.PATIENT),
    Row("modelNotReady", "ModelNotReadyException", Retry.LOADING),
    Row("noCapacity", "ValidationError", Retry.LOADING),
    Row("unavailable", "ServiceUnavailable", Retry.COUNTED),
    Row("internalFailure", "InternalFailure", Retry.COUNTED),
    Row("internalDependency", "InternalDependencyException", Retry.COUNTED),
    Row("badGateway", "502", Retry.COUNTED),
    Row("truncated", "ConnectionClosed", Retry.COUNTED, AT_ONCE),
    Row("disconnect", "ConnectionClosed", Retry.COUNTED, AT_ONCE),
    Row("timeout", "ReadTimeout", Retry.COUNTED, AT_ONCE),
    Row("truncated", "ModelError", Retry.ONCE, (Mode.ASYNC,)),
    Row("disconnect", "ModelError", Retry.ONCE, (Mode.ASYNC,)),
    Row("timeout", "ModelError", Retry.NEVER, (Mode.ASYNC,)),
    Row("emptyBody", "EmptyBody", Retry.ONCE),
    Row("batchFailed", "ModelError", Retry.ONCE),
    Row("generationFailed", "ModelError", Retry.NEVER),
    Row("validation", "ValidationError", Retry.NEVER),
    Row("containerTimeout", "ModelError", Retry.NEVER),
    model_error(0, Retry.NEVER),
    model_error(400, Retry.NEVER),
    model_error(404, Retry.NEVER),
    model_error(424, Retry.ONCE),
    model_error(429, Retry.COUNTED),
    model_error(500, Retry.ONCE),
    model_error(502, Retry.COUNTED),
    model_error(503, Retry.COUNTED),
    model_error(507, Retry.ONCE),
    Row("modelError", "ModelError", Retry.NEVER, more=(("message", "CUDA out of memory"),)),
    Row("streamBroken", "ModelStreamError", Retry.COUNTED, (Mode.STREAM,)),
    Row("streamTimeLimit", "ModelStreamError", Retry.NEVER, (Mode.STREAM,)),
    Row("internalStreamFailure", "InternalStreamFailure", Retry.COUNTED, (Mode.STREAM,)),
    Row("streamError", "InternalServerException", Retry.COUNTED, (Mode.STREAM,)),
    Row("badChecksum", "StreamCorrupted", Retry.COUNTED, (Mode.STREAM,)),
    Row("streamCut", "ConnectionClosed", Retry.COUNTED, (Mode.STREAM,)),
    Row("streamTruncated", "StreamTruncated", Retry.COUNTED, (Mode.STREAM,)),
    Row("containerStreamError", "ModelError", Retry.ONCE, (Mode.STREAM,)),
    Row("stall", "ReadTimeout", Retry.COUNTED, (Mode.STREAM,)),
)
STOPPING = ("accessDenied", "expiredToken", "notFound")


def cells(*modes: Mode) -> list[tuple[Mode, Row]]:
    """All rows of the table in these modes."""
    return [(mode, row) for row in MATRIX for mode in row.modes if mode in modes]


def name(value: object) -> str:
    """What stands for a mode or a row in the name of a test."""
    return "-".join([value.fault, *(str(more) for _, more in value.more)]) if isinstance(value, Row) else str(value)


def drawn(row: Row, script: Json, bodies: Iterable[bytes], max_retries: int) -> dict[bytes, End]:
    """What becomes of each case, by what is sent for it."""
    strikes, tries = strikes_of(script), row.tries(max_retries)
    struck = {body: strikes(body) for body in bodies}
    return {
        body: End("passed", None, number + 1) if number < tries else End("errored", row.code, int(tries))
        for body, number in struck.items()
    }


def strikes_of(script: Json) -> Callable[[bytes], int]:
    """How many attempts in a row meet a fault, from the first one at a body on, by the draws of the sandbox."""
    rule = SandboxScript.parse({"endpoints": {ENDPOINT: script}}, "script.yaml").rule_for(ENDPOINT)

    def is_struck(attempt: Attempt) -> bool:
        if rule.answers:
            return attempt.answer(0) < rule.answers[0].share
        return struck_by(rule.faults, attempt) is not None

    def count(body: bytes) -> int:
        attempts, number = Attempts(), 0
        while is_struck(attempts.next(rule, ENDPOINT, body)):
            number += 1
        return number

    return count
