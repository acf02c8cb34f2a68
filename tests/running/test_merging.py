"""Parts of one run become one run; parts of different runs, or with different results, do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EndpointUse, Json, Outcome
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.merge_checks import missing_of, refuse_mixture
from sagemaker_eval.running.merge_parts import Part, read_part
from sagemaker_eval.running.merging import merged_record, union, write_union
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_files import read_end
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord

USAGE = {"prompt": 0, "completion": 0, "cached": 0, "total": 0, "numRequests": 0, "estimated": False}


def row(slot: int, output: str = "tea", outcome: Outcome = Outcome.PASSED, latency: float = 1.0) -> dict[str, Json]:
    return {
        "testIdx": slot // 2,
        "promptIdx": slot % 2,
        "repeat": 0,
        "promptId": "id",
        "provider": {"id": "echo", "label": "ab"[slot % 2]},
        "prompt": {"raw": "hi", "label": "hi {{x}}"},
        "response": {"output": output, "cached": False, "tokenUsage": USAGE, "metadata": {"requestId": str(latency)}},
        "gradingResult": None,
        "outcome": outcome.value,
        "latencyMs": latency,
        "cost": None,
        "timings": {"wireMs": latency},
        "testCase": {"vars": {"x": str(slot // 2)}},
    }


def part(
    slots: Sequence[int],
    shard: Mapping[str, Json] | None = None,
    rows: Mapping[int, dict[str, Json]] | None = None,
    **changed: Any,
) -> Part:
    """A part of a run of 3 tests in 2 columns; a shard of them has just these cells."""
    planned = [sum(slot % 2 == column for slot in slots) for column in (0, 1)] if shard else [3, 3]
    columns = tuple(
        ColumnRecord("echo", label, "id", "hi {{x}}", "hi {{x}}", 0, planned[n]) for n, label in enumerate("ab")
    )
    options: dict[str, Json] = {"repeat": 1, **({"shard": shard} if shard else {})}
    start = "2026-01-01T00:00:00.000Z"
    record = RunRecord("eval-x", start, None, columns, ("x",), sum(planned), {"prompts": ["hi"]}, options, slots=6)
    end = RunEnd("2026-01-01T00:00:02.000Z", 1500.0)
    return Part(f"p{slots}", replace(record, **changed), end, rows=rows or {slot: row(slot) for slot in slots})


def shard(index: int, count: int = 2, **changed: Json) -> dict[str, Json]:
    whole = {"index": index, "count": count, "suite": "s", "split": "t", "planned": [3, 3], "slots": 6}
    return {**whole, **changed}


def test_the_union_of_shards_is_in_plan_order(tmp_path: Path) -> None:
    parts = [part([1, 4], shard(2)), part([0, 2, 3, 5], shard(1))]
    refuse_mixture(parts)
    assert not missing_of(parts)
    record = merged_record(parts, "eval-new")
    assert (record.run_id, record.total, [column.planned for column in record.columns]) == ("eval-new", 6, [3, 3])
    assert record.options == {"repeat": 1}
    write_union(parts, tmp_path, record)
    assert list(Journal.read(tmp_path).lines()) == [encode_row(row(slot)) for slot in range(6)]


def test_missing_shards_and_cases_are_named() -> None:
    assert str(missing_of([part([0], shard(2, 4))])) == "shards 1, 3, 4 of 4 are missing"
    first = part([0, 1, 2], shard(1))
    unfinished = replace(first, rows={0: row(0)})
    assert str(missing_of([unfinished, part([3, 4, 5], shard(2))])) == "shard 1 of 2 has 1 of 3 cases"
    assert str(missing_of([part([0, 1]), part([1, 2, 3])])) == "2 of 6 cases have no result"


def test_parts_of_an_unfinished_run_and_its_other_half_make_a_whole() -> None:
    assert not missing_of([part([0, 1, 2]), part([2, 3, 4, 5])])


def test_a_case_that_two_parts_agree_about_counts_once() -> None:
    other = {slot: row(slot, latency=7.0) for slot in (1, 2)}
    cells = list(union([part([0, 1]), part([1, 2], rows=other)]))
    assert [(slot, json.loads(line)["latencyMs"]) for slot, _, line in cells] == [(0, 1.0), (1, 1.0), (2, 7.0)]


@pytest.mark.parametrize("other", [row(1, "coffee"), row(1, outcome=Outcome.ERRORED)])
def test_a_case_that_two_parts_disagree_about_is_refused(other: dict[str, Json]) -> None:
    with pytest.raises(ConfigError, match=r"different results of the same case \(test 0, prompt 1"):
        list(union([part([0, 1]), part([1], rows={1: other})]))


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (part([1], config={"prompts": ["ho"]}), "their configurations differ in `prompts`"),
        (part([1], var_names=("y",)), "the variables of their tests differ"),
        (part([1], columns=part([1]).record.columns[:1]), "their providers or prompts differ"),
        (part([1], files={"/c.yaml": "2"}), "`/c.yaml` was changed between them"),
        (part([1], options={"repeat": 1, "sandbox": True}), "their options differ in `sandbox`"),
        (part([1], command={"repeat": 2}), "their options differ in `repeat`"),
    ],
)
def test_parts_of_different_runs_are_refused(other: Part, difference: str) -> None:
    first = part([0], files={"/c.yaml": "1"}, command={"repeat": 1})
    with pytest.raises(ConfigError, match=difference):
        refuse_mixture([first, other])


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (shard(2, 3), "shards of different splits: 1/2 and 2/3"),
        (shard(2, suite="u"), "shards of different tests"),
        (shard(2, split="u"), "were split by different latencies"),
    ],
)
def test_shards_of_different_splits_are_refused(other: dict[str, Json], difference: str) -> None:
    with pytest.raises(ConfigError, match=difference):
        refuse_mixture([part([0], shard(1)), part([1], other)])


def test_description_and_tags_may_differ() -> None:
    refuse_mixture([part([0]), part([1], config={"prompts": ["hi"], "description": "two", "tags": {"part": "2"}})])


def test_what_parts_took_of_an_endpoint_is_added_up_and_shared_time_counts_once(tmp_path: Path) -> None:
    def using(slot: int, seconds: float, index: int) -> Part:
        use = EndpointUse("chat", 3, seconds, "1 x ml.g5.xlarge", 1.5, "price list", 3, 2)
        end = RunEnd("2026-01-01T00:00:02.000Z", 1500.0, endpoints=(use,))
        return replace(part([slot], shard(index)), end=end)

    parts = [using(0, 1.25, 1), using(1, 1.5, 2)]
    write_union(parts, tmp_path, merged_record(parts, "eval-new"))
    end = read_end(tmp_path)
    assert end is not None
    assert end.endpoints == (EndpointUse("chat", 6, 2.0, "1 x ml.g5.xlarge", 1.5, "price list", 6, 4),)
    assert end.duration_ms == 2000.0


def test_derived_metrics_are_those_of_the_whole(tmp_path: Path) -> None:
    config: dict[str, Json] = {
        "derivedMetrics": [{"name": "n", "value": "__count * 10"}, {"name": "gone", "value": "file://gone.py"}]
    }
    parts = [part([0, 1, 2], shard(1), config=config), part([3, 4, 5], shard(2), config=config)]
    assert write_union(parts, tmp_path, merged_record(parts, "eval-new")) == ("gone",)
    end = read_end(tmp_path)
    assert end is not None and end.derived == ({"n": 30.0}, {"n": 30.0})


def test_rows_alone_make_a_run_as_far_as_they_tell(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(encode_row(row(slot)) + b"\n" for slot in (3, 0, 1)))
    rows = read_part(str(path), {})
    refuse_mixture([rows])
    assert not missing_of([rows])
    folder = tmp_path / "run"
    folder.mkdir()
    write_union([rows], folder, merged_record([rows], "eval-new"))
    journal = Journal.read(folder)
    assert [slot for slot, _ in journal.outcomes()] == [0, 1, 3]
    assert [(column.provider_name, column.planned) for column in journal.record.columns] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": 1}', '{"testIdx": 0}\n', "no json\n"])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_files_that_are_no_results_are_refused(text: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{ending}"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not a result document of sageval"):
        read_part(str(path), {})
