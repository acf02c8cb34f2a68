"""Every fault of the sandbox, met by chance and for good: each case ends once, as the table of faults has it."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.calling.health import CIRCUIT_OPEN
from sagemaker_eval.errors import Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.faults import FAULTS
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.streaming import STREAM_FAULTS
from tests.soak.fault_table import AT_ONCE, ENDPOINT, MATRIX, STOPPING, End, Mode, Row, cells, drawn, name

if TYPE_CHECKING:
    from tests.soak.conftest import Ended, Workshop

pytestmark = pytest.mark.soak

SHARE = 0.3
IN_FLIGHT = 64
MAX_RETRIES = 3
ENOUGH_RETRIES = 20
SHORT_TIMEOUT_MS = 200

SPREAD = 7 * math.sqrt(SHARE) / (1 - SHARE)
"""Seven standard deviations of the calls that a case takes where each meets a fault by chance: 1.6 a case in 1,000."""

MOST_IN_VAIN = 50
"""Calls beyond one for each case, after which an endpoint that answers nothing is asked nothing twice."""

DEATH_S = 60.0
"""How long an endpoint that died is dead: longer than a run takes, and no longer than signatures are good."""

DYING = frozenset({"unavailable", "badGateway", "disconnect", "timeout", "containerTimeout", "modelError", "emptyBody"})
"""What endpoints may answer when they have died."""

EVERYWHERE = pytest.mark.parametrize(("mode", "row"), cells(*Mode), ids=name)
SYNC = pytest.mark.parametrize(("mode", "row"), cells(Mode.SYNC), ids=name)
OF_THE_DYING = pytest.mark.parametrize(
    ("mode", "row"),
    [(mode, row) for mode, row in cells(*AT_ONCE) if row.fault in DYING and not row.is_throttling],
    ids=name,
)


class Dying:
    """The clock of a sandbox, which is wound back after so many answers: a cold start that was over begins anew."""

    def __init__(self, answers: int) -> None:
        self._left = answers
        self._ahead = 0.0

    def now(self) -> float:
        return time.time() + self._ahead

    def note_answer(self) -> None:
        """Hear that a request was answered; the first one meets the fault, as it begins the cold start."""
        if self._ahead:
            self._left -= 1
        self._ahead = DEATH_S if self._left else 0.0


class Fleet:
    """Runs cases against an endpoint, and counts what it is sent by the bodies."""

    def __init__(self, workshop: Workshop) -> None:
        self.sent: Counter[bytes] = Counter()
        self._workshop = workshop
        self._dying: Dying | None = None

    def run(self, cases: int, script: Json, dying: Dying | None = None, **config: Json) -> Ended:
        document = {
            "prompts": ["Write about case {{n}}"],
            "providers": [{"id": f"sagemaker:huggingface:{ENDPOINT}", "config": config}],
            "tests": [{"vars": {"n": number}} for number in range(cases)],
        }
        self._dying = dying
        clock = time.time if dying is None else dying.now
        sandbox = self._workshop.serve({ENDPOINT: script}, on_request=self._note, clock=clock)
        path = self._workshop.write(document)
        return self._workshop.run(path, self._workshop.environ(sandbox), max_concurrency=IN_FLIGHT, cache=False)

    @property
    def calls(self) -> int:
        return self.sent.total()

    def bodies(self) -> dict[str, bytes]:
        """What was sent, by the prompts."""
        return {json.loads(body)["inputs"]: body for body in self.sent}

    def _note(self, request: LoggedRequest) -> None:
        if request.endpoint is not None:
            self.sent[request.body] += 1
            if self._dying is not None:
                self._dying.note_answer()


@pytest.fixture
def fleet(workshop: Workshop) -> Fleet:
    return Fleet(workshop)


def ends(fleet: Fleet, ended: Ended) -> dict[bytes, End]:
    """Outcome, code and attempts of each case, by what was sent for it."""
    bodies = fleet.bodies()
    return {bodies[row["prompt"]["raw"]]: End(row["outcome"], row["errorCode"], row["attempts"]) for row in ended.rows}


def assert_ends_as_drawn(fleet: Fleet, ended: Ended, expected: dict[bytes, End]) -> None:
    assert sorted(row["testIdx"] for row in ended.journal) == list(range(len(expected)))
    assert ends(fleet, ended) == expected
    assert fleet.sent == {body: end.attempts for body, end in expected.items()}


def test_the_matrix_is_whole() -> None:
    for mode in Mode:
        covered = {row.fault for row in MATRIX if mode in row.modes} | set(STOPPING)
        of_streams = STREAM_FAULTS.names() if mode is Mode.STREAM else ()
        assert covered == {*FAULTS.names(), *of_streams}


@EVERYWHERE
def test_each_case_ends_as_the_faults_that_it_meets_have_it(
    fleet: Fleet, scaled: Callable[..., int], seed: int, mode: Mode, row: Row
) -> None:
    cases, script = scaled(1000), row.script(mode, SHARE, seed)

    ended = fleet.run(cases, script, maxRetries=ENOUGH_RETRIES, **mode.config(row.fault))

    expected = drawn(row, script, fleet.sent, ENOUGH_RETRIES)
    assert_ends_as_drawn(fleet, ended, expected)
    assert fleet.calls <= cases / (1 - SHARE) + SPREAD * math.sqrt(cases)
    if row.retry in (Retry.COUNTED, Retry.LOADING):
        assert {end.outcome for end in expected.values()} == {"passed"}


@SYNC
def test_without_retries_each_case_costs_one_call(
    fleet: Fleet, scaled: Callable[..., int], seed: int, mode: Mode, row: Row
) -> None:
    script = row.script(mode, SHARE, seed)

    ended = fleet.run(scaled(300), script, maxRetries=0, warmUp=False, **mode.config(row.fault))

    assert_ends_as_drawn(fleet, ended, drawn(replace(row, retry=Retry.NEVER), script, fleet.sent, 0))


@EVERYWHERE
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


@OF_THE_DYING
def test_an_endpoint_that_dies_in_the_middle_gets_hardly_a_call_more_than_there_are_cases(
    fleet: Fleet, scaled: Callable[..., int], mode: Mode, row: Row
) -> None:
    sound, cases = scaled(100), scaled(500)
    faults = {row.fault: dict(row.more), "coldStart": {"seconds": DEATH_S, "fault": row.fault}}
    dying = Dying(sound)

    ended = fleet.run(
        cases, {"shape": "tgi", **mode.deployment, "faults": faults}, dying, **mode.config(row.fault, SHORT_TIMEOUT_MS)
    )

    assert Counter(found["outcome"] for found in ended.rows) == {"passed": sound, "errored": cases - sound}
    assert fleet.calls <= cases + MOST_IN_VAIN


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("fault", STOPPING)
def test_what_no_case_can_survive_ends_the_run_at_its_first_call(
    fleet: Fleet, scaled: Callable[..., int], fault: str, mode: Mode
) -> None:
    ended = fleet.run(scaled(300), {**mode.deployment, "faults": {fault: 1}}, **mode.config(fault))

    assert ended.code == 2
    assert ended.journal == ()
    assert fleet.calls == 1


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("fault", STOPPING)
def test_what_no_case_can_survive_ends_a_run_in_the_middle(
    fleet: Fleet, scaled: Callable[..., int], fault: str, mode: Mode
) -> None:
    cases = scaled(300)
    answers = [{"pattern": f"case {cases // 2}$", "fault": fault}]

    ended = fleet.run(cases, {**mode.deployment, "answers": answers}, **mode.config(fault))

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
