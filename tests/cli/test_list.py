"""`sageval list`: what there is to choose from."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

ENDPOINTS = """
endpoints:
  chat:
    deployment: {variants: {blue: 3, green: {weight: 1, instanceType: ml.g6.xlarge, instances: 2}}}
  queue:
    deployment: {async: true}
  function:
    deployment: {serverless: {maxConcurrency: 7}}
  parts:
    deployment: {components: [base, adapter]}
  broken:
    deployment: {status: Failed, failureReason: No ping.}
"""

TABLE = """
name      status           kind        variants                     last modified
broken    Failed: No ping  real-time   ml.g5.xlarge                 2026-01-01 00:00 UTC
chat      InService        real-time   blue 75%: ml.g5.xlarge x 1   2026-01-01 00:00 UTC
                                       green 25%: ml.g6.xlarge x 2
function  InService        serverless  7 at a time                  2026-01-01 00:00 UTC
parts     InService        components  ml.g5.xlarge x 1             2026-01-01 00:00 UTC
queue     InService        async       ml.g5.xlarge x 1             2026-01-01 00:00 UTC
"""


def test_every_assertion_type_has_a_line_of_help(cli: Cli) -> None:
    ran = cli("list", "assertions")
    assert (ran.code, ran.err) == (0, "")
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in ran.out.splitlines() if line[:1].isalnum()}
    assert set(lines) == set(known_names().assertions)
    assert lines["contains"] == "The output contains `value`."
    assert all(len(line) <= 120 for line in ran.out.splitlines())


def test_every_endpoint_has_a_row_with_its_kind_and_its_machines(cli: Cli) -> None:
    cli.write("script.yaml", ENDPOINTS)
    ran = cli("list", "endpoints", "--sandbox-script", "script.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert [line.rstrip() for line in ran.out.splitlines()] == TABLE.strip().splitlines()


def test_endpoints_as_json_are_for_programs(cli: Cli) -> None:
    cli.write("script.yaml", ENDPOINTS)
    ran = cli("list", "endpoints", "--sandbox-script", "script.yaml", "--name-contains", "chat", "--json")
    [chat] = json.loads(ran.out)
    assert (chat["name"], chat["status"], chat["kind"]) == ("chat", "InService", "real-time")
    assert chat["lastModified"] == "2026-01-01T00:00:00Z"
    assert [variant["name"] for variant in chat["variants"]] == ["blue", "green"]
    assert chat["variants"][1] == {
        "name": "green", "weight": 1.0, "instanceType": "ml.g6.xlarge", "instances": 2, "maxConcurrency": None,
    }  # fmt: skip


def test_no_endpoint_at_all_is_said_on_stderr(cli: Cli) -> None:
    cli.write("script.yaml", ENDPOINTS)
    ran = cli(
        "list", "endpoints", "--sandbox-script", "script.yaml", "--name-contains", "zebra", "--region", "eu-west-1"
    )
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "note: there is no endpoint whose name contains `zebra` in eu-west-1\n"
    assert (
        cli("list", "endpoints", "--sandbox-script", "script.yaml", "--name-contains", "zebra", "--json").out == "[]\n"
    )


@pytest.mark.parametrize("operation", ["DescribeEndpoint", "DescribeEndpointConfig"])
def test_what_may_not_be_described_is_left_out_with_a_note(cli: Cli, operation: str) -> None:
    cli.write("script.yaml", f"endpoints: {{chat: {{deployment: {{denied: [{operation}]}}}}}}")
    ran = cli("list", "endpoints", "--sandbox-script", "script.yaml")
    assert ran.code == 0
    assert ran.out.splitlines()[1].split()[:2] == ["chat", "InService"]
    assert ran.err == f"note: not everything is shown: the caller may not `sagemaker:{operation}`\n"


def test_a_policy_that_names_endpoints_hides_no_others(cli: Cli) -> None:
    cli.write(
        "script.yaml", "endpoints: {a: {deployment: {denied: [DescribeEndpoint]}}, b: {deployment: {async: true}}}"
    )
    ran = cli("list", "endpoints", "--sandbox-script", "script.yaml")
    assert [line.split()[2] for line in ran.out.splitlines()[1:]] == ["-", "async"]


def test_endpoints_that_may_not_be_listed_end_the_command_with_the_permission(cli: Cli) -> None:
    cli.write("script.yaml", "endpoints: {chat: {deployment: {denied: [ListEndpoints]}}}")
    ran = cli("list", "endpoints", "--sandbox-script", "script.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "error: the caller may not `sagemaker:ListEndpoints`" in ran.err
    assert '"Action": "sagemaker:ListEndpoints"' in ran.err


def test_the_account_of_the_environment_is_asked(
    cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve(ENDPOINTS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", sandbox.url)
    ran = cli("list", "endpoints", "--name-contains", "queue", "--json")
    assert [endpoint["kind"] for endpoint in json.loads(ran.out)] == ["async"]


def test_an_address_that_is_not_known_is_asked_for(
    cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(ENDPOINTS)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SAGEMAKER", raising=False)
    ran = cli("list", "endpoints")
    assert (ran.code, ran.out) == (2, "")
    assert "hint: set AWS_ENDPOINT_URL_SAGEMAKER beside it" in ran.err


def test_an_unknown_profile_is_refused(cli: Cli) -> None:
    ran = cli("list", "endpoints", "--profile", "nobody")
    assert (ran.code, ran.out) == (2, "")
    assert "there is no AWS profile `nobody`" in ran.err
