"""`--record` and `--replay`: a run without an account and without a network, the same each time."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.cli.offline import NetworkForbidden, offline
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.server import Sandbox
from tests.cli.test_interrupting import PATIENCE, Arrivals, started

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ran

CONFIG = """\
prompts: ['Capital of {{country}}?', 'Name the capital of {{country}}.']
providers: [sagemaker:openai:m, 'sagemaker:huggingface:m']
tests:
  - vars: {country: [France, Spain, Italy]}
    assert: [{type: icontains, value: capital}]
"""
CASSETTE = "run.cassette"


@pytest.fixture
def recorded(cli: Cli) -> Callable[..., Ran]:
    """Records a run of a configuration on the built-in sandbox, or on one that is served."""

    def record(config: str = CONFIG, *options: str, code: int = 0) -> Ran:
        cli.write("run.yaml", config)
        ran = cli.eval("-c", "run.yaml", "--record", CASSETTE, "-o", "recorded.json", *options)
        assert ran.code == code, ran.err + ran.out
        return ran

    return record


def replay(cli: Cli, *options: str, config: str = "run.yaml") -> Ran:
    return cli.eval("-c", config, "--replay", CASSETTE, "-o", "replayed.json", *options)


def same(cli: Cli) -> bool:
    """Whether a replay has the rows and the sums of the recorded run."""
    recording, replayed = (cli.document(f"{name}.json")["results"] for name in ("recorded", "replayed"))
    for results in (recording, replayed):
        results["stats"].pop("endpoints")
    return bool(recording == replayed)


@pytest.mark.parametrize("ending", ["json", "jsonl", "yaml", "csv"])
def test_two_replays_write_the_same_bytes(cli: Cli, recorded: Callable[..., Ran], ending: str) -> None:
    recorded(CONFIG, "--sandbox")
    written = []
    for number in range(2):
        assert cli.eval("-c", "run.yaml", "--replay", CASSETTE, "-o", f"{number}.{ending}").code == 0
        written.append((cli.folder / f"{number}.{ending}").read_bytes())
    assert written[0] == written[1]


def test_a_replay_has_everything_that_the_recorded_run_had(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG, "--sandbox")
    assert replay(cli).code == 0
    assert same(cli)
    document, origin = cli.document("replayed.json"), cli.document("recorded.json")
    assert document["evalId"].startswith("replay-")
    assert document["runtimeOptions"]["replayOf"] == origin["results"]["timestamp"]
    assert document["results"]["stats"]["endpoints"] == []


def test_an_id_belongs_to_a_cassette_and_a_configuration(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG, "--sandbox")
    ids = []
    for options in ((), (), ("--filter-prompts", "Name"), ("--repeat", "1")):
        assert replay(cli, *options).code == 0
        ids.append(cli.document("replayed.json")["evalId"])
    assert ids[0] == ids[1] == ids[3] != ids[2]
    names = sorted(path.name for path in (cli.folder.parent / "runs").glob("replay-*"))
    assert names == sorted([ids[0], f"{ids[0]}-2", ids[2], f"{ids[0]}-3"])


def test_the_newest_run_is_the_latest_although_its_id_has_no_time(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG.replace("value: capital", "value: nothing of the kind"), "--sandbox", code=1)
    (earlier,) = (cli.folder.parent / "runs").iterdir()
    os.utime(earlier, (0, 0))
    cli.write("fine.yaml", CONFIG)
    assert replay(cli, config="fine.yaml").code == 0
    ran = cli.eval("-c", "fine.yaml", "--filter-failing", "latest", "--dry-run")
    assert "no test" in ran.err


def test_no_account_no_region_and_no_files_of_aws_are_needed(
    cli: Cli, recorded: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(CONFIG, "--sandbox")
    cli.write("aws", "[broken")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(cli.folder / "aws"))
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert replay(cli).code == 0


def test_errors_are_errors_again_and_nothing_is_waited_for(
    cli: Cli, recorded: Callable[..., Ran], serve: Callable[..., Sandbox]
) -> None:
    serve("endpoints: {m: {answers: [{pattern: Spain, fault: modelError}]}}")
    delayed = CONFIG.replace("'sagemaker:huggingface:m'", "{id: 'sagemaker:huggingface:m', delay: 1}")
    recorded(delayed, "--max-concurrency", "1", code=3)
    cli.write("run.yaml", delayed.replace("delay: 1", "delay: 100000"))
    assert replay(cli).code == 3
    rows = cli.rows("replayed.json")
    assert rows == cli.rows("recorded.json")
    assert {row["outcome"] for row in rows} == {"passed", "errored"}


def test_the_cache_is_recorded_and_then_neither_read_nor_written(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG, "--sandbox")
    recorded(CONFIG, "--sandbox")
    assert all(row["response"]["cached"] for row in cli.rows("recorded.json"))
    for path in (cli.folder.parent / "cache").iterdir():
        path.unlink()
    assert replay(cli, "--cache").code == 0
    assert same(cli)
    assert list((cli.folder.parent / "cache").iterdir()) == []


def test_equal_cases_differ_as_they_did(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG.replace("Spain", "France"), "--sandbox")
    assert replay(cli).code == 0
    assert same(cli)
    assert {row["response"]["cached"] for row in cli.rows("replayed.json")} == {True, False}


def test_repetitions_are_calls_of_their_own(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG, "--sandbox", "--repeat", "3")
    assert replay(cli, "--repeat", "3").code == 0
    assert same(cli)
    assert replay(cli, "--repeat", "4").code == 3


JUDGED = """\
prompts: ['Capital of {{country}}?']
providers: [sagemaker:openai:m, 'sagemaker:huggingface:m']
tests:
  - vars: {country: [France, Spain, Italy]}
    assert:
      - {type: llm-rubric, value: is polite, provider: 'sagemaker:openai:judge'}
      - type: similar
        value: [Paris, Madrid, Rome]
        threshold: 0
        provider: {id: 'sagemaker:embedding:vectors', config: {maxRetries: 0}}
