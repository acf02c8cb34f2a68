"""What every report reads, what a document writer is, and the registry that the writers file themselves in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from sagemaker_eval.model import Json, Outcome, RunSummary
from sagemaker_eval.registry import Registry
from sagemaker_eval.running.run_record import RunRecord


class JournalReader(Protocol):
    """The finished cases of a run. Every iteration is in plan order and starts anew."""

    def lines(self) -> Iterator[bytes]:
        """The rows as JSON text, one line each, without the newline."""
        ...

    def rows(self) -> Iterator[dict[str, Json]]:
        """The rows, decoded."""
        ...

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """(slot, outcome); slot = testIdx * number of columns + promptIdx."""
        ...

    def row(self, slot: int) -> dict[str, Json]:
        """The row of one finished case."""
        ...


Writer = Callable[[BinaryIO, RunRecord, JournalReader, RunSummary], None]
"""Writes one document of a run to a stream, row by row: memory does not grow with the number of cases."""

OUTPUTS: Registry[Writer] = Registry("output ending")
"""Document writers by the ending of the files they write, dot included: `.json`."""
