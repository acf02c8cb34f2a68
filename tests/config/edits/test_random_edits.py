"""A key misspelt, or a value of another type, anywhere in a configuration: told with its line and with the right name.

The edits are drawn by a seed over the corpus and over the configurations that the project shows. Only rules keep an
edit from being drawn: those that say where it is no mistake (in a free map, or where it makes another known key).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.config import keys
from sagemaker_eval.config.anchors import anchored_keys
from sagemaker_eval.config.json_schema import config_schema
from sagemaker_eval.config.schema import CommandLineOptions, ConfigEntry, EvaluateOptions, TestOptions
from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.config.edits.conftest import Key, Source, Validation

SEED = 20260101
LETTERS = "abcdefghijklmnopqrstuvwxyz"
VALUES: tuple[Json, ...] = ("five words of plain text", 7, True, ["red", "blue"], [[1]], {"red": "blue"})

_PASSED_OVER = {
    ConfigEntry: keys.OUT_OF_SCOPE,
    EvaluateOptions: keys.NO_EFFECT_EVALUATE_OPTIONS,
    CommandLineOptions: keys.NO_EFFECT_COMMAND_LINE_OPTIONS,
}
_SCHEMA = config_schema(known_names())


@dataclass(frozen=True)
class Edit:
    """One change: the text of the file after it, and the names that what is misspelt may have been meant as."""

    key: Key
    what: str
    text: str
    meant: frozenset[str] = frozenset()

    @property
    def place(self) -> str:
        return f"{self.key.file}:{self.key.name.start_mark.line + 1}:"

    def __str__(self) -> str:
        return f"{self.key.source.folder.name} {self.place} {self.what}"


def misspelt(key: Key, rng: Random) -> Edit | None:
    """The key with one letter lost, doubled, swapped or replaced, or in other case; None where that is no mistake."""
    name, entry = key.name.value, key.entry
    at = rng.randrange(len(name))
    wrong = rng.choice(
        (
            name[:at] + name[at + 1 :],
            name[:at] + name[at] + name[at:],
            name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
            name[:at] + rng.choice(LETTERS) + name[at + 1 :],
            rng.choice((name.upper(), name.lower(), name[:at] + name[at].swapcase() + name[at + 1 :])),
        )
    )
    known = {*entry.known_keys(), *entry.later, *_PASSED_OVER.get(entry, ()), *key.siblings, ""}
    if wrong in known or entry is TestOptions or name in _free_names(key):
        return None
    written = key.text[key.name.start_mark.index : key.name.end_mark.index].replace(name, wrong)
    text = key.text[: key.name.start_mark.index] + written + key.text[key.name.end_mark.index :]
    meant = frozenset(other for other in entry.known_keys() if _one_slip_apart(other.lower(), wrong.lower()))
    return Edit(key, f"`{name}` as `{wrong}`", text, meant)


def _free_names(key: Key) -> frozenset[str]:
    """The names that a file gives to what it uses elsewhere: steps to a `$ref`, and top-level keys with an anchor."""
    steps = re.findall(r"#/([^'\"]+)", key.text)
    anchored = anchored_keys(key.text) if key.entry is ConfigEntry else frozenset()
    return anchored | {step for pointer in steps for step in pointer.split("/")}


def _one_slip_apart(one: str, other: str) -> bool:
    one, other = _without_common_start(one, other)
    one, other = (text[::-1] for text in _without_common_start(one[::-1], other[::-1]))
    return max(len(one), len(other)) < 2 or (len(one) == 2 and one == other[::-1])


def _without_common_start(one: str, other: str) -> tuple[str, str]:
    while one and one[:1] == other[:1]:
        one, other = one[1:], other[1:]
    return one, other


def of_another_type(key: Key, rng: Random) -> Edit | None:
    """The key with a value that the schema refuses; None where it refuses none, or where an alias needs the value."""
    own = _SCHEMA if key.entry is ConfigEntry else _SCHEMA["$defs"][key.entry.__name__]
    validator = Draft202012Validator({"$defs": _SCHEMA["$defs"], **own["properties"][key.name.value]})
    refused = [value for value in VALUES if not validator.is_valid(value)]
    start, end = key.value.start_mark.index, key.value.end_mark.index
    if not refused or "&" in key.text[start:end]:
        return None
    value, end = json.dumps(rng.choice(refused)), start + len(key.text[start:end].rstrip())
    text = f"{key.text[: key.name.end_mark.index]}: {value}{key.text[end:]}"
    return Edit(key, f"`{key.name.value}: {value}`", text)


def drawn(keys_of: Mapping[Source, list[Key]], count: int) -> list[Edit]:
    """So many edits, of which each changes one key of one source."""
    rng = Random(SEED)
    edits: list[Edit] = []
    while len(edits) < count:
        key = rng.choice(keys_of[rng.choice([*keys_of])])
        edit = rng.choice((misspelt, of_another_type))(key, rng)
        edits += [edit] if edit else []
    return edits


def missed(edit: Edit, code: int, told: str) -> bool:
    """Whether an edit is not told as it should be: refused, with its line, and with the name that was meant."""
    _, place, rest = told.partition(edit.place)
    suggested = re.findall(r"did you mean `([^`]+)`", rest)
    return code != 2 or not place or bool(edit.meant and not edit.meant.intersection(suggested[:1]))


def all_missed(validation: Validation, edits: list[Edit]) -> dict[str, tuple[int, str]]:
    ended = ((edit, *validation(edit.key.source, edit.key.file, edit.text)) for edit in edits)
    return {str(edit): (code, told) for edit, code, told in ended if missed(edit, code, told)}


def test_nothing_is_wrong_with_what_is_not_edited(
    validation: Validation, corpus: dict[Source, list[Key]], shown: dict[Source, list[Key]]
) -> None:
    told = {str(source): validation(source) for source in (*corpus, *shown)}
    assert len(corpus) > 80
    assert {name: message for name, (code, message) in told.items() if code} == {}


def test_an_edit_of_the_corpus_is_told_with_its_line(validation: Validation, corpus: dict[Source, list[Key]]) -> None:
    assert all_missed(validation, drawn(corpus, 500)) == {}


def test_an_edit_of_what_is_shown_is_told_with_its_line(validation: Validation, shown: dict[Source, list[Key]]) -> None:
    assert all_missed(validation, drawn(shown, 100)) == {}
