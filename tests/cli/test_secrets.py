"""No secret is in anything that a run leaves behind: output, journal, cache, log, message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ran

KEY_ID = "AKIACANARYCANARY2345"
SECRET = 'canary/secret+with"quote/and=signs'
TOKEN = "canary//session-token-that-is-long=="
CANARIES = (KEY_ID, SECRET, TOKEN, "canary/secret", "canary//session")
OUTPUTS = ("-o", "out.json", "-o", "out.jsonl", "-o", "out.csv", "-o", "out.yaml")
ECHO = """\
endpoints:
  leaky:
    answers:
      - pattern: '(?s)(.*)'
        answer: 'You said: \\1'
  failing:
    answers:
      - pattern: '(?s)(.*)'
        body: 'Authorization: AWS4-HMAC-SHA256 Credential=AKIACANARYCANARY2345, canary//session-token-that-is-long=='
        contentType: text/plain
        status: 400
"""


@pytest.fixture
def leaks(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Ran], list[str]]:
    """Where a canary is found, apart from the files that the user wrote."""
    monkeypatch.setenv("DEBUG", "1")
    written_by_user = {"run.yaml", "credentials", ".env", "script.yaml"}

    def search(ran: Ran) -> list[str]:
        texts = {"stdout": ran.out.encode(), "stderr": ran.err.encode()}
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.name not in written_by_user:
                texts[str(path.relative_to(tmp_path))] = path.read_bytes()
        assert {"work/out.json", "cache/answers.sqlite3"} <= texts.keys()
        return [f"{canary} in {name}" for name, text in texts.items() for canary in CANARIES if canary.encode() in text]

    return search


def test_keys_of_the_configuration(cli: Cli, serve: Callable[..., Sandbox], leaks: Callable[[Ran], list[str]]) -> None:
    """They are in the prompt too, the endpoint gives them back, and one endpoint fails with them in its message."""
    serve(ECHO)
    keys = f"accessKeyId: {KEY_ID}, secretAccessKey: '{SECRET}', sessionToken: '{TOKEN}'"
    cli.write(
        "run.yaml",
        "prompts: ['Hide {{secret}} and {{env.AWS_SECRET_ACCESS_KEY}}']\n"
        "providers:\n"
        "  - sagemaker:huggingface:leaky\n"
        "  - sagemaker:huggingface:failing\n"
        f"  - {{id: 'sagemaker:huggingface:leaky', label: keys, config: {{{keys}}}}}\n"
        f"env: {{AWS_SECRET_ACCESS_KEY: '{Sandbox.secret_access_key}'}}\n"
        f"tests: [{{vars: {{secret: '{SECRET} {TOKEN} {KEY_ID}'}}}}]\n",
    )
    ran = cli("eval", "-c", "run.yaml", "--verbose", "--filter-providers", "leaky|failing", *OUTPUTS)
    assert "You said: Hide *** *** ***" in (cli.folder / "out.json").read_text("utf-8")
    assert leaks(ran) == []


def test_keys_of_the_environment(
    cli: Cli, serve: Callable[..., Sandbox], leaks: Callable[[Ran], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(ECHO)
    monkeypatch.setattr(Sandbox, "access_key_id", KEY_ID)
    monkeypatch.setattr(Sandbox, "secret_access_key", SECRET)
    serve(ECHO)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    cli.write(
        "run.yaml",
        "prompts: ['Hide {{env.AWS_SECRET_ACCESS_KEY}} {{env.AWS_ACCESS_KEY_ID}} {{env.AWS_SESSION_TOKEN}}']\n"
        "providers: ['sagemaker:huggingface:leaky', 'sagemaker:huggingface:failing']\n",
    )
    ran = cli("eval", "-c", "run.yaml", "--verbose", *OUTPUTS)
    assert "You said: Hide *** *** ***" in (cli.folder / "out.json").read_text("utf-8")
    assert leaks(ran) == []


def test_keys_of_a_profile_that_the_endpoint_knows(
    cli: Cli, serve: Callable[..., Sandbox], leaks: Callable[[Ran], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sandbox, "access_key_id", KEY_ID)
    monkeypatch.setattr(Sandbox, "secret_access_key", SECRET)
    serve(f"{ECHO}\n  knowing: {{answers: [{{answer: 'I know {SECRET} and {TOKEN} of {KEY_ID}'}}]}}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    credentials = cli.write(
        "credentials",
        f"[team]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n",
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    cli.write(
        "run.yaml",
        "prompts: [What do you know?]\n"
        "providers:\n"
        "  - {id: 'sagemaker:huggingface:knowing', config: {profile: team, region: us-east-1}}\n"
        "  - {id: 'sagemaker:huggingface:failing', config: {profile: team, region: us-east-1}}\n",
    )
    ran = cli("eval", "-c", "run.yaml", "--verbose", *OUTPUTS)
    assert cli.rows()[0]["response"]["output"] == "I know *** and *** of ***"
    assert leaks(ran) == []


def test_a_configuration_that_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    cli.write(
        "run.yaml", "providers: [{id: 'sagemaker:e', config: {region: '{{env.AWS_SECRET_ACCESS_KEY}}'}}]\nprompts: [Hi]"
    )
    ran = cli.eval("-c", "run.yaml")
    assert ran.code == 2
    assert SECRET not in ran.err and "***" in ran.err


def test_placeholders_for_keys_garble_no_text(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    cli.eval("-p", "I am testing", "-r", "echo", "-o", "out.json")
    assert cli.rows()[0]["response"]["output"] == "I am testing"
