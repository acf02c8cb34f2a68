"""Which rows the table shows, chosen from outcomes alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sagemaker_eval.model import Outcome

_TROUBLE = frozenset({Outcome.FAILED, Outcome.ERRORED})


@dataclass(frozen=True, slots=True)
class ChosenRow:
    """A row of the table: its testIdx, and the slots of its finished cases."""

    index: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RowChoice:
    """The rows to show, in this order, out of `total` rows with finished cases."""

    rows: tuple[ChosenRow, ...]
    total: int

    @property
    def hidden(self) -> int:
        return self.total - len(self.rows)


def choose_rows(outcomes: Iterable[tuple[int, Outcome]], columns: int, limit: int) -> RowChoice:
    """At most `limit` rows: those with failures or errors, then the others, both in plan order.

    `outcomes` is in plan order, as the journal gives it; no more than twice `limit` rows are kept at any time.
    """
    troubled: list[ChosenRow] = []
    fine: list[ChosenRow] = []
    total = 0
    for index, group in groupby(outcomes, key=lambda finished: finished[0] // columns):
        cases = list(group)
        total += 1
        kept = troubled if any(outcome in _TROUBLE for _, outcome in cases) else fine
        if len(kept) < limit:
            kept.append(ChosenRow(index, tuple(slot for slot, _ in cases)))
    return RowChoice(tuple((troubled + fine)[:limit]), total)
