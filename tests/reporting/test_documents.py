"""The documents that hold the rows as they are: .json, .jsonl, .yaml."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagemaker_eval import __version__
from sagemaker_eval.model import ColumnSummary, Json, Outcome, RunSummary, TokenUsage
from sagemaker_eval.reporting.base import OUTPUTS

New = Callable[..., Any]

USAGE = {"prompt": 30, "completion": 4, "cached": 6, "total": 34, "numRequests": 3, "estimated": False}
LLAMA = ColumnSummary(
    passed=2,
    failed=1,
    errored=1,
    skipped=3,
    unasserted=1,
    cached=1,
    score=2.5,
    assertions_passed=5,
    assertions_failed=1,
    usage=TokenUsage(prompt=30, completion=4, cached=6, requests=3),
    latency_total=600.0,
    latency_p50=200.0,
    latency_p95=300.0,
    named_scores={"tone": 1.5},
    named_score_counts={"tone": 2},
    named_score_weights={"tone": 3.0},
)


def written(ending: str, run: Any) -> str:
    stream = io.BytesIO()
    OUTPUTS.get(ending)(stream, run.record, run.journal, run.summary)
    return stream.getvalue().decode()


@pytest.fixture
def run(new_run: New) -> Any:
    run = new_run(providers=("llama",))
    run.summary = RunSummary(LLAMA, (LLAMA,), (LLAMA,), duration_ms=1234.5678)
    run.passed(2, 0, "third", scores={"tone": 1.0})
    run.passed(0, 0, {"deep": ["first", None, 1.5]}, description="The first: one")
    run.failed(1, 0, "é 😀 \u2028 \x1b[0m\n", ["no"])
    return run


def test_json_document(run: Any) -> None:
    document = json.loads(written(".json", run))
    exported = document["metadata"].pop("exportedAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", exported)
    assert document.pop("metadata").keys() == {"sagevalVersion", "pythonVersion", "platform", "evaluationCreatedAt"}
    rows = document["results"].pop("results")
    assert rows == list(run.journal.rows())
    assert [row["testIdx"] for row in rows] == [0, 1, 2]
    assert document == {
        "evalId": "eval-abc-2025-01-31T10:20:30",
        "results": {
            "version": 3,
            "timestamp": "2025-01-31T10:20:30.000Z",
            "prompts": [
                {
                    "id": "id of Plain",
                    "raw": "Plain: {{x}}",
                    "label": "Plain",
                    "provider": "llama",
                    "metrics": {
                        "score": 2.5,
                        "testPassCount": 2,
                        "testFailCount": 1,
                        "testErrorCount": 1,
                        "assertPassCount": 5,
                        "assertFailCount": 1,
                        "totalLatencyMs": 600.0,
                        "tokenUsage": USAGE,
                        "namedScores": {"tone": 1.5},
                        "namedScoresCount": {"tone": 2},
                        "namedScoreWeights": {"tone": 3.0},
                        "cost": None,
                        "latencyP50Ms": 200.0,
                        "latencyP95Ms": 300.0,
                        "testSkippedCount": 3,
                        "testUnassertedCount": 1,
                        "cachedCount": 1,
                        "firstTokenMs": None,
                        "interTokenMs": None,
                        "tokensPerSecond": None,
                        "variants": {},
                    },
                }
            ],
            "stats": {
                "successes": 2,
                "failures": 1,
                "errors": 1,
                "skipped": 3,
                "unasserted": 1,
                "tokenUsage": USAGE,
                "durationMs": 1234.568,
                "endpoints": [],
            },
        },
        "config": {"prompts": ["Plain"]},
        "vars": ["question"],
        "runtimeOptions": {"repeat": 1, "maxConcurrency": 4},
    }


def test_metadata_tells_what_wrote_the_document(run: Any) -> None:
    metadata = json.loads(written(".json", run))["metadata"]
    assert metadata["sagevalVersion"] == __version__
    assert metadata["evaluationCreatedAt"] == run.record.started_at


def test_json_rows_stand_one_on_a_line_as_the_journal_has_them(run: Any) -> None:
    lines = written(".json", run).encode().split(b"\n")
    for row in run.journal.lines():
        assert row in [line.removesuffix(b",") for line in lines]


def test_json_has_no_nan(run: Any) -> None:
    nan = float("nan")
    run.record = replace(run.record, config=MappingProxyType({"x": [nan, float("inf")]}), options={"y": nan})
    run.summary = RunSummary(LLAMA, (replace(LLAMA, score=nan, named_scores={"tone": nan}),))

    def refuse(constant: str) -> Json:
        raise AssertionError(constant)

    document = json.loads(written(".json", run), parse_constant=refuse)
    assert document["config"] == {"x": [None, None]}
    assert document["results"]["prompts"][0]["metrics"]["score"] is None


def test_a_lone_surrogate_survives_in_json(run: Any) -> None:
    run.record = replace(run.record, config={"x": "half \ud83d"})
    assert json.loads(written(".json", run))["config"] == {"x": "half \ud83d"}


def test_jsonl_is_the_rows_in_plan_order(run: Any) -> None:
    lines = written(".jsonl", run).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == list(run.journal.rows())


@pytest.mark.parametrize("ending", [".yaml", ".yml"])
def test_yaml_is_the_json_document(ending: str, run: Any) -> None:
    as_json, as_yaml = json.loads(written(".json", run)), yaml.safe_load(written(ending, run))
    for document in (as_json, as_yaml):
        document["metadata"].pop("exportedAt")
    assert as_yaml == as_json


@pytest.mark.parametrize("ending", [".json", ".yaml"])
def test_a_run_without_rows_is_a_document_too(ending: str, new_run: New) -> None:
    document = yaml.safe_load(written(ending, new_run()))
    assert document["results"]["results"] == []
    assert document["results"]["stats"]["successes"] == 0


AMBIGUOUS = ["y", "N", "on", "no", "null", "~", "089", "0o17", "1e3", "1_000", "1:30", "2024-01-01", ".inf", "-.5", "="]


@pytest.mark.parametrize("text", [*AMBIGUOUS, "<<", "True", "0x1F", "+1", "-", ""])
def test_yaml_quotes_what_any_reader_could_take_for_something_else(text: str, new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.passed(0, 0, text)
    line = next(line for line in written(".yaml", run).splitlines() if line.strip().startswith("output:"))
    assert line.strip().removeprefix("output: ") in (f"'{text}'", f'"{text}"')


def test_yaml_keeps_plain_lines_readable(new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.passed(0, 0, "Roses are red,\n  violets: blue\n\n# end")
    assert "      output: |-\n        Roses are red,\n          violets: blue\n\n        # end\n" in written(
        ".yaml", run
    )


TEXTS = st.text(
    alphabet=st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("\n\t :#-|>'\"&*!%@`\x85\u2028\ufeff"))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(key=TEXTS, output=TEXTS)
def test_yaml_gives_every_text_back(key: str, output: str, new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.passed(0, 0, {key: [output, {"again": output}]}, vars={key: output})
    (row,) = yaml.safe_load(written(".yaml", run))["results"]["results"]
    assert row == run.journal.row(0)


def test_yaml_writes_a_lone_surrogate_as_text(new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.passed(0, 0, "half \ud83d")
    assert "half \\ud83d" in written(".yaml", run)


class Sink(io.RawIOBase):
    """A stream that keeps nothing but the number of bytes."""

    written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.written += len(data)
        return len(data)


class LongJournal:
    """Ten thousand rows that are made while they are read; each insists that most before it are written by then."""

    def __init__(self, sink: Sink, row: bytes, scanned: bool) -> None:
        self._sink = sink
        self._row = row
        self._scanned = scanned
        """Whether the lines are looked at once before anything is written."""

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        return ((slot, Outcome.PASSED) for slot in range(10_000))

    def lines(self) -> Iterator[bytes]:
        for test in range(10_000):
            assert self._scanned or self._sink.written >= 50 * (test - 500)
            yield self._row.replace(b'"testIdx":0', b'"testIdx":%d' % test)

    def rows(self) -> Iterator[dict[str, Json]]:
        self._scanned = False
        return (json.loads(line) for line in self.lines())

    def row(self, slot: int) -> dict[str, Json]:
        raise KeyError(slot)


@pytest.mark.parametrize("ending", [".json", ".jsonl", ".yaml", ".csv"])
def test_ten_thousand_rows_are_written_as_they_are_read(ending: str, new_run: New) -> None:
    run, sink = new_run(providers=("llama",)), Sink()
    run.answered(0, 0, "x" * 40)
    journal = LongJournal(sink, next(run.journal.lines()), scanned=ending == ".csv")
    OUTPUTS.get(ending)(sink, run.record, journal, run.summary)  # type: ignore[arg-type]
    assert sink.written > 50 * 10_000
