"""Every fault of the sandbox, passing and permanent: each case ends once, as the table of faults has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.faults import FAULTS

if TYPE_CHECKING:
    from tests.soak.conftest import Ended, Workshop

pytestmark = pytest.mark.soak

IN_FLIGHT = 64
MAX_RETRIES = 3
PATIENCE = 12
TIMEOUT_MS = 1000
SHORT_TIMEOUT_MS = 100


@dataclass(frozen=True, slots=True)
class Expected:
    """What becomes of a case whose first attempts meet a fault: the calls it may take, and the code it ends with."""

    calls: int
    code: str

    @property
    def passing(self) -> int:
        """The most faults after which a case still succeeds."""
        return self.calls - 1


PATIENT = PATIENCE
COUNTED = MAX_RETRIES + 1
ONCE = 2
NEVER = 1

MATRIX: dict[str, tuple[Json, Expected]] = {
    "throttling": ({}, Expected(PATIENT, "ThrottlingException")),
    "unavailable": ({}, Expected(COUNTED, "ServiceUnavailable")),
    "internalFailure": ({}, Expected(COUNTED, "InternalFailure")),
    "internalDependency": ({}, Expected(COUNTED, "InternalDependencyException")),
    "badGateway": ({}, Expected(COUNTED, "502")),
    "truncated": ({}, Expected(COUNTED, "ConnectionClosed")),
    "disconnect": ({}, Expected(COUNTED, "ConnectionClosed")),
    "timeout": ({}, Expected(COUNTED, "ReadTimeout")),
    "emptyBody": ({}, Expected(ONCE, "EmptyBody")),
    "batchFailed": ({}, Expected(ONCE, "ModelError")),
    "generationFailed": ({}, Expected(NEVER, "ModelError")),
    "noCapacity": ({}, Expected(NEVER, "ValidationError")),
    "validation": ({}, Expected(NEVER, "ValidationError")),
    "modelError 0": ({"status": 0}, Expected(NEVER, "ModelError")),
    "modelError 400": ({"status": 400}, Expected(NEVER, "ModelError")),
    "modelError 404": ({"status": 404}, Expected(NEVER, "ModelError")),
    "modelError 424": ({"status": 424}, Expected(ONCE, "ModelError")),
    "modelError 429": ({"status": 429}, Expected(COUNTED, "ModelError")),
    "modelError 500": ({"status": 500}, Expected(ONCE, "ModelError")),
    "modelError 502": ({"status": 502}, Expected(COUNTED, "ModelError")),
    "modelError 503": ({"status": 503}, Expected(COUNTED, "ModelError")),
    "modelError 507": ({"status": 507}, Expected(ONCE, "ModelError")),
    "modelError oom": ({"message": "CUDA out of memory"}, Expected(NEVER, "ModelError")),
}
STOPPING = ("accessDenied", "expiredToken", "notFound")
COLD = "modelNotReady"
EACH = pytest.mark.parametrize("name", MATRIX)


class Fleet:
    """Runs a number of cases against an endpoint with one fault."""

    def __init__(self, workshop: Workshop, cases: int) -> None:
        self.cases = cases
        self.requests = 0
        self._workshop = workshop

    def run(self, faults: Json, *, answers: Json = None, **config: Json) -> Ended:
        provider = {"id": "sagemaker:huggingface:model", "config": {"timeoutMs": TIMEOUT_MS * 30, **config}}
        document = {
            "prompts": ["Write about case {{n}}"],
            "providers": [provider],
            "tests": [{"vars": {"n": number}} for number in range(self.cases)],
        }
        sandbox = self._workshop.serve({"model": {"faults": faults, "answers": answers}})
        path = self._workshop.write(document)
        ended = self._workshop.run(path, self._workshop.environ(sandbox), max_concurrency=IN_FLIGHT, cache=False)
        self.requests = sandbox.count()
        return ended


@pytest.fixture
def fleet(workshop: Workshop, scaled: Callable[..., int]) -> Fleet:
    return Fleet(workshop, scaled(300))


def setting(name: str, how_often: Json) -> tuple[Json, Json]:
    """The `faults` of a script, and provider settings that go with them."""
    more, _ = MATRIX[name]
    config = {"timeoutMs": TIMEOUT_MS} if name == "timeout" else {}
    return {name.split()[0]: {**more, **how_often}}, config


def test_the_matrix_is_whole() -> None:
    assert {name.split()[0] for name in MATRIX} | {*STOPPING, COLD} == set(FAULTS.names())


@EACH
def test_a_fault_that_passes_in_time_is_no_error(fleet: Fleet, name: str) -> None:
    passing = min(MATRIX[name][1].passing, 1 if name == "timeout" else PATIENCE)
    faults, config = setting(name, {"first": passing})

    ended = fleet.run(faults, **config)

    assert sorted(row["testIdx"] for row in ended.journal) == list(range(fleet.cases))
    assert Counter(row["outcome"] for row in ended.rows) == {"passed": fleet.cases}
    assert {row["attempts"] for row in ended.rows} == {passing + 1}
    assert fleet.requests == fleet.cases * (passing + 1)


@EACH
def test_a_fault_that_stays_is_one_error_for_each_case(fleet: Fleet, name: str) -> None:
    expected = MATRIX[name][1]
    faults, config = setting(name, {"share": 1})

    ended = fleet.run(faults, **{**config, **({"timeoutMs": SHORT_TIMEOUT_MS} if config else {})})

    assert ended.code == 3
    assert sorted(row["testIdx"] for row in ended.journal) == list(range(fleet.cases))
    found = Counter((row["outcome"], row["errorKind"], row["errorCode"], row["attempts"]) for row in ended.rows)
    assert found == {("errored", "endpoint", expected.code, expected.calls): fleet.cases}
    assert fleet.requests <= fleet.cases * expected.calls
    if name != "timeout":  # a server that is kept busy does not see each of the short calls
        assert fleet.requests == fleet.cases * expected.calls


@EACH
def test_without_retries_each_case_costs_one_call(fleet: Fleet, name: str) -> None:
    faults, config = setting(name, {"first": 1})

    ended = fleet.run(faults, maxRetries=0, **{**config, **({"timeoutMs": SHORT_TIMEOUT_MS} if config else {})})

    assert {(row["outcome"], row["attempts"]) for row in ended.rows} == {("errored", 1)}
    assert fleet.requests <= len(ended.journal) == fleet.cases


@pytest.mark.parametrize("name", STOPPING)
def test_what_no_case_can_survive_ends_the_run_at_its_first_call(fleet: Fleet, name: str) -> None:
    ended = fleet.run({name: 1})

    assert ended.code == 2
    assert ended.journal == ()
    assert fleet.requests == 1


@pytest.mark.parametrize("name", STOPPING)
def test_what_no_case_can_survive_ends_a_run_in_the_middle(fleet: Fleet, name: str) -> None:
    ended = fleet.run({}, answers=[{"pattern": f"case {fleet.cases // 2}$", "fault": name}])

    done = [row["testIdx"] for row in ended.journal]
    assert 0 < len(done) == len(set(done)) == len(ended.rows)
    assert ended.code == 3
    assert {row["outcome"] for row in ended.rows} <= {"passed"}
    assert len(done) < fleet.requests <= len(done) + IN_FLIGHT


def test_a_cold_start_is_waited_for_by_one_call_alone(fleet: Fleet) -> None:
    ended = fleet.run({"coldStart": PATIENCE - 1})

    assert Counter(row["outcome"] for row in ended.rows) == {"passed": fleet.cases}
    assert Counter(row["attempts"] for row in ended.rows) == {PATIENCE: 1, 1: fleet.cases - 1}
    assert fleet.requests == fleet.cases + PATIENCE - 1


def test_an_endpoint_that_stays_cold_is_an_error_for_each_case(fleet: Fleet) -> None:
    ended = fleet.run({"coldStart": PATIENCE * fleet.cases})

    found = Counter((row["outcome"], row["errorCode"], row["attempts"]) for row in ended.rows)
    assert found == {("errored", "ModelNotReadyException", PATIENCE): fleet.cases}
    assert fleet.requests == fleet.cases * PATIENCE
