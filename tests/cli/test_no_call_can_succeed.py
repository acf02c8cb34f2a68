"""Setups with which no call can succeed: the run ends at once, and says why and what to do."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ran

THOUSAND = "x\n" + "".join(f"{number}\n" for number in range(1000))


@pytest.fixture
def evaluated(cli: Cli) -> Callable[..., Ran]:
    """Runs 1,000 cases against one endpoint; `config` is the provider's."""

    def evaluate(*options: str, config: str = "{region: eu-west-1}") -> Ran:
        cli.write("tests.csv", THOUSAND)
        cli.write(
            "run.yaml",
            "prompts: ['Name {{x}}']\n"
            f"providers: [{{id: 'sagemaker:huggingface:mistral-7b', config: {config}}}]\n"
            "tests: tests.csv\n",
        )
        return cli.eval("-c", "run.yaml", "--no-write", *options)

    return evaluate


def test_an_endpoint_that_does_not_exist(
    serve: Callable[..., Sandbox], evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]
) -> None:
    sandbox = serve("missing: ['mistral-*']")
    ran = evaluated()
    assert (ran.code, ran.out) == (2, "")
    assert sandbox.count() <= 3
    matches_golden("no_call/endpoint_missing.txt", ran.err)


def test_access_denied(
    serve: Callable[..., Sandbox], evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]
) -> None:
    sandbox = serve("endpoints: {'*': {faults: {accessDenied: 1}}}")
    ran = evaluated()
    assert (ran.code, ran.out) == (2, "")
    assert sandbox.count() == 1
    matches_golden("no_call/access_denied.txt", ran.err)


def test_an_expired_token(
    serve: Callable[..., Sandbox], evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]
) -> None:
    sandbox = serve("endpoints: {'*': {faults: {expiredToken: 1}}}")
    ran = evaluated()
    assert (ran.code, ran.out) == (2, "")
    assert sandbox.count() <= 4
    matches_golden("no_call/expired_token.txt", ran.err)


def test_a_wrong_secret(
    serve: Callable[..., Sandbox], evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]
) -> None:
    sandbox = serve()
    keys = f"{{region: eu-west-1, accessKeyId: {Sandbox.access_key_id}, secretAccessKey: not-the-right-one}}"
    ran = evaluated(config=keys)
    assert (ran.code, ran.out) == (2, "")
    assert sandbox.count() <= 4
    matches_golden("no_call/wrong_secret.txt", ran.err)


def test_no_credentials_at_all(evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]) -> None:
    ran = evaluated()
    assert (ran.code, ran.out) == (2, "")
    matches_golden("no_call/no_credentials.txt", ran.err)


def test_an_unknown_profile(evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]) -> None:
    ran = evaluated(config="{region: eu-west-1, profile: team-a}")
    assert (ran.code, ran.out) == (2, "")
    matches_golden("no_call/unknown_profile.txt", ran.err)


def test_a_mistyped_region(evaluated: Callable[..., Ran], matches_golden: Callable[[str, str], None]) -> None:
    ran = evaluated(config="{region: eu_west_1}")
    assert (ran.code, ran.out) == (2, "")
    matches_golden("no_call/mistyped_region.txt", ran.err)


def test_nobody_listens_at_the_endpoint_url(
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[..., Sandbox],
    evaluated: Callable[..., Ran],
    matches_golden: Callable[[str, str], None],
) -> None:
    serve()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_SAGEMAKER_MAX_RETRIES", "0")
    ran = evaluated()
    assert (ran.code, ran.out) == (2, "")
    matches_golden("no_call/connection_refused.txt", ran.err)


def test_credentials_that_fail_after_the_first_case_keep_what_was_learnt(
    cli: Cli, serve: Callable[..., Sandbox]
) -> None:
    sandbox = serve("endpoints: {'*': {answers: [{pattern: 'second', fault: accessDenied}]}}")
    cli.write(
        "run.yaml", "prompts: ['The {{x}}']\nproviders: [sagemaker:e]\ntests: [{vars: {x: [first, second, third]}}]"
    )
    ran = cli.eval("-c", "run.yaml", "-j", "1", "-o", "out.json")
    assert (ran.code, sandbox.count()) == (3, 2)
    assert [row["vars"]["x"] for row in cli.rows()] == ["first"]
    assert "the run had to stop after 1 of 3 cases; these are kept" in ran.err
