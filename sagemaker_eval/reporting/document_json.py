"""`.json`: the result document, version 3. Rows stand one on a line, copied from the journal."""

from __future__ import annotations

from typing import BinaryIO

from sagemaker_eval.model import Json, RunSummary
from sagemaker_eval.reporting.base import OUTPUTS, JournalReader
from sagemaker_eval.reporting.document import envelope_of
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_record import RunRecord


@OUTPUTS.register(".json")
def write_json_document(stream: BinaryIO, record: RunRecord, journal: JournalReader, summary: RunSummary) -> None:
    """The result document as UTF-8 JSON (RFC 8259: what is not a number becomes null)."""
    envelope = envelope_of(record, summary)
    stream.write(b"{\n" + _members(envelope.head) + b',\n"results":{\n')
    stream.write(_members(envelope.before_rows) + b',\n"results":[')
    separator = b"\n"
    for line in journal.lines():
        stream.write(separator + line)
        separator = b",\n"
    stream.write(b"\n],\n" + _members(envelope.after_rows) + b"\n},\n")
    stream.write(_members(envelope.rest) + b"\n}\n")


def _members(mapping: dict[str, Json]) -> bytes:
    """The members of an object, one on a line, without its braces."""
    return b",\n".join(encode_row({name: value})[1:-1] for name, value in mapping.items())
