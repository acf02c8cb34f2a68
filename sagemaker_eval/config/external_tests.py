"""Files of tests in YAML, JSON and JSON Lines: their entries, with the files that they name in place of the names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.file_values import FUNCTIONS
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.local_references import expand_references
from sagemaker_eval.config.named_files import named_document
from sagemaker_eval.config.nested_files import with_files
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import PREFIX, is_reference, split_function
from sagemaker_eval.config.streamed_tests import Entries, Entry
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_KEPT = frozenset({"provider", "vars"})
"""Keys whose `file://` names mean something of their own."""


@dataclass(frozen=True, slots=True)
class TestFiles:
    """How files of tests are read. `numbered`: tests without a description are called `Row #1` and so on."""

    __test__ = False

    base_path: str
    numbered: bool = False

    def listed(self, path: str) -> list[tuple[Place, Json]]:
        """The entries of a YAML or JSON file, a list of them or one, with their places. Raises `ConfigError`."""
        text = read_text(path)
        is_json = path.lower().endswith(".json")
        document = expand_references(parse_json(text, path) if is_json else parse_yaml(text, path), path, text).document
        problems = Problems()
        placed = _placed(document, Place(path))
        if PREFIX in text:
            placed = [entry for found in problems.attempt_each(placed, self._with_files) for entry in found]
        problems.check()
        if not is_json:
            return placed
        return [(place, self._described(entry, number)) for number, (place, entry) in enumerate(placed, start=1)]

    def lines(self, lines: Iterable[str], path: str) -> Entries:
        """The objects of JSON Lines; blank lines do not count. Raises `ConfigError` for any other line."""
        written = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
        for count, (number, line) in enumerate(written, start=1):
            place = Place(path, number)
            entry = parse_json(line, path, number)
            if PREFIX in line:
                entry = files_read(entry, self.base_path, place)
            yield Entry(number, checked_entry(self._described(entry, count), place))

    def _with_files(self, placed: tuple[Place, Json]) -> list[tuple[Place, Json]]:
        """An entry with files read; one that is a name itself becomes all that its files hold."""
        place, entry = placed
        found = files_read(entry, self.base_path, place)
        if not is_reference(entry) or not isinstance(found, list):
            return [(place, found)]
        file = named_document(entry, self.base_path)
        return [(place if file is None else Place(file, pointer=(index,)), part) for index, part in enumerate(found)]

    def _described(self, entry: Json, number: int) -> Json:
        if not self.numbered or not isinstance(entry, dict) or entry.get("description"):
            return entry
        return {**entry, "description": f"Row #{number}"}


def files_read(value: Json, base_path: str, where: Place) -> Json:
    """`value` with the content of files in place of `file://` names, scripts and whatever stands under `vars` aside.

    Names are relative to `base_path`. Text is trimmed, JSON and YAML are parsed, CSV is its rows. Raises `ConfigError`.
    """
    if isinstance(value, dict):
        return {
            key: part if key in _KEPT else files_read(part, base_path, within(where, key))
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [files_read(part, base_path, within(where, index)) for index, part in enumerate(value)]
    if not is_reference(value) or Path(split_function(value)[0]).suffix.lower() in FUNCTIONS:
        return value
    content = with_files(value, base_path, where)
    return content.strip() if isinstance(content, str) else content


def checked_entry(entry: Json, place: Place) -> Mapping[str, Json]:
    """`entry`, where it is an object. Raises `ConfigError`."""
    if not isinstance(entry, dict):
        hint = "the keys of a test are `vars`, `assert` and the like"
        raise ConfigError.of(f"a test must be a map, not {describe(entry)}", place, hint)
    return entry


def _placed(document: Json, where: Place) -> list[tuple[Place, Json]]:
    if isinstance(document, list):
        return [(within(where, index), entry) for index, entry in enumerate(document)]
    return [] if document is None else [(where, document)]
