"""`.yaml`, `.yml`: the result document as YAML that readers of version 1.1 and of version 1.2 take for the same."""

from __future__ import annotations

import json
import math
import re
from types import MappingProxyType
from typing import Any, BinaryIO

import yaml

from sagemaker_eval.model import Json, RunSummary
from sagemaker_eval.reporting.base import OUTPUTS, JournalReader
from sagemaker_eval.reporting.document import envelope_of
from sagemaker_eval.running.run_record import RunRecord

try:
    from yaml import CSafeDumper as _FastestDumper
except ImportError:
    from yaml import SafeDumper as _FastestDumper  # type: ignore[assignment]

_STRING = "tag:yaml.org,2002:str"
_ONE_LINE = 1_000_000
_AMBIGUOUS = re.compile(r"[-+]?\.?[0-9]|[-+]?\.(?:inf|nan)$|[yn]$|[-+~]$", re.IGNORECASE)
"""Texts that some YAML reader takes for a number, a date or a truth value; PyYAML itself quotes only what 1.1 does."""
_LITERAL = re.compile(r"[^\s\x00-\x1f](?:[^\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]*\S)?")
"""Texts of several lines that a literal block keeps as they are."""


class _Dumper(_FastestDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_string(dumper: _Dumper, text: str) -> yaml.Node:
    text = text.encode("utf-8", "backslashreplace").decode()
    style = None
    if "\n" in text and _LITERAL.fullmatch(text):
        style = "|"
    elif not text.isprintable() or _AMBIGUOUS.match(text):
        style = '"'
    return dumper.represent_scalar(_STRING, text, style=style)


def _represent_float(dumper: _Dumper, number: float) -> yaml.Node:
    return _FastestDumper.represent_float(dumper, number) if math.isfinite(number) else dumper.represent_none(None)


def _represent_mapping(dumper: _Dumper, mapping: MappingProxyType[str, Json]) -> yaml.Node:
    return dumper.represent_dict(dict(mapping))


_Dumper.add_representer(str, _represent_string)
_Dumper.add_representer(float, _represent_float)
_Dumper.add_representer(MappingProxyType, _represent_mapping)


@OUTPUTS.register(".yaml")
@OUTPUTS.register(".yml")
def write_yaml(stream: BinaryIO, record: RunRecord, journal: JournalReader, summary: RunSummary) -> None:
    """The members of the JSON document, as YAML in UTF-8."""
    envelope = envelope_of(record, summary)
    stream.write(_dump(envelope.head) + b"results:\n" + _indented(_dump(envelope.before_rows)))
    empty = True
    for row in journal.rows():
        stream.write((b"  results:\n" if empty else b"") + _indented(_element(row)))
        empty = False
    if empty:
        stream.write(b"  results: []\n")
    stream.write(_indented(_dump(envelope.after_rows)) + _dump(envelope.rest))


def _dump(value: Json) -> bytes:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_ONE_LINE)
    return text.encode()


def _element(row: Json) -> bytes:
    """A row as an element of a list; as JSON, which is YAML too, where it is nested too deeply for PyYAML's stack."""
    try:
        return _dump([row])
    except RecursionError:
        return b"- " + json.dumps(row).encode() + b"\n"


def _indented(block: bytes) -> bytes:
    return b"".join(b"  " + line if line.strip() else line for line in block.splitlines(keepends=True))
