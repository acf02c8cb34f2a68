"""`--shard` and `sageval merge`: the shards of a run, put together, are the run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """
description: shards
prompts: ["Say {{x}}", "{{_conversation | length}} before {{x}}"]
providers: [echo, {id: echo, label: other}]
defaultTest:
  assert:
    - {type: not-contains, value: "3", metric: clean, weight: 2}
    - {type: contains, value: Say, metric: says}
derivedMetrics: [{name: share, value: "clean / __count"}]
tests: file://tests.csv
"""

_TIMES = ("latencyMs", "timings", "durationMs", "timestamp", "exportedAt", "evaluationCreatedAt")


@pytest.fixture
def configured(cli: Cli) -> Cli:
    cli.write("sageval.yaml", CONFIG)
    lines = [f"word {number},talk {number % 9}" for number in range(40)]
    cli.write("tests.csv", "\n".join(["x,__metadata:conversationId", *lines]) + "\n")
    return cli


def run_shards(cli: Cli, count: int, *more: str) -> list[str]:
    """Run all shards; the names of their documents."""
    names = [f"shard-{index}.json" for index in range(1, count + 1)]
    for index, name in enumerate(names, 1):
        assert cli.eval("--no-table", "--shard", f"{index}/{count}", "-o", name, *more).code in (0, 1)
    return names


def run_ids(cli: Cli) -> list[str]:
    return [run["id"] for run in json.loads(cli("list", "--json").out)]


def steady(path: Path) -> str:
    """A document, byte for byte, without run ids and times."""
    text = re.sub(r"eval-\w{3}-[-0-9T]+", "ID", path.read_text("utf-8"))
    for name in _TIMES:
        text = re.sub(rf'"{name}":(?:"[^"]*"|\{{[^}}]*\}}|[-.\w]+)', f'"{name}":0', text)
    return text


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "yaml"])
def test_seven_shards_merged_equal_one_run(ending: str, configured: Cli) -> None:
    configured.eval("-o", f"whole.{ending}")
    run_shards(configured, 7)
    ran = configured("merge", *run_ids(configured)[:7], "-o", f"merged.{ending}")
    assert ran.code == 0, ran.err
    merged, whole = (steady(configured.folder / f"{name}.{ending}") for name in ("merged", "whole"))
    if ending == "yaml":
        merged, whole = (re.sub(r"(?m)^.*(?:Ms|timestamp|At): .*$", "", text) for text in (merged, whole))
    assert merged == whole


def test_documents_of_shards_can_be_merged_elsewhere(configured: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    configured.eval("-o", "whole.json")
    names = run_shards(configured, 3, "--no-write")
    monkeypatch.setenv("SAGEVAL_RUNS_PATH", str(configured.folder / "elsewhere"))
    assert configured("merge", *reversed(names), "-o", "merged.json").code == 0
    assert steady(configured.folder / "merged.json") == steady(configured.folder / "whole.json")


def test_a_merged_run_is_a_run(configured: Cli) -> None:
    merged = configured("merge", *run_shards(configured, 2), "-o", "merged.json")
    assert merged.code == 0
    shown = configured("show", "latest")
    assert (shown.out, shown.err) == (merged.out, "")
    assert configured("export", "latest", "-o", "again.json").code == 0
    assert configured.rows("again.json") == configured.rows("merged.json")
    assert json.loads(configured("list", "--json", "-n", "1").out)[0]["cases"] == 160


def test_a_missing_shard_is_named_and_allowed_only_as_a_part(configured: Cli) -> None:
    names = run_shards(configured, 3, "--no-write")
    ran = configured("merge", names[0], names[2], "-o", "merged.json")
    assert (ran.code, ran.out) == (2, "")
    assert "shard 2 of 3 is missing" in ran.err and "--partial" in ran.err
    assert not (configured.folder / "merged.json").exists() and run_ids(configured) == []
    partly = configured("merge", names[0], names[2], "--partial", "-o", "merged.json")
    assert partly.code == 0 and "shard 2 of 3 is missing" in partly.err
    skipped = configured.document("merged.json")["results"]["stats"]["skipped"]
    assert skipped == len(configured.rows(names[1]))


def test_a_merged_part_can_be_gone_on_with(configured: Cli) -> None:
    configured.eval("-o", "whole.json")
    names = run_shards(configured, 3, "--no-write")
    configured.eval("--no-table", "--shard", "1/3")
    merged = configured("merge", run_ids(configured)[0], names[1], "--partial", "--no-table")
    assert merged.code == 0
    assert configured.eval("--resume", "latest", "-o", "resumed.json").code == 1
    assert steady(configured.folder / "resumed.json") == steady(configured.folder / "whole.json")


def test_another_configuration_is_refused(configured: Cli) -> None:
    names = run_shards(configured, 2, "--no-write")
    configured.write("sageval.yaml", CONFIG.replace("weight: 2", "weight: 3"))
    configured.eval("--shard", "2/2", "-o", "changed.json")
    ran = configured("merge", names[0], "changed.json")
    assert ran.code == 2 and "their configurations differ in `defaultTest`" in ran.err


def test_other_tests_are_refused(configured: Cli) -> None:
    names = run_shards(configured, 2, "--no-write")
    configured.write("tests.csv", "x,__metadata:conversationId\nword 1,talk 1\nword 2,talk 2\n")
    configured.eval("--shard", "2/2", "-o", "changed.json")
    ran = configured("merge", names[0], "changed.json")
    assert ran.code == 2 and "shards of different tests" in ran.err


def test_results_that_disagree_leave_no_run_behind(configured: Cli) -> None:
    names = run_shards(configured, 2, "--no-write")
    document = configured.document(names[0])
    document["results"]["results"][0]["response"]["output"] = "something else"
    configured.write("other.json", json.dumps(document))
    ran = configured("merge", *names, "other.json")
    assert ran.code == 2 and "different results of the same case" in ran.err
    assert run_ids(configured) == []


def test_the_whole_can_be_held_to_a_pass_rate(configured: Cli) -> None:
    names = run_shards(configured, 2, "--no-write")
    assert configured("merge", *names, "--no-table", "--no-write", "--fail-under", "90").code == 1
    assert configured("merge", *names, "--no-table", "--no-write", "--fail-under", "1").code == 0
    assert run_ids(configured) == []


def test_a_merge_as_json_prints_the_document_alone(configured: Cli) -> None:
    ran = configured("merge", *run_shards(configured, 2, "--no-write"), "--json", "--no-write")
    assert len(json.loads(ran.out)["results"]["results"]) == 160


def test_an_interrupted_shard_is_gone_on_with_as_the_shard_that_it_is(configured: Cli) -> None:
    configured.eval("--shard", "2/3", "-o", "before.json")
    runs = configured.folder.parent / "runs"
    journal = runs / run_ids(configured)[0] / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3]))
    ran = configured.eval("--resume", "latest", "-o", "after.json")
    assert ran.code == 1 and f"{len(lines) - 3} of {len(lines)} cases to do" in ran.err
    assert steady(configured.folder / "after.json") == steady(configured.folder / "before.json")


def test_a_shard_without_cases_is_fine(cli: Cli) -> None:
    cli.write("sageval.yaml", "prompts: [hi]\nproviders: [echo]\n")
    ran = [cli.eval("--shard", f"{index}/3", "-o", f"{index}.json") for index in (1, 2, 3)]
    assert [each.code for each in ran] == [0, 0, 0]
    assert sorted(len(cli.rows(f"{index}.json")) for index in (1, 2, 3)) == [0, 0, 1]
    assert cli("merge", "1.json", "2.json", "3.json").code == 0


def slow(words: int) -> list[dict[str, Json]]:
    """Rows of an earlier run; the first case took as long as all others."""
    provider, prompt = {"id": "echo", "label": ""}, "Say {{x}}"
    return [
        {
            "testIdx": number,
            "promptIdx": 0,
            "provider": provider,
            "promptId": prompt,
            "prompt": {"raw": "", "label": prompt},
            "repeat": 0,
            "testCase": {"vars": {"x": f"word {number}"}},
            "latencyMs": 10.0 if number else 10.0 * (words - 1),
            "outcome": "passed",
        }
        for number in range(words)
    ]


def test_shards_by_cost_take_about_as_long(cli: Cli) -> None:
    cli.write("sageval.yaml", "prompts: ['Say {{x}}']\nproviders: [echo]\ntests: tests.csv\n")
    cli.write("tests.csv", "\n".join(["x", *(f"word {number}" for number in range(9))]) + "\n")
    cli.eval("-o", "known.jsonl")
    known = [json.loads(line) for line in (cli.folder / "known.jsonl").read_text("utf-8").splitlines()]
    for row, latency in zip(known, slow(9), strict=True):
        row["latencyMs"] = latency["latencyMs"]
    cli.write("known.jsonl", "".join(json.dumps(row) + "\n" for row in known))
    names = run_shards(cli, 2, "--shard-by", "cost", "--shard-from", "known.jsonl")
    assert [len(cli.rows(name)) for name in names] == [1, 8]
    assert cli("merge", *names).code == 0


def test_shards_by_cost_take_the_newest_run_that_fits(configured: Cli) -> None:
    configured.eval("--no-table")
    whole = run_ids(configured)[0]
    configured.eval("--no-table", "--shard", "1/2", "--shard-by", "cost")
    newest = configured.folder.parent / "runs" / run_ids(configured)[0] / "run.json"
    record: dict[str, Any] = json.loads(newest.read_text("utf-8"))
    assert record["command"]["shard_from"] == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--shard", "3/2"], "--shard takes `i/n`"),
        (["--shard-by", "cost"], "go with --shard"),
        (["--shard", "1/2", "--shard-by", "size"], "--shard-by takes `id` or `cost`"),
        (["--shard", "1/2", "--shard-from", "latest"], "goes with `--shard-by cost`"),
        (["--shard", "1/2", "--shard-by", "cost"], "knows no earlier run"),
        (["--shard", "1/2", "--shard-by", "cost", "--shard-from", "eval-nowhere"], "no run is called"),
    ],
)
def test_options_that_make_no_shard_are_refused(options: list[str], message: str, configured: Cli) -> None:
    ran = configured.eval(*options)
    assert ran.code == 2 and message in ran.err
