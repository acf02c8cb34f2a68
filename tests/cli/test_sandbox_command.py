"""`sageval sandbox`, which serves until it is told to stop, in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """The process, and the lines that it printed on stdout until it served."""
    command = [sys.executable, "-m", "sagemaker_eval", "sandbox", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            lines: list[str] = []
            while not lines or not lines[-1].startswith("unset"):
                lines.append(process.stdout.readline().rstrip("\n"))
                assert lines[-1], process.stderr.read()
            assert "Ctrl-C stops it" in process.stderr.readline()
            yield process, lines
        finally:
            process.kill()


def test_a_client_that_takes_the_printed_variables_is_answered(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write("script.yaml", "endpoints: {'*': {shape: tgi, answers: [{pattern: ping, answer: pong}]}}")
    with serving("--script", "script.yaml") as (process, lines):
        assert lines[-1] == "unset AWS_PROFILE AWS_DEFAULT_PROFILE"
        for line in lines[:-1]:
            name, value = line.removeprefix("export ").split("=", 1)
            monkeypatch.setenv(name, value)
        client = boto3.client("sagemaker-runtime")
        response = client.invoke_endpoint(
            EndpointName="any", Body=json.dumps({"inputs": "ping"}), ContentType="application/json"
        )
        with response["Body"] as body:
            assert "pong" in body.read().decode()
        client.close()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err == "sandbox: answered 1 request\n"


def test_a_port_that_is_taken_is_said(cli: Cli) -> None:
    with serving() as (process, lines):
        port = lines[0].rpartition(":")[2]
        ran = cli("sandbox", "--port", port)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert (ran.code, ran.out) == (2, "")
    assert f"the sandbox cannot listen on 127.0.0.1:{port}: address already in use" in ran.err


def test_a_script_with_a_mistake_is_refused_with_its_place(cli: Cli) -> None:
    cli.write("script.yaml", "endpoints:\n  '*':\n    latnecy: 100\n")
    ran = cli("sandbox", "--script", "script.yaml")
    assert ran.code == 2
    assert ran.err == "script.yaml:3:5: unknown key `latnecy` in an endpoint\n  did you mean `latency`?\n"