"""
VERDICT = """\
endpoints:
  judge: {answers: [{answer: '{"pass": true, "score": 0.75, "reason": "fine"}'}]}
"""


def test_graders_and_embeddings_are_replayed_however_they_were_batched(
    cli: Cli, recorded: Callable[..., Ran], serve: Callable[..., Sandbox]
) -> None:
    serve(VERDICT)
    recorded(JUDGED)
    assert replay(cli).code == 0
    totals = [cli.document(f"{name}.json")["results"]["stats"]["tokenUsage"] for name in ("recorded", "replayed")]
    assert totals[0] == totals[1]
    assert totals[0]["assertions"]["numRequests"] > 0


def test_a_batch_that_failed_as_a_whole_fails_for_each_of_its_texts(
    cli: Cli, recorded: Callable[..., Ran], serve: Callable[..., Sandbox]
) -> None:
    serve(VERDICT + "  vectors: {answers: [{pattern: Madrid, fault: unavailable}]}\n")
    recorded(JUDGED, code=3)
    assert replay(cli).code == 3
    pairs = zip(cli.rows("replayed.json"), cli.rows("recorded.json"), strict=True)
    assert all(row["error"] == origin["error"] for row, origin in pairs)


OWN = """\
import pathlib
def call_api(prompt, options, context):
    if "Spain" in prompt:
        raise ValueError("never heard of it")
    return {"output": {"prompt": prompt}, "cost": 0.25, "tokenUsage": {"prompt": 3}, "metadata": {"a": 1}}
