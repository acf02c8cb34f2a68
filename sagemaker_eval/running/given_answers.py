"""Answers that were produced elsewhere, from a file: JSON Lines, CSV, or a result document of promptfoo.

An answer is an object: `output` (or `response: {output}`, or `error`), and of whose it is what is known: `vars` (or
the variables themselves), `test`, `provider`, `prompt`, `repeat`; and what was measured: `latencyMs`, `cost`,
`tokenUsage`, `finishReason`, `metadata`. A row of a table is such an object, with text in every cell.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.yaml_loader import parse_json, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import CaseFailure, Json, Place, Response, Timings, TokenUsage
from sagemaker_eval.running.answer_tables import csv_entries
from sagemaker_eval.running.earlier_answers import EarlierAnswer, Label

Entry = tuple[Place, Mapping[str, Any]]
"""Where an answer stands, and what it says."""

_COUNTS = ("prompt", "completion", "cached", "numRequests")
_ENDINGS = (".jsonl", ".json", ".csv")


@dataclass(frozen=True, slots=True)
class GivenAnswers:
    """The answers of one file, `name` being the file's."""

    name: str
    entries: Sequence[tuple[Label, EarlierAnswer]]

    def __len__(self) -> int:
        return len(self.entries)

    def labels(self) -> Iterator[Label]:
        return (label for label, _ in self.entries)

    def columns(self) -> Sequence[Label]:
        return list({(label.provider, label.provider_id, label.prompt): label for label in self.labels()}.values())

    def answer(self, number: int) -> EarlierAnswer:
        return self.entries[number][1]


def read_given_answers(path: Path, variables: Collection[str], delimiter: str = ",") -> GivenAnswers:
    """The answers in a file. `variables` are those of the tests: what else is called like one of them is a variable.

    Raises `ConfigError` with the place of what cannot be read, and for a file without answers.
    """
    ending = path.suffix.lower()
    if ending == ".jsonl":
        entries = _of_lines(path)
    elif ending == ".csv":
        entries = csv_entries(path, variables, delimiter)
    elif ending == ".json":
        entries = _of_document(path)
    else:
        known = ", ".join(f"`{each}`" for each in _ENDINGS)
        raise ConfigError.of(f"--outputs reads {known}, not `{path.name}`", hint="give the file one of these endings")
    read = [(_label(entry, place, variables), _answer(entry, place)) for place, entry in entries]
    if not read:
        raise ConfigError.of("the file holds no answers", Place(str(path)))
    return GivenAnswers(f"`{path}`", read)


def _of_lines(path: Path) -> Iterator[Entry]:
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            place = Place(str(path), number)
            yield place, _mapping(parse_json(line, str(path), number), place)


def _of_document(path: Path) -> Iterator[Entry]:
    """A list of answers, or a result document: its rows, else its table, which is all that old ones have."""
    document = parse_json(read_text(path), str(path))
    pointer: tuple[str | int, ...] = ()
    while isinstance(document, dict):
        key = next((key for key in ("results", "table") if isinstance(document.get(key), dict | list)), None)
        if key is None:
            break
        document, pointer = document[key], (*pointer, key)
    if isinstance(document, dict) and {"head", "body"} <= document.keys():
        yield from _of_table(document, Place(str(path), pointer=pointer))
        return
    if not isinstance(document, list):
        raise ConfigError.of(
            "this is neither a list of answers nor a result document",
            Place(str(path)),
            'the shape is `[{"vars": {…}, "output": "…"}, …]`, or what `promptfoo eval -o out.json` writes',
        )
    for index, entry in enumerate(document):
        place = Place(str(path), pointer=(*pointer, index))
        yield place, _mapping(entry, place)


def _of_table(table: Mapping[str, Any], place: Place) -> Iterator[Entry]:
    """The table of a result document: {head: {prompts, vars}, body: [{vars: [value], outputs: [{text}]}]}."""
    try:
        prompts, names = table["head"]["prompts"], table["head"]["vars"]
        for row, line in enumerate(table["body"]):
            values = dict(zip(names, line["vars"], strict=True))
            for column, told in enumerate(line["outputs"]):
                where = Place(place.path, pointer=(*place.pointer, "body", row, "outputs", column))
                yield where, _cell(told, values, prompts[column])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigError.of("the table of this result document cannot be read", place) from error


def _cell(told: Any, values: Mapping[str, Json], prompt: Mapping[str, Any]) -> dict[str, Any]:
    """One cell of the table as an answer."""
    cell = dict(told) if isinstance(told, Mapping) else {"text": told}
    named = {"provider": prompt.get("provider"), "prompt": prompt.get("label") or prompt.get("raw")}
    error = cell.get("error") if cell.get("failureReason") == 2 else None
    told_more = {key: cell.get(key) for key in ("latencyMs", "cost", "tokenUsage", "metadata")}
    return {"vars": values, "output": None if error else cell["text"], "error": error, **named, **told_more}


