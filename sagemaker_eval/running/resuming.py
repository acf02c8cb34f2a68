"""Going on with an earlier run: which cases are still to be done, and whether the run is still the one that it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import IntEnum, StrEnum
from pathlib import Path

from sagemaker_eval.assertions.judging import comparing
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Outcome
from sagemaker_eval.running.identity import case_id, row_case_id
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_record import RunRecord

_PIECE = 1 << 20
_SHOWN = 5


class Again(StrEnum):
    """Which finished cases are run again beside those that never finished."""

    NONE = "none"
    ERRORS = "errors"
    FAILED = "failed"


_TO_REPEAT = {
    Again.NONE: frozenset[Outcome](),
    Again.ERRORS: frozenset({Outcome.ERRORED}),
    Again.FAILED: frozenset({Outcome.ERRORED, Outcome.FAILED}),
}


class Wanted(IntEnum):
    """What is left to do for a case of an earlier run."""

    NOTHING = 0
    JUDGING = 1
    """Its answer is on record."""
    ASKING = 2


def wanted_slots(journal: Journal, plan: Plan, again: Again) -> bytearray:
    """What is `Wanted` of each slot of the plan.

    The answers to one test that are compared with each other are judged together. What was answered is not asked again
    where it only could not be judged, or where another answer to its test is new.
    """
    wanted = bytearray(plan.slots)
    repeated = _TO_REPEAT[again]
    for case in plan.cases():
        outcome = journal.outcome(case.index)
        if outcome is not None and outcome not in repeated:
            continue
        to_judge = outcome is not Outcome.FAILED and _is_answered(journal, case.index)
        wanted[case.index] = Wanted.JUDGING if to_judge else Wanted.ASKING
        if comparing(case.row.test.assertions):
            first = case.index - case.column.index
            for slot in (first + column.index for column in plan.columns_for(case.row.test)):
                if not wanted[slot]:
                    wanted[slot] = Wanted.JUDGING if _is_answered(journal, slot) else Wanted.ASKING
    return wanted


def count_wanted(wanted: bytearray) -> int:
    """The cases for which something is left to do."""
    return len(wanted) - wanted.count(Wanted.NOTHING)


def _is_answered(journal: Journal, slot: int) -> bool:
    """Whether the record has an answer that its assertions could judge, all or at least some of them."""
    row = journal.latest(slot)
    return row is not None and row["response"] is not None and row["gradingResult"] is not None


def rebased(journal: Journal, record: RunRecord, plan: Plan) -> None:
    """Have the journal of an earlier run be that of `plan`: rows of cases that are still the same move to their cells.

    The folder holds the old run or the new one, never a mixture. Raises `SagevalError` where it cannot be written.
    """
    slots: dict[str, list[int]] = {}
    for slot in dict.fromkeys([*(slot for slot, _ in journal.outcomes()), *journal.pending()]):
        slots.setdefault(row_case_id(journal.latest(slot) or {}), []).append(slot)

    def rows() -> Iterator[dict[str, Json]]:
        for case in plan.cases():
            if same := slots.get(case_id(case)):
                cell = {"testIdx": case.row.index, "promptIdx": case.column.index}
                for row in journal.written(same.pop(0)):
                    yield {**row, **cell}

    journal.replace(record, map(encode_row, rows()))


def digests(paths: Iterable[str], shown: Callable[[bytes], bytes] = bytes) -> dict[str, str]:
    """The SHA-256, in hex, of what `shown` leaves of each file that can be read."""
    found = {}
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                digest = hashlib.sha256()
                while piece := file.read(_PIECE):
                    digest.update(shown(piece))
        except OSError:
            continue
        found[path] = digest.hexdigest()
    return found


def refuse_changes(record: RunRecord, files: Mapping[str, str], now: RunRecord) -> None:
    """Raise `ConfigError` where what the run was made from is no longer what it was.

    `now` is the record that the configuration would give, and `files` are those read for it.
    """
    changed = sorted(path for path, digest in record.files.items() if files.get(path, digest) != digest)
    gone = sorted(path for path in record.files if path not in files and not Path(path).is_file())
    added = sorted(path for path in files if path not in record.files)
    hint = "--allow-changes goes on all the same: cases that are still the same keep their results"
    if changed or gone or added:
        told = [*(f"`{path}` was changed" for path in changed), *(f"`{path}` is gone" for path in gone)]
        told += [f"`{path}` is new" for path in added]
        more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        raise ConfigError.of(
            f"the configuration is not that of run {record.run_id} any more: {', '.join(told[:_SHOWN])}{more}",
            hint=hint,
        )
    if not is_same_plan(record, now):
        raise ConfigError.of(
            f"the configuration of run {record.run_id} gives {now.total} cases now and gave {record.total} then, or "
            "other columns: it depends on more than its files",
            hint=hint,
        )


def is_same_plan(record: RunRecord, now: RunRecord) -> bool:
    """Whether the plan of one record has the cells of the other's."""
    return _cells(now) == _cells(record)


def _cells(record: RunRecord) -> tuple[list[tuple[str, str | None, str]], int, int]:
    columns = [(column.provider_id, column.provider_label, column.prompt_id) for column in record.columns]
    return columns, record.total, record.slots