"""


def test_own_providers_are_replayed_without_being_loaded(cli: Cli, recorded: Callable[..., Ran]) -> None:
    cli.write("own.py", OWN)
    recorded(CONFIG.replace("sagemaker:openai:m", "file://own.py"), "--sandbox", code=3)
    cli.write("own.py", "raise RuntimeError('this was loaded')\n")
    assert replay(cli).code == 3
    assert same(cli)


def test_a_case_that_is_not_recorded_is_an_error_that_names_it(cli: Cli, recorded: Callable[..., Ran]) -> None:
    recorded(CONFIG, "--sandbox")
    cli.write("run.yaml", CONFIG.replace("Spain", "Sweden").replace("tests:", "maxErrorRate: 1\ntests:"))
    ran = replay(cli)
    assert ran.code == 3
    missing = [row for row in cli.rows("replayed.json") if row["outcome"] == "errored"]
    assert [row["vars"]["country"] for row in missing] == ["Sweden"] * 4
    assert {row["errorKind"] for row in missing} == {"replay"}
    assert missing[0]["error"].startswith(
        "case with country: `Sweden`: the cassette `run.cassette` does not have this call: compared with the nearest "
        "one, `prompt` differs: `Capital of "
    )
    assert missing[0]["error"].endswith("?` -> `Capital of Sweden?`")
    assert missing[0]["hint"] == "where that is meant, record anew: `sageval eval --record run.cassette`"


@pytest.mark.parametrize(
    ("assertion", "code"),
    [
        ("{type: webhook, value: 'http://localhost:9/judge'}", 3),
        ("{type: python, value: 'file://asks.py:check'}", 1),
    ],
)
def test_own_code_and_webhooks_get_no_connection(
    cli: Cli, recorded: Callable[..., Ran], assertion: str, code: int
) -> None:
    recorded(CONFIG, "--sandbox")
    cli.write("asks.py", "import socket\ndef check(output, context):\n    socket.create_connection(('localhost', 9))\n")
    cli.write("run.yaml", CONFIG.replace("{type: icontains, value: capital}", assertion))
    assert replay(cli).code == code
    errors = {row["error"] for row in cli.rows("replayed.json")}
    assert all("a replay opens no connections, and something asked for `localhost:9`" in error for error in errors)


def test_afterwards_connections_may_be_opened_again(
    cli: Cli, recorded: Callable[..., Ran], serve: Callable[..., Sandbox]
) -> None:
    sandbox = serve()
    recorded(CONFIG)
    replay(cli)
    before = sandbox.count()
    assert cli.eval("-c", "run.yaml", "--no-cache").code == 0
    assert sandbox.count() == 2 * before


def test_no_way_out_is_left_open() -> None:
    with offline(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        ways: list[Callable[[], object]] = [
            lambda: socket.getaddrinfo("localhost", 80),
            lambda: socket.gethostbyname("localhost"),
            lambda: own.connect(("127.0.0.1", 9)),
            lambda: own.sendto(b"", ("127.0.0.1", 9)),
        ]
        for way in ways:
            with pytest.raises(NetworkForbidden, match=r"asked for `(localhost|127\.0\.0\.1)"):
                way()


def test_secrets_do_not_get_into_a_cassette(
    cli: Cli, recorded: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_API_KEY", "canary-4711-0815")
    keyed = CONFIG.replace("Capital of", "{{env.MY_API_KEY}} Capital of")
    recorded(keyed, "--sandbox")
    assert "canary-4711-0815" not in (cli.folder / CASSETTE).read_text("utf-8")
    monkeypatch.setenv("MY_API_KEY", "another-value-of-it")
    assert replay(cli).code == 0


def test_a_cassette_may_be_read_by_others_and_is_sorted(cli: Cli, recorded: Callable[..., Ran]) -> None:
    umask = os.umask(0o022)
    try:
        recorded(CONFIG, "--sandbox")
    finally:
        os.umask(umask)
    path = cli.folder / CASSETTE
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    _, *lines = path.read_bytes().splitlines()
    assert len(lines) == 12
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--replay", "a", "--record", "b"], "--replay and --record exclude each other"),
        (["--replay", "a", "--sandbox"], "--replay and --sandbox exclude each other"),
        (["--replay", "a", "--max-calls", "3"], "--replay and --max-calls exclude each other"),
        (["--record", "a", "--dry-run"], "--record and --dry-run exclude each other"),
        (["--replay", "nowhere"], "cannot read the cassette `nowhere`"),
        (["--record", "."], "cannot write `.`: it is a folder"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_call(cli: Cli, options: list[str], message: str) -> None:
    cli.write("run.yaml", CONFIG.replace("sagemaker:openai:m", "echo"))
    ran = cli.eval("-c", "run.yaml", "--filter-providers", "echo", *options)
    assert ran.code == 2
    assert message in ran.err


def head_of(path: Path) -> Json:
    return json.loads(path.read_bytes().splitlines()[0])


def test_ctrl_c_leaves_what_there_is_and_resuming_completes_it(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    arrivals = Arrivals(5)
    sandbox = serve("endpoints: {slow: {latency: 100}}", on_request=arrivals)
    cli.write("run.yaml", "prompts: ['{{x}}']\nproviders: [sagemaker:huggingface:slow]\ntests: tests.csv\n")
    cli.write("tests.csv", "x\n" + "".join(f"{number}\n" for number in range(40)))
    with started(["eval", "-c", "run.yaml", "--record", CASSETTE, "-j", "2"]) as process:
        assert arrivals.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    asked = sandbox.count()
    assert process.returncode == 130
    assert head_of(cli.folder / CASSETTE)["complete"] is False
    assert len((cli.folder / CASSETTE).read_bytes().splitlines()) == 1 + asked < 41

    ran = replay(cli)
    assert ran.code == 3
    assert "did not finish: calls may be missing" in ran.err

    assert cli.eval("--resume", head_of(cli.folder / CASSETTE)["run"], "-o", "recorded.json", "-j", "20").code == 0
    assert sandbox.count() == 40
    assert head_of(cli.folder / CASSETTE)["complete"] is True
    assert replay(cli).code == 0
    assert cli.rows("replayed.json") == cli.rows("recorded.json")
