"""`.jsonl`: one row a line, in plan order."""

from __future__ import annotations

from typing import BinaryIO

from sagemaker_eval.model import RunSummary
from sagemaker_eval.reporting.base import OUTPUTS, JournalReader
from sagemaker_eval.running.run_record import RunRecord


@OUTPUTS.register(".jsonl")
def write_jsonl(stream: BinaryIO, record: RunRecord, journal: JournalReader, summary: RunSummary) -> None:
    """The rows of `results.results[]`, each a line of JSON."""
    for line in journal.lines():
        stream.write(line + b"\n")
