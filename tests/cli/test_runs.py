"""`sageval list` and `sageval delete`: the recorded runs."""

from __future__ import annotations

import fcntl
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = "prompts: [hi, ho]\nproviders: [echo]\ntests: [{assert: [{type: contains, value: hi}]}]\n"


@pytest.fixture
def runs(cli: Cli) -> Path:
    """The folder of all runs; there is a configuration to make them from."""
    cli.write("sageval.yaml", CONFIG)
    return cli.folder.parent / "runs"


def add(cli: Cli, runs: Path, name: str, started: str, description: str = "") -> Path:
    """A run with this id that was started at this moment."""
    before = set(ids(runs))
    cli.eval("--no-table", "--description", description or name)
    (made,) = set(ids(runs)) - before
    folder = (runs / made).rename(runs / name)
    record = json.loads((folder / "run.json").read_text("utf-8"))
    (folder / "run.json").write_text(json.dumps({**record, "runId": name, "startedAt": started}), "utf-8")
    return folder


def ids(runs: Path) -> list[str]:
    return sorted(path.name for path in runs.iterdir() if path.is_dir()) if runs.is_dir() else []


@pytest.fixture
def three(cli: Cli, runs: Path) -> list[str]:
    """Three runs, the newest first."""
    for day in (1, 2, 3):
        moment = f"2026-01-0{day}T10-00-00"
        add(cli, runs, f"eval-{'xyz'[day - 1]}aa-{moment}", f"2026-01-0{day}T10:00:00.000Z", f"day {day}")
    return sorted(ids(runs), key=lambda name: name[9:], reverse=True)


@pytest.mark.parametrize("command", [["list"], ["list", "runs"]])
def test_runs_are_listed_newest_first(command: list[str], cli: Cli, three: list[str]) -> None:
    ran = cli(*command)
    assert (ran.code, ran.err) == (0, "")
    heading, *lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert heading == "id started cases pass rate errors state description"
    assert lines == [
        f"{name} 2026-01-0{3 - n} 10:00:00 UTC 2/2 50.0% 0 finished day {3 - n}" for n, name in enumerate(three)
    ]


def test_the_list_can_be_cut(cli: Cli, three: list[str]) -> None:
    assert [run["id"] for run in json.loads(cli("list", "--json", "-n", "2").out)] == three[:2]


def test_the_list_as_json_is_for_programs(cli: Cli, three: list[str]) -> None:
    assert json.loads(cli("list", "runs", "--json", "-n", "1").out) == [
        {
            "id": three[0],
            "startedAt": "2026-01-03T10:00:00.000Z",
            "description": "day 3",
            "cases": 2,
            "planned": 2,
            "passed": 1,
            "failed": 1,
            "errors": 0,
            "passRate": 0.5,
            "state": "finished",
        }
    ]


def test_without_runs_the_list_says_so(cli: Cli, runs: Path) -> None:
    ran = cli("list")
    assert (ran.code, ran.out) == (0, "")
    assert f"there is no run in {runs}" in ran.err
    assert cli("list", "--json").out == "[]\n"


def test_a_run_that_cannot_be_read_does_not_hide_the_others(cli: Cli, runs: Path, three: list[str]) -> None:
    (runs / three[1] / "run.json").write_text("{")
    ran = cli("list")
    assert three[0] in ran.out and three[2] in ran.out
    assert f"the run in {runs / three[1]} cannot be read" in ran.err


def test_a_run_is_gone_on_with_by_what_only_its_id_begins_with(cli: Cli, three: list[str]) -> None:
    ran = cli.eval("--resume", three[0][:-1])
    assert f"going on with run {three[0]}" in ran.err


def test_where_no_run_is_unfinished_there_is_nothing_to_go_on_with(cli: Cli, three: list[str]) -> None:
    ran = cli.eval("--resume", "latest")
    assert ran.code == 2 and "is unfinished" in ran.err and "--retry-errors" in ran.err


def test_runs_are_deleted_by_name(cli: Cli, runs: Path, three: list[str]) -> None:
    ran = cli("delete", "latest", "eval-xaa", "--yes")
    assert (ran.code, ran.out, ran.err) == (0, "", "note: deleted 2 runs\n")
    assert ids(runs) == [three[1]]


def test_all_but_the_newest_are_deleted(cli: Cli, runs: Path, three: list[str]) -> None:
    assert cli("delete", "--keep", "1", "--yes").code == 0
    assert ids(runs) == three[:1]


def test_old_runs_are_deleted_but_not_the_newest_ones(cli: Cli, runs: Path, three: list[str]) -> None:
    cli.eval("--no-table")
    assert "there is no run to delete" in cli("delete", "--older-than", "5000w", "--yes").err
    assert cli("delete", "--older-than", "2h", "--keep", "3", "--yes").code == 0
    assert len(ids(runs)) == 3 and three[2] not in ids(runs)
    assert cli("delete", "--older-than", "2h", "--yes").code == 0
    assert len(ids(runs)) == 1 and not set(ids(runs)) & set(three)


def test_a_run_that_is_going_on_is_never_deleted(cli: Cli, runs: Path, three: list[str]) -> None:
    with (runs / three[0] / "journal.jsonl").open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        ran = cli("delete", three[0], "--yes")
        assert ran.code == 2 and f"run {three[0]} is still going on" in ran.err
        assert cli("delete", "--keep", "0", "--yes").code == 0
    assert ids(runs) == [three[0]]


def test_only_runs_are_deleted(cli: Cli, runs: Path, three: list[str]) -> None:
    (runs / "notes").mkdir()
    for name in ("notes", "..", "../work", "."):
        ran = cli("delete", name, "--yes")
        assert ran.code == 2 and "no run is called" in ran.err
    assert cli("delete", "--keep", "0", "--yes").code == 0
    assert ids(runs) == ["notes"] and cli.folder.is_dir()


class Terminal(io.StringIO):
    """A stdin at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "left"), [("y\n", 2), ("n\n", 3), ("\n", 3)])
def test_at_a_terminal_deleting_is_asked_about(
    typed: str, left: int, cli: Cli, runs: Path, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    ran = cli("delete", three[0])
    assert ran.code == 0 and f"Delete 1 run ({three[0]})?" in ran.err
    assert len(ids(runs)) == left


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no run is named"),
        (["latest"], "whether to delete can only be asked at a terminal"),
        (["latest", "--keep", "1"], "exclude each other"),
        (["--older-than", "soon"], "--older-than takes a number with `m`, `h`, `d` or `w`, not `soon`"),
    ],
)
def test_what_cannot_be_deleted_is_said(
    arguments: list[str], message: str, cli: Cli, runs: Path, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    ran = cli("delete", *arguments)
    assert ran.code == 2 and message in ran.err
    assert ids(runs) == sorted(three)
