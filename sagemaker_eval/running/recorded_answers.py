"""The answers that a run recorded, read from its journal or from a result file of its."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import CaseFailure, Json, Outcome, Place, Response, Timings, TokenUsage
from sagemaker_eval.running.earlier_answers import EarlierAnswer, Label
from sagemaker_eval.running.identity import row_case_id
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.reading import decoded_rows
from sagemaker_eval.running.run_record import RunRecord

_TOLD = ("customAttributes", "newSessionId", "closedSessionId")
"""What else SageMaker told, among a response's metadata."""

_ORIGIN = frozenset({"variant", "requestId", *_TOLD})

Row = Mapping[str, Any]

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a row raises that is none of ours."""


class RecordedAnswers:
    """The answers of a run: `count` rows, which `rows` reads in their order and `row` by their numbers from 0."""

    def __init__(
        self,
        name: str,
        count: int,
        rows: Callable[[], Iterator[Row]],
        row: Callable[[int], Row],
        record: RunRecord | None = None,
    ) -> None:
        self._name = name
        self._count = count
        self._rows = rows
        self._row = row
        self._record = record

    @property
    def name(self) -> str:
        return self._name

    def __len__(self) -> int:
        return self._count

    def labels(self) -> Iterator[Label]:
        return self._each(_label)

    def columns(self) -> Sequence[Label]:
        if self._record is None:
            labels = self._each(_column_label)
        else:
            labels = (
                Label(provider=column.provider_name, provider_id=column.provider_id, prompt=column.prompt_label)
                for column in self._record.columns
            )
        return list({(label.provider, label.provider_id, label.prompt): label for label in labels}.values())

    def answer(self, number: int) -> EarlierAnswer:
        try:
            return answer_of(self._row(number))
        except _UNREADABLE as error:
            raise self._unreadable(number, error) from error

    def _each(self, read: Callable[[Row], Label]) -> Iterator[Label]:
        number = 0
        try:
            for row in self._rows():
                yield read(row)
                number += 1
        except _UNREADABLE as error:
            raise self._unreadable(number, error) from error

    def _unreadable(self, number: int, error: Exception) -> ConfigError:
        return ConfigError.of(
            f"answer {number} of {self._name} cannot be read ({type(error).__name__}: {error})",
            hint="answers that sageval has not recorded are judged with --outputs",
        )


def answers_of_run(folder: Path) -> RecordedAnswers:
    """The answers of the run in a folder. Raises `ConfigError` where it cannot be read."""
    journal = Journal.read(folder)
    slots = array("q", (slot for slot, _ in journal.outcomes()))
    return RecordedAnswers(
        f"run {journal.record.run_id}",
        len(slots),
        lambda: decoded_rows(journal),
        lambda number: journal.row(slots[number]),
        journal.record,
    )


def answers_of_file(path: Path) -> RecordedAnswers:
    """The answers of a `.json` or `.jsonl` result file. Raises `ConfigError` for what is none."""
    try:
        if path.suffix.lower() == ".jsonl":
            return _of_lines(path)
        rows: Sequence[Row] = json.loads(path.read_bytes())["results"]["results"]
        if not isinstance(rows, list):
            raise TypeError("no list of results")
    except OSError as error:
        raise ConfigError.of(f"the file cannot be read: {error.strerror}", Place(str(path))) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError.of(
            "this is not a result document",
            Place(str(path)),
            "give a .json or .jsonl file that `sageval eval -o` wrote; --outputs reads answers from elsewhere",
        ) from error
    return RecordedAnswers(f"`{path}`", len(rows), rows.__iter__, rows.__getitem__)


def _of_lines(path: Path) -> RecordedAnswers:
    """A file of rows, whose lines are found by their offsets. A last line that was cut by a kill is dropped."""
    offsets, end = array("q"), 0
    with path.open("rb") as file:
        for line in file:
            if line.strip() and (line.endswith(b"\n") or _is_whole(line)):
                offsets.append(end)
            end += len(line)

    def row(number: int) -> Row:
        with path.open("rb") as file:
            file.seek(offsets[number])
            return _decoded(file.readline())

    return RecordedAnswers(f"`{path}`", len(offsets), lambda: map(row, range(len(offsets))), row)


def _is_whole(line: bytes) -> bool:
    try:
        _decoded(line)
    except ValueError:
        return False
    return True


def _decoded(line: bytes) -> Row:
    """The fast decoder refuses lone surrogates."""
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError:
        row = json.loads(line)
    if not isinstance(row, dict):
        raise TypeError("the line is no object")
    return row


def _column_label(row: Row) -> Label:
    provider = row["provider"]
    return Label(
        provider=provider["label"] or provider["id"], provider_id=provider["id"], prompt=row["prompt"]["label"]
    )


def _label(row: Row) -> Label:
    column = _column_label(row)
    return Label(
        row_case_id(row),
        column.provider,
        column.provider_id,
        column.prompt,
        vars=row["testCase"]["vars"],
        repeat=row["repeat"],
    )


def answer_of(row: Row) -> EarlierAnswer:
    """The answer in a row. Raises KeyError, TypeError or AttributeError for what is no row."""
    errored = row["outcome"] == Outcome.ERRORED
    return EarlierAnswer(
        response=_response(row),
        failure=_failure(row) if errored else None,
        prompt=row["prompt"]["raw"],
        vars=row["vars"],
    )


def _failure(row: Row) -> CaseFailure:
    return CaseFailure(row["errorKind"] or "error", row["error"] or "", row["hint"], row["errorCode"], row["attempts"])


def _response(row: Row) -> Response | None:
    """What the provider gave: the output before the user's transforms."""
    told = row["response"]
    if told is None:
        return None
    metadata = dict(told["metadata"])
    origin = {name: metadata.pop(name) for name in _ORIGIN & metadata.keys()}
    return Response(
        output=told.get("providerOutput", told["output"]),
        raw=told["raw"] or "",
        usage=_usage(told["tokenUsage"]),
        finish_reason=told["finishReason"],
        variant=origin.get("variant"),
        request_id=origin.get("requestId"),
        attempts=row["attempts"],
        timings=_timings(row["timings"]),
        cached=told["cached"],
        cost=row["cost"],
        told=tuple((name, origin[name]) for name in _TOLD if name in origin),
        metadata=metadata,
    )


def _usage(told: Mapping[str, Json]) -> TokenUsage:
    return TokenUsage(told["prompt"], told["completion"], told["cached"], told["estimated"], told["numRequests"])


def _timings(told: Mapping[str, Json]) -> Timings:
    return Timings(
        queue=told["queueMs"],
        backoff=told["backoffMs"],
        cold_start=told["coldStartMs"],
        wire=told["wireMs"],
        first_token=told.get("firstTokenMs"),
        inter_token=told.get("interTokenMs"),
        total=told["totalMs"],
    )