def _mapping(value: Json, place: Place) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise ConfigError.of(f"an answer is an object, not {describe(value)}", place, 'for example `{"output": "…"}`')


def _label(entry: Mapping[str, Any], place: Place, variables: Collection[str]) -> Label:
    values = _vars(entry, place)
    if values is None:
        values = {name: value for name, value in entry.items() if name in variables and name != "output"}
        entry = {name: value for name, value in entry.items() if name not in values}
    provider = entry.get("provider")
    name, id_ = (provider.get("label"), provider.get("id")) if isinstance(provider, dict) else (provider, None)
    prompt = entry.get("prompt")
    text = prompt.get("label") or prompt.get("raw") if isinstance(prompt, dict) else prompt
    return Label(
        provider=_text(name or id_, "provider", place),
        provider_id=_text(id_, "provider.id", place),
        prompt=_text(text, "prompt", place),
        prompt_may_be_text=True,
        vars={name: value for name, value in values.items() if not name.startswith("_")},
        repeat=_whole(entry, "repeat", place),
        test=_test(entry, place, bool(values)),
        where=place,
    )


def _vars(entry: Mapping[str, Any], place: Place) -> Mapping[str, Json] | None:
    """The variables as they were planned: those of `testCase` in a row of a result document."""
    test = entry.get("testCase")
    values = test.get("vars") if isinstance(test, dict) else None
    values = entry.get("vars") if values is None else values
    if values is None or isinstance(values, dict):
        return values
    raise ConfigError.of(f"`vars` is an object of names and values, not {describe(values)}", place)


def _text(value: Json, key: str, place: Place) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    raise ConfigError.of(f"`{key}` is text, not {describe(value)}", place)


def _test(entry: Mapping[str, Any], place: Place, has_vars: bool) -> int | str | None:
    test = entry.get("test")
    if (test is None or test == "") and not has_vars:
        test = entry.get("testIdx")
    if test is None or test == "":
        return None
    if isinstance(test, str):
        return int(test) if test.isascii() and test.isdecimal() else test
    if isinstance(test, int) and not isinstance(test, bool):
        return test
    raise ConfigError.of(f"`test` is a row's number or a test's description, not {describe(test)}", place)


def _answer(entry: Mapping[str, Any], place: Place) -> EarlierAnswer:
    told = entry.get("response")
    told = told if isinstance(told, dict) else {}
    output = entry.get("output", told.get("output"))
    prompt = entry.get("prompt")
    asked = prompt.get("raw") if isinstance(prompt, dict) else None
    asked = asked if isinstance(asked, str) else None
    if output is None:
        error = told.get("error") or entry.get("error")
        if not error:
            raise ConfigError.of(
                "the answer has no `output`", place, 'for example `{"vars": {…}, "output": "…"}`, or an `error`'
            )
        return EarlierAnswer(None, CaseFailure("error", " ".join(str(error).split())), asked)
    latency = _number(entry, "latencyMs", place)
    response = Response(
        output=output,
        raw=output if isinstance(output, str) else "",
        usage=_usage(entry.get("tokenUsage") or told.get("tokenUsage"), place),
        finish_reason=_text(entry.get("finishReason") or told.get("finishReason"), "finishReason", place),
        attempts=0 if latency is None else 1,
        timings=Timings(wire=latency or 0.0, total=latency or 0.0),
        cost=_number(entry, "cost", place),
        metadata=_metadata(entry, told, place),
    )
    return EarlierAnswer(response, None, asked)


def _metadata(entry: Mapping[str, Any], told: Mapping[str, Any], place: Place) -> Mapping[str, Json]:
    metadata = told.get("metadata") or entry.get("metadata") or {}
    if isinstance(metadata, dict):
        return metadata
    raise ConfigError.of(f"`metadata` is an object, not {describe(metadata)}", place)


def _usage(told: Json, place: Place) -> TokenUsage:
    if told is None:
        return TokenUsage(estimated=True)
    if not isinstance(told, dict):
        raise ConfigError.of(f"`tokenUsage` is an object of counts, not {describe(told)}", place)
    prompt, completion, cached, requests = (_whole(told, key, place) or 0 for key in _COUNTS)
    return TokenUsage(prompt, completion, cached, requests=requests)


def _number(entry: Mapping[str, Any], key: str, place: Place) -> float | None:
    """A number, or text that is one, as tables have it; None where there is none."""
    value = entry.get(key)
    if value is None or value == "":
        return None
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not (isfinite(number) and number >= 0):
        raise ConfigError.of(f"`{key}` is a number from 0, not `{value}`", place)
    return number


def _whole(entry: Mapping[str, Any], key: str, place: Place) -> int | None:
    number = _number(entry, key, place)
    if number is not None and not number.is_integer():
        raise ConfigError.of(f"`{key}` is a whole number, not `{entry[key]}`", place)
    return None if number is None else int(number)
