"""Answers that a run has on record are not asked for again when it is gone on with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

Serve = Callable[..., Sandbox]

COMPARED = """\
prompts: ['{{q}}']
providers: [{id: sagemaker:huggingface:one, config: %s}, {id: sagemaker:huggingface:two, config: %s}]
tests: [{vars: {q: hello}, assert: [{type: icontains, value: best}, {type: max-score}]}]
"""
ANSWERS = """\
one: {answers: [{answer: the best}]%s}
two: {answers: [{answer: a good one}]%s}
judge: {shape: openai, answers: [{answer: '{"pass": true, "score": 1, "reason": "fine"}'}]%s}
"""


def script(one: str = "", two: str = "", judge: str = "") -> str:
    faults = [f", faults: {{{fault}}}" if fault else "" for fault in (one, two, judge)]
    return "endpoints:\n" + "".join(f"  {line}\n" for line in (ANSWERS % tuple(faults)).splitlines())


def asked(sandbox: Sandbox) -> Counter[str | None]:
    """How often each endpoint was asked."""
    return Counter(request.endpoint for request in sandbox.requests)


def outcomes(cli: Cli) -> list[str]:
    return [str(row["outcome"]) for row in cli.rows()]


def written(runs: Path) -> list[dict[str, Json]]:
    """The rows of the only run, in the order in which they were written."""
    (journal,) = runs.glob("*/journal.jsonl")
    return [json.loads(line) for line in journal.read_text("utf-8").splitlines()]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def stopped_between_two_answers(cli: Cli, serve: Serve) -> Sandbox:
    """A run that stops when one of the two answers that it compares is there."""
    sandbox = serve(script())
    cli.write("run.yaml", COMPARED % ("{}", "{}"))
    assert cli.eval("-c", "run.yaml", "--no-cache", "-j", "1", "--max-calls", "1", "-o", "out.json").code == 3
    assert asked(sandbox) == {"one": 1}
    return sandbox


def test_an_answer_that_waits_to_be_compared_is_kept(cli: Cli, serve: Serve, runs: Path) -> None:
    sandbox = stopped_between_two_answers(cli, serve)

    assert not (cli.folder / "out.json").exists()
    assert [row.get("pending") for row in written(runs)] == [True]

    resumed = cli.eval("--resume", "latest")

    assert resumed.code == 1
    assert "2 of 2 cases to do" in resumed.err
    assert asked(sandbox) == {"one": 1, "two": 1}
    assert outcomes(cli) == ["passed", "failed"]
    assert [row["response"]["output"] for row in cli.rows()] == ["the best", "a good one"]
    assert [row["attempts"] for row in cli.rows()] == [1, 1]


def test_until_it_is_compared_its_case_has_not_finished(cli: Cli, serve: Serve) -> None:
    stopped_between_two_answers(cli, serve)

    (listed,) = json.loads(cli("list", "--json").out)

    assert (listed["cases"], listed["planned"]) == (0, 2)
    assert cli("show", "latest").out.count("the best") == 0


def test_a_changed_configuration_keeps_it(cli: Cli, serve: Serve) -> None:
    sandbox = stopped_between_two_answers(cli, serve)
    text = (cli.folder / "run.yaml").read_text("utf-8")
    cli.write("run.yaml", text.replace("tests: [", "tests: [{vars: {q: new}}, "))

    resumed = cli.eval("--resume", "latest", "--allow-changes")

    assert "4 of 4 cases to do" in resumed.err
    assert asked(sandbox) == {"one": 2, "two": 2}


def used(runs: Path) -> list[dict[str, Json]]:
    """The use of the endpoints that is on record."""
    (end,) = runs.glob("*/end.json")
    uses: list[dict[str, Json]] = json.loads(end.read_text("utf-8"))["endpoints"]
    return uses


def test_what_an_endpoint_was_used_adds_up(cli: Cli, serve: Serve, runs: Path) -> None:
    stopped_between_two_answers(cli, serve)
    (before,) = used(runs)

    cli.eval("--resume", "latest")
    _, once = used(runs)
    cli.eval("--resume", "latest", "--rerun", "failed")

    one, two = used(runs)
    assert (one["endpoint"], one["calls"], one["cases"], one["seconds"]) == ("one", 1, 1, before["seconds"])
    assert (two["endpoint"], two["calls"], two["cases"]) == ("two", 2, 1)
    assert two["seconds"] > once["seconds"] > 0


def test_what_a_killed_run_had_noted_of_its_use_adds_up_too(cli: Cli, serve: Serve, runs: Path) -> None:
    stopped_between_two_answers(cli, serve)
    (end,) = runs.glob("*/end.json")
    used = json.loads(end.read_text("utf-8"))
    used["durationMs"] = 60_000
    used["endpoints"][0] |= {"calls": 7, "seconds": 50.0}
    end.with_name("so_far.json").write_text(json.dumps(used), "utf-8")
    end.unlink()

    cli.eval("--resume", "latest")

    stats = cli.document()["results"]["stats"]
    assert [(use["endpoint"], use["calls"]) for use in stats["endpoints"]] == [("one", 7), ("two", 1)]
    assert stats["durationMs"] > 60_000
    assert sorted(path.name for path in end.parent.iterdir()) == ["end.json", "journal.jsonl", "log.txt", "run.json"]


def test_errors_are_repeated_and_compared_with_what_is_on_record(cli: Cli, serve: Serve) -> None:
    sandbox = serve(script(two="modelError: {first: 2}"))
    cli.write("run.yaml", COMPARED % ("{}", "{maxRetries: 0}"))
    assert cli.eval("-c", "run.yaml", "--no-cache", "-o", "out.json").code == 3
    assert outcomes(cli) == ["errored", "errored"]

    assert cli.eval("--retry-errors", "latest").code == 3
    assert asked(sandbox) == {"one": 1, "two": 2}

    assert cli.eval("--retry-errors", "latest").code == 1
    assert asked(sandbox) == {"one": 1, "two": 3}
    assert outcomes(cli) == ["passed", "failed"]


def test_losers_that_are_run_again_are_compared_with_the_winner_on_record(cli: Cli, serve: Serve) -> None:
    sandbox = serve(script())
    cli.write("run.yaml", COMPARED % ("{}", "{}"))
    cli.eval("-c", "run.yaml", "--no-cache", "-o", "out.json")

    cli.eval("--rerun", "failed")

    assert asked(sandbox) == {"one": 1, "two": 2}
    assert outcomes(cli) == ["passed", "failed"]


def test_an_answer_that_its_grader_could_not_judge_is_judged_again(cli: Cli, serve: Serve) -> None:
    sandbox = serve(script(judge="modelError: {first: 1, status: 400}"))
    cli.write(
        "run.yaml",
        "prompts: ['{{q}}']\nproviders: ['sagemaker:huggingface:one']\n"
        "defaultTest: {options: {provider: 'sagemaker:openai:judge'}}\n"
        "tests: [{vars: {q: hello}, assert: [{type: llm-rubric, value: is nice}]}]\n",
    )
    assert cli.eval("-c", "run.yaml", "--no-cache", "-o", "out.json").code == 3

    assert cli.eval("--retry-errors", "latest").code == 0

    assert asked(sandbox) == {"one": 1, "judge": 2}
    (row,) = cli.rows()
    assert (row["outcome"], row["response"]["output"], row["attempts"]) == ("passed", "the best", 1)
