"""A run to report on, built case by case, and a console whose text can be read back."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from sagemaker_eval.model import (
    AssertionSpec,
    Case,
    CaseFailure,
    CaseResult,
    Column,
    ColumnSummary,
    Grade,
    Json,
    Outcome,
    Prompt,
    ProviderSpec,
    Response,
    Row,
    RunSummary,
    TestCase,
    Timings,
    TokenUsage,
    Verdict,
)
from sagemaker_eval.reporting.terminal import console_for
from sagemaker_eval.running.records import row_of
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_record import ColumnRecord, RunRecord

GOLDEN = Path(__file__).parent / "golden"


class ListedJournal:
    """A journal over rows in memory, by slot; slots without a row have not been finished."""

    def __init__(self) -> None:
        self.encoded: dict[int, bytes] = {}
        self.read: list[int] = []
        """The slots that were asked for one by one."""

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        for slot in sorted(self.encoded):
            yield slot, Outcome(json.loads(self.encoded[slot])["outcome"])

    def lines(self) -> Iterator[bytes]:
        for slot in sorted(self.encoded):
            yield self.encoded[slot]

    def rows(self) -> Iterator[dict[str, Json]]:
        for line in self.lines():
            yield json.loads(line)

    def row(self, slot: int) -> dict[str, Json]:
        self.read.append(slot)
        row: dict[str, Json] = json.loads(self.encoded[slot])
        return row


class Run:
    """A run under construction. Columns are (provider, prompt), providers in the outer loop, as in a plan."""

    def __init__(self, providers: Sequence[str], prompts: Sequence[str], var_names: Sequence[str], total: int) -> None:
        specs = [ProviderSpec(id=f"sagemaker:{name}", kind="sagemaker", label=name) for name in providers]
        templates = [Prompt(raw=f"{label}: {{{{x}}}}", label=label, id=f"id of {label}") for label in prompts]
        pairs = [(spec, prompt) for spec in specs for prompt in templates]
        self.columns = tuple(Column(index, *pair) for index, pair in enumerate(pairs))
        self.record = RunRecord(
            run_id="eval-abc-2025-01-31T10:20:30",
            started_at="2025-01-31T10:20:30.000Z",
            description=None,
            columns=tuple(ColumnRecord.of(column, column.index // len(prompts)) for column in self.columns),
            var_names=tuple(var_names),
            total=total,
            config={"prompts": list(prompts)},
            options={"repeat": 1, "maxConcurrency": 4},
        )
        self.journal = ListedJournal()
        self.summary = RunSummary(ColumnSummary(), tuple(ColumnSummary() for _ in self.columns))

    def passed(self, test: int, column: int, output: Json, reason: str = "All assertions passed", **more: Json) -> None:
        spec = AssertionSpec("contains", "x")
        grade = Grade(True, 1.0, reason, (Verdict(True, 1.0, "Assertion passed", spec),), more.pop("scores", {}))
        self._finish(Outcome.PASSED, test, column, output, grade, assertions=(spec,), **more)

    def answered(self, test: int, column: int, output: Json, **more: Json) -> None:
        self._finish(Outcome.PASSED, test, column, output, Grade(True, 1.0, "No assertions"), **more)

    def failed(self, test: int, column: int, output: Json, reasons: Sequence[str], **more: Json) -> None:
        spec = AssertionSpec("contains", "x")
        verdicts = tuple(Verdict(False, 0.0, reason, spec) for reason in reasons)
        grade = Grade(False, 0.0, more.pop("reason", "; ".join(reasons)), verdicts, more.pop("scores", {}))
        self._finish(Outcome.FAILED, test, column, output, grade, assertions=(spec,), **more)

    def errored(self, test: int, column: int, message: str, hint: str | None = None, **more: Json) -> None:
        self._finish(Outcome.ERRORED, test, column, None, None, CaseFailure("endpoint", message, hint), **more)

    def _finish(
        self,
        outcome: Outcome,
        test: int,
        column: int,
        output: Json,
        grade: Grade | None,
        error: CaseFailure | None = None,
        **more: Json,
    ) -> None:
        values: Mapping[str, Json] = more.pop("vars", {name: f"{name} {test + 1}" for name in self.record.var_names})
        case = Case(
            index=test * len(self.columns) + column,
            row=Row(test, TestCase(vars=values, **more), 0, values),
            column=self.columns[column],
        )
        usage = TokenUsage(prompt=10, completion=5, requests=1)
        response = None if error else Response(output, usage=usage, timings=Timings(wire=123.0, total=130.0))
        result = CaseResult(case, outcome, f"prompt {test + 1}", response, grade, error)
        self.journal.encoded[case.index] = encode_row(row_of(result))


class Paper:
    """A console that writes to memory, and what was written so far."""

    def __init__(self, width: int, encoding: str, terminal: bool, environ: Mapping[str, str]) -> None:
        self._bytes = io.BytesIO()
        stream = io.TextIOWrapper(self._bytes, encoding=encoding, newline="\n", write_through=True)
        stream.isatty = lambda: terminal  # type: ignore[method-assign]
        self.console: Console = console_for(stream, {"COLUMNS": str(width), **environ})
        self._stream = stream

    @property
    def text(self) -> str:
        self._stream.flush()
        return self._bytes.getvalue().decode(self._stream.encoding)


@pytest.fixture
def new_run() -> Callable[..., Run]:
    def build(
        providers: Sequence[str] = ("llama", "mistral"),
        prompts: Sequence[str] = ("Plain",),
        var_names: Sequence[str] = ("question",),
        total: int = 4,
    ) -> Run:
        return Run(providers, prompts, var_names, total)

    return build


@pytest.fixture
def new_paper() -> Callable[..., Paper]:
    def build(
        width: int = 120, encoding: str = "utf-8", terminal: bool = False, environ: Mapping[str, str] | None = None
    ) -> Paper:
        return Paper(width, encoding, terminal, environ or {})

    return build


@pytest.fixture
def matches_golden() -> Callable[[str, str], bool]:
    """Whether a text is that of a golden file; SAGEVAL_UPDATE_GOLDEN=1 writes the file anew."""

    def check(name: str, text: str) -> bool:
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("SAGEVAL_UPDATE_GOLDEN"):
            path.write_text(text, "utf-8")
        expected = path.read_text("utf-8")
        if text != expected:
            print(f"--- {path.name}\n{expected}\n--- shown\n{text}")  # noqa: T201
        return text == expected

    return check
