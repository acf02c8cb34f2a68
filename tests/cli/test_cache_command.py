"""`sageval cache`: what is in the cache, why an answer is or is not, and how it is tidied up."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """
prompts: ['Describe {{x}}']
providers:
  - id: sagemaker:huggingface:e
    config: {temperature: 0.7}
tests: [{vars: {x: [a, b]}}]
"""

Sent = Callable[..., int]


@pytest.fixture
def sandbox(serve: Callable[..., Sandbox]) -> Sandbox:
    return serve()


@pytest.fixture
def sent(cli: Cli, sandbox: Sandbox) -> Sent:
    """Runs the configuration and tells how many requests that took."""
    cli.write("run.yaml", CONFIG)

    def evaluate(*options: str) -> int:
        before = sandbox.count()
        assert cli.eval("-c", "run.yaml", *options).code == 0
        return sandbox.count() - before

    return evaluate


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "answers.sqlite3"


def changed(path: Path, statement: str) -> None:
    """Changes a closed cache behind its back."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def test_more_repetitions_ask_only_for_those_that_are_new(cli: Cli, sent: Sent) -> None:
    cli.write("run.yaml", CONFIG.replace("[a, b]", "a"))
    assert [sent("--repeat", "5"), sent("--repeat", "5"), sent("--repeat", "10"), sent("--repeat", "3")] == [5, 0, 5, 0]


def test_an_empty_cache_has_figures_and_is_not_made_for_them(cli: Cli, path: Path) -> None:
    assert "answers  0, 0 B" in cli("cache", "stats").out
    assert json.loads(cli("cache", "stats", "--json").out)["entries"] == 0
    assert "is empty" in cli("cache", "clear", "--yes").out
    assert "is empty" in cli("cache", "prune").out
    assert not path.exists()


def test_the_figures_tell_what_is_stored_of_whom_and_what_it_was_good_for(cli: Cli, sent: Sent, path: Path) -> None:
    sent()
    sent()
    told = json.loads(cli("cache", "stats", "--json").out)
    [endpoint] = told["endpoints"]
    assert (told["path"], told["entries"], told["lookups"], told["hits"]) == (str(path), 2, 4, 2)
    assert (endpoint["endpoint"], endpoint["entries"], endpoint["bytes"]) == ("e", 2, told["bytes"])
    assert told["limits"] == {"maxBytes": 1_000_000_000, "maxAgeSeconds": None}
    shown = cli("cache", "stats").out
    assert "hits     2 of 4 lookups (50.0%)" in shown
    assert str(path) in shown.replace("\n", "")


def test_the_cache_of_an_earlier_version_is_gone_on_with(cli: Cli, sent: Sent, path: Path) -> None:
    sent()
    for column in ("used", "endpoint", "origin"):
        changed(path, f"ALTER TABLE answers DROP COLUMN {column}")
    for statement in ("DROP TABLE facts", "DROP TABLE fingerprints", "PRAGMA user_version = 1"):
        changed(path, statement)
    assert sent() == 0
    assert "(stored by an earlier version)" in cli("cache", "stats").out
    cli.write("run.yaml", CONFIG.replace("0.7", "0.2"))
    assert "2 answers of earlier versions cannot be compared" in cli("cache", "explain", "-c", "run.yaml").out


def test_clearing_has_to_be_agreed_to(cli: Cli, sent: Sent) -> None:
    sent()
    refused = cli("cache", "clear")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert sent() == 0
    assert cli("cache", "clear", "--yes").out == "2 answers dropped\n"
    assert sent() == 2


