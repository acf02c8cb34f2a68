"""Every fault of the sandbox, met by chance and for good: each case ends once, as the table of faults has it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.calling.health import CIRCUIT_OPEN
from sagemaker_eval.errors import Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.attempts import Attempt, Attempts, struck_by
from sagemaker_eval.sandbox.faults import FAULTS
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.streaming import STREAM_FAULTS

if TYPE_CHECKING:
    from tests.soak.conftest import Ended, Workshop

pytestmark = pytest.mark.soak

ENDPOINT = "model"
SHARE = 0.3
IN_FLIGHT = 64
MAX_RETRIES = 3
ENOUGH_RETRIES = 20
PATIENCE = 12
TIMEOUT_MS = 2000
SHORT_TIMEOUT_MS = 200
NO_TIMEOUT_MS = 60_000

MOST_IN_VAIN = 50
"""Calls beyond one for each case, after which an endpoint that answers nothing is asked nothing twice."""

SPREAD = 7 * math.sqrt(SHARE) / (1 - SHARE)
"""Seven standard deviations of the number of calls that one case takes where each meets a fault with that chance."""


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


def cells(*modes: Mode) -> pytest.MarkDecorator:
    """All rows of the matrix in these modes."""
    found = [(mode, row) for row in MATRIX for mode in row.modes if mode in modes]
    names = ["-".join([mode, row.fault, *(str(value) for _, value in row.more)]) for mode, row in found]
    return pytest.mark.parametrize(("mode", "row"), found, ids=names)


class Fleet:
    """Runs cases against an endpoint, and counts what it is sent by the bodies."""

    def __init__(self, workshop: Workshop) -> None:
        self.sent: Counter[bytes] = Counter()
        self._workshop = workshop

    def run(self, cases: int, script: Json, *, in_flight: int = IN_FLIGHT, **config: Json) -> Ended:
        document = {
            "prompts": ["Write about case {{n}}"],
            "providers": [{"id": f"sagemaker:huggingface:{ENDPOINT}", "config": config}],
            "tests": [{"vars": {"n": number}} for number in range(cases)],
        }
        sandbox = self._workshop.serve({ENDPOINT: script}, on_request=self._note)
        path = self._workshop.write(document)
        return self._workshop.run(path, self._workshop.environ(sandbox), max_concurrency=in_flight, cache=False)

    @property
    def calls(self) -> int:
        return self.sent.total()

    def bodies(self) -> dict[str, bytes]:
        """What was sent, by the prompts."""
        return {json.loads(body)["inputs"]: body for body in self.sent}

    def _note(self, request: LoggedRequest) -> None:
        if request.endpoint is not None:
            self.sent[request.body] += 1


@pytest.fixture
def fleet(workshop: Workshop) -> Fleet:
    return Fleet(workshop)


def strikes(script: Json) -> Callable[[bytes], int]:
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


def ends(fleet: Fleet, ended: Ended) -> dict[bytes, tuple[str, str | None, int]]:
    """Outcome, code and attempts of each case, by what was sent for it."""
    bodies = fleet.bodies()
    return {bodies[row["prompt"]["raw"]]: (row["outcome"], row["errorCode"], row["attempts"]) for row in ended.rows}


def drawn(
    row: Row, script: Json, bodies: Iterable[bytes], max_retries: int
) -> dict[bytes, tuple[str, str | None, int]]:
    """What becomes of each case, by the draws of the sandbox and the table of faults."""
    struck_by_chance, tries = strikes(script), row.tries(max_retries)
    expected: dict[bytes, tuple[str, str | None, int]] = {}
    for body in bodies:
        struck = struck_by_chance(body)
        fails = struck >= tries
        expected[body] = ("errored", row.code, int(tries)) if fails else ("passed", None, struck + 1)
    return expected


def assert_ends_as_drawn(fleet: Fleet, ended: Ended, expected: dict[bytes, tuple[str, str | None, int]]) -> None:
    assert sorted(row["testIdx"] for row in ended.journal) == list(range(len(expected)))
    assert ends(fleet, ended) == expected
    assert fleet.sent == {body: attempts for body, (_, _, attempts) in expected.items()}


def test_the_matrix_is_whole() -> None:
    for mode in Mode:
        covered = {row.fault for row in MATRIX if mode in row.modes} | set(STOPPING)
        of_streams = STREAM_FAULTS.names() if mode is Mode.STREAM else ()
        assert covered == {*FAULTS.names(), *of_streams}


@cells(*Mode)
def test_each_case_ends_as_the_faults_that_it_meets_have_it(
    fleet: Fleet, scaled: Callable[..., int], seed: int, mode: Mode, row: Row
) -> None:
    cases, script = scaled(1000), row.script(mode, SHARE, seed)

    ended = fleet.run(cases, script, maxRetries=ENOUGH_RETRIES, **mode.config(row.fault))

    expected = drawn(row, script, fleet.sent, ENOUGH_RETRIES)
    assert_ends_as_drawn(fleet, ended, expected)
    assert fleet.calls <= cases / (1 - SHARE) + SPREAD * math.sqrt(cases)
    if row.retry in (Retry.COUNTED, Retry.LOADING):
        assert {outcome for outcome, _, _ in expected.values()} == {"passed"}


@cells(Mode.SYNC)
def test_without_retries_each_case_costs_one_call(
    fleet: Fleet, scaled: Callable[..., int], seed: int, mode: Mode, row: Row
) -> None:
    script = row.script(mode, SHARE, seed)

    ended = fleet.run(scaled(300), script, maxRetries=0, warmUp=False, **mode.config(row.fault))

    assert_ends_as_drawn(fleet, ended, drawn(replace(row, retry=Retry.NEVER), script, fleet.sent, 0))


@cells(*Mode)
def test_a_fault_that_stays_is_one_error_for_each_case_and_hardly_a_call_more(
    fleet: Fleet, scaled: Callable[..., int], mode: Mode, row: Row
) -> None:
    cases = scaled(500)

    ended = fleet.run(cases, row.script(mode, 1), **mode.config(row.fault, SHORT_TIMEOUT_MS))

    assert ended.code == 3
    assert sorted(found["testIdx"] for found in ended.journal) == list(range(cases))
    assert {(found["outcome"], found["errorKind"]) for found in ended.rows} == {("errored", "endpoint")}
    assert {found["errorCode"] for found in ended.rows} <= {row.code, CIRCUIT_OPEN}
    if row.is_throttling:
        assert set(fleet.sent.values()) == {row.tries(MAX_RETRIES)}
    else:
        assert fleet.calls <= cases + MOST_IN_VAIN


@cells(*Mode)
def test_an_endpoint_that_dies_in_the_middle_gets_hardly_a_call_more_than_there_are_cases(
    fleet: Fleet, scaled: Callable[..., int], mode: Mode, row: Row
) -> None:
    sound, cases = scaled(100), scaled(500)
    script = {
        **row.script(mode, 0),
        "answers": [*({"pattern": f"case {n}$", "answer": "fine"} for n in range(sound)), {"fault": row.fault}],
    }

    ended = fleet.run(cases, script, **mode.config(row.fault, SHORT_TIMEOUT_MS))

    outcomes = [found["outcome"] for found in ended.rows]
    assert outcomes == ["passed"] * sound + ["errored"] * (cases - sound)
    if not row.is_throttling:
        assert fleet.calls <= cases + MOST_IN_VAIN


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", STOPPING)
def test_what_no_case_can_survive_ends_the_run_at_its_first_call(
    fleet: Fleet, scaled: Callable[..., int], name: str, mode: Mode
) -> None:
    ended = fleet.run(scaled(300), {**mode.deployment, "faults": {name: 1}}, **mode.config(name))

    assert ended.code == 2
    assert ended.journal == ()
    assert fleet.calls == 1


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("name", STOPPING)
def test_what_no_case_can_survive_ends_a_run_in_the_middle(
    fleet: Fleet, scaled: Callable[..., int], name: str, mode: Mode
) -> None:
    cases = scaled(300)
    answers = [{"pattern": f"case {cases // 2}$", "fault": name}]

    ended = fleet.run(cases, {**mode.deployment, "answers": answers}, **mode.config(name))

    done = [row["testIdx"] for row in ended.journal]
    assert 0 < len(done) == len(set(done)) == len(ended.rows)
    assert ended.code == 3
    assert {row["outcome"] for row in ended.rows} <= {"passed"}
    assert len(done) < fleet.calls <= len(done) + IN_FLIGHT


@pytest.mark.parametrize("mode", Mode)
def test_a_cold_start_is_waited_for_by_one_call_alone(fleet: Fleet, scaled: Callable[..., int], mode: Mode) -> None:
    cases, cold = scaled(300), 11

    ended = fleet.run(cases, {**mode.deployment, "faults": {"coldStart": cold}}, **mode.config("coldStart"))

    assert Counter(row["outcome"] for row in ended.rows) == {"passed": cases}
    assert Counter(row["attempts"] for row in ended.rows) == {cold + 1: 1, 1: cases - 1}
    assert fleet.calls == cases + cold