class Terminal(io.StringIO):
    """A stdin at which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "requests"), [("n\n", 0), ("y\n", 2)])
def test_at_a_terminal_it_is_asked(
    cli: Cli, sent: Sent, monkeypatch: pytest.MonkeyPatch, typed: str, requests: int
) -> None:
    sent()
    monkeypatch.setattr("sys.stdin", Terminal(typed))
    ran = cli("cache", "clear")
    assert ran.code == 0
    assert "Drop all stored answers in " in ran.out
    assert sent() == requests


def test_one_endpoint_can_be_cleared(cli: Cli, sent: Sent) -> None:
    sent()
    other = cli("cache", "clear", "--yes", "--endpoint", "f").out
    assert other.startswith("0 answers dropped\n`sageval cache stats` shows")
    assert sent() == 0
    assert cli("cache", "clear", "--yes", "--endpoint", "e").out == "2 answers dropped\n"
    assert sent() == 2


def test_files_that_were_moved_aside_are_shown_and_go_with_all_answers(cli: Cli, sent: Sent, path: Path) -> None:
    cli.write("../cache/answers.sqlite3", "this was never a database, however long one looks at it" * 100)
    sent()
    aside = path.with_name("answers.sqlite3.damaged-1")
    assert json.loads(cli("cache", "stats", "--json").out)["damaged"] == [str(aside)]
    cli("cache", "clear", "--yes", "--endpoint", "e")
    assert aside.exists()
    cli("cache", "clear", "--yes")
    assert not aside.exists()


def test_old_answers_can_be_dropped(cli: Cli, sent: Sent, path: Path) -> None:
    sent()
    changed(path, "UPDATE answers SET created = created - 86400 * 31 WHERE rowid = 1")
    assert cli("cache", "prune", "--older-than", "30d").out.startswith("1 answer dropped; 1 answer of ")
    assert sent() == 1


def test_the_size_can_be_brought_down(cli: Cli, sent: Sent) -> None:
    sent()
    assert cli("cache", "prune", "--max-size", "100MB").out.startswith("0 answers dropped; 2 answers of ")
    assert cli("cache", "prune", "--max-size", "0").out.startswith("2 answers dropped; 0 answers of ")


def test_without_an_option_the_limits_of_the_environment_count(
    cli: Cli, sent: Sent, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent()
    changed(path, "UPDATE answers SET created = created - 7200")
    monkeypatch.setenv("SAGEVAL_CACHE_MAX_AGE", "1h")
    assert "older than" in cli("cache", "stats").out
    assert cli("cache", "prune").out.startswith("2 answers dropped")


def test_answers_that_are_older_than_allowed_are_asked_for_anew(
    cli: Cli, sent: Sent, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent()
    changed(path, "UPDATE answers SET created = created - 7200")
    monkeypatch.setenv("SAGEVAL_CACHE_MAX_AGE", "1h")
    explained = cli("cache", "explain", "-c", "run.yaml", "--first", "1").out
    assert "MISS" in explained
    assert "longer ago than `SAGEVAL_CACHE_MAX_AGE` allows" in explained
    assert sent() == 2


@pytest.mark.parametrize("command", [("eval", "-c", "run.yaml"), ("cache", "stats"), ("cache", "prune")])
def test_a_limit_that_is_none_stops_the_command(
    cli: Cli, sent: Sent, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SAGEVAL_CACHE_MAX_SIZE", "plenty")
    ran = cli(*command)
    assert ran.code == 2
    assert "SAGEVAL_CACHE_MAX_SIZE takes a size, not `plenty`" in ran.err


@pytest.mark.parametrize("options", [("--older-than", "a while"), ("--max-size", "some")])
def test_what_is_no_size_or_time_is_refused(cli: Cli, options: tuple[str, str]) -> None:
    ran = cli("cache", "prune", *options)
    assert ran.code == 2
    assert options[0] in ran.err


def test_a_database_of_another_make_is_told_and_left_alone(cli: Cli, path: Path) -> None:
    path.parent.mkdir()
    changed(path, "CREATE TABLE songs (name TEXT)")
    ran = cli("cache", "stats")
    assert ran.code == 2
    assert "cannot be opened" in ran.err
    assert path.exists()


def test_a_hit_tells_when_and_by_which_run_it_was_stored(cli: Cli, sandbox: Sandbox, sent: Sent) -> None:
    sent()
    [run_folder] = (cli.folder.parent / "runs").glob("eval-*")
    before = sandbox.count()
    explained = cli("cache", "explain", "-c", "run.yaml").out
    assert explained.count(": HIT\n  stored at ") == 2
    assert f"by run {run_folder.name}\n" in explained
    assert explained.endswith("2 hits, 0 misses among the first 2 of 2 cases\n")
    assert sandbox.count() == before


def test_a_miss_tells_where_the_nearest_answer_differs(cli: Cli, sent: Sent) -> None:
    sent()
    cli.write("run.yaml", CONFIG.replace("0.7", "0.2"))
    explained = cli("cache", "explain", "-c", "run.yaml", "--first", "1").out
    assert "MISS\n  the nearest answer was stored at " in explained
    assert "  the body differs at: parameters.temperature 0.7 -> 0.2\n" in explained
    assert explained.endswith("0 hits, 1 miss among the first 1 of 2 cases\n")
    assert sent() == 2


def test_a_miss_in_an_empty_cache_is_told_as_such(cli: Cli, sandbox: Sandbox) -> None:
    cli.write("run.yaml", CONFIG)
    assert "no answer of endpoint `e` is stored" in cli("cache", "explain", "-c", "run.yaml").out


def test_a_repetition_that_was_never_asked_is_told(cli: Cli, sent: Sent) -> None:
    sent()
    explained = cli("cache", "explain", "-c", "run.yaml", "--repeat", "2").out
    assert "repetition 2 was never asked; the nearest is repetition 1" in explained
    assert explained.endswith("2 hits, 2 misses among the first 4 of 4 cases\n")


def test_another_account_is_told(cli: Cli, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    sent()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOTHERACCOUNT0001")
    explained = cli("cache", "explain", "-c", "run.yaml", "--first", "1").out
    assert "MISS" in explained
    assert "it was asked as `" in explained


def test_another_revision_asks_anew_and_is_told(cli: Cli, sent: Sent) -> None:
    sent()
    cli.write("run.yaml", CONFIG.replace("temperature: 0.7", "temperature: 0.7, revision: v2"))
    assert "other `revision`: `` -> `v2`" in cli("cache", "explain", "-c", "run.yaml").out
    assert [sent(), sent()] == [2, 0]
    cli.write("run.yaml", CONFIG)
    assert sent() == 0


def test_what_sends_no_request_is_told_and_not_run(cli: Cli, sandbox: Sandbox) -> None:
    cli.write("run.yaml", CONFIG.replace("providers:", "providers:\n  - echo\n  - file://own.py"))
    cli.write("own.py", "def call_api(prompt, options, context):\n    raise SystemExit('it was run')\n")
    ran = cli("cache", "explain", "-c", "run.yaml")
    assert ran.code == 0
    assert ran.out.count(": not cached\n") == 4
    assert "2 misses, 4 without a request among" in ran.out


def test_a_transformed_request_is_looked_up_as_it_would_be_sent(cli: Cli, sent: Sent) -> None:
    transformed = CONFIG.replace("temperature: 0.7", "transform: 'prompt.toUpperCase()'")
    cli.write("run.yaml", transformed)
    assert sent() == 2
    assert "2 hits, 0 misses" in cli("cache", "explain", "-c", "run.yaml").out
    cli.write("run.yaml", transformed.replace("toUpperCase", "toLowerCase"))
    assert 'inputs (another text of 10 characters) -> "describe a"' in cli("cache", "explain", "-c", "run.yaml").out


def test_a_case_that_cannot_be_made_is_told(cli: Cli, sandbox: Sandbox) -> None:
    failing = "transform: '(() => { throw new Error(\"out of ideas\") })()'"
    cli.write("run.yaml", CONFIG.replace("temperature: 0.7", failing))
    ran = cli("cache", "explain", "-c", "run.yaml")
    assert ran.code == 0
    assert "out of ideas" in ran.out
    assert "2 errors among" in ran.out


def test_switches_that_keep_the_cache_out_of_a_run_are_told(
    cli: Cli, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent()
    cli.write("run.yaml", CONFIG + "cache: false")
    assert "switched off" in cli("cache", "explain", "-c", "run.yaml").err
    monkeypatch.setenv("DEBUG", "1")
    assert "DEBUG is set" in cli("cache", "explain", "-c", "run.yaml").err


def test_secrets_show_neither_in_the_cache_nor_in_its_explanation(
    cli: Cli, sent: Sent, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "canary-0123456789")
    cli.write("run.yaml", CONFIG.replace("Describe {{x}}", "{{env.MY_API_KEY}} {{x}}"))
    sent()
    cli.write("run.yaml", CONFIG.replace("Describe {{x}}", "{{env.MY_API_KEY}} {{x}}!"))
    ran = cli("cache", "explain", "-c", "run.yaml")
    assert "another text" in ran.out
    assert "canary" not in ran.out + ran.err
    assert b"canary" not in path.read_bytes()
