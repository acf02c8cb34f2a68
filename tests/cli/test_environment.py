"""What the environment says: variables, `.env`, the configuration's `env`, and who wins."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

KEY_NAMES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
KEYS = f"AWS_ACCESS_KEY_ID={Sandbox.access_key_id}\nAWS_SECRET_ACCESS_KEY={Sandbox.secret_access_key}\n"
CONFIG = "prompts: [Hi]\nproviders: [{id: 'sagemaker:huggingface:e', config: {CONFIG}}]\n"


@pytest.fixture
def unsigned(serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox whose keys and region the environment does not tell."""
    sandbox = serve()
    for name in (*KEY_NAMES, "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    return sandbox


def region_of(sandbox: Sandbox) -> str:
    """The region that the last request was signed for."""
    return sandbox.requests[-1].headers["authorization"].split("/")[2]


def parameters_of(sandbox: Sandbox) -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads(sandbox.requests[-1].body)["parameters"]
    return parameters


def test_a_dotenv_file_of_the_working_folder_reaches_boto3(cli: Cli, unsigned: Sandbox) -> None:
    cli.write(".env", KEYS + "AWS_REGION=ap-south-1\n")
    cli.write("run.yaml", CONFIG.replace("CONFIG", ""))
    assert cli.eval("-c", "run.yaml").code == 0
    assert region_of(unsigned) == "ap-south-1"


def test_an_env_file_reaches_boto3(cli: Cli, unsigned: Sandbox) -> None:
    cli.write("team.env", KEYS)
    cli.write("run.yaml", CONFIG.replace("CONFIG", "region: eu-west-3"))
    assert cli.eval("-c", "run.yaml", "--env-file", "team.env").code == 0
    assert region_of(unsigned) == "eu-west-3"


def test_the_env_of_the_configuration_reaches_boto3_and_beats_the_process(
    cli: Cli, unsigned: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    env = "env: {" + KEYS.strip().replace("=", ": ").replace("\n", ", ") + ", AWS_REGION: sa-east-1}\n"
    cli.write("run.yaml", CONFIG.replace("CONFIG", "") + env)
    assert cli.eval("-c", "run.yaml").code == 0
    assert region_of(unsigned) == "sa-east-1"


def test_without_any_region_it_is_us_east_1_and_that_is_said_once(cli: Cli, unsigned: Sandbox) -> None:
    cli.write(".env", KEYS)
    cli.write("run.yaml", CONFIG.replace("CONFIG", "") + "tests: [{vars: {x: [a, b]}}]")
    ran = cli.eval("-c", "run.yaml")
    assert ran.code == 0
    assert region_of(unsigned) == "us-east-1"
    assert ran.err.count("no AWS region is configured: using us-east-1") == 1


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
    ],
)
def test_the_region_of_the_environment(
    cli: Cli, unsigned: Sandbox, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], region: str
) -> None:
    cli.write(".env", KEYS)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert cli.eval("-p", "Hi", "-r", "sagemaker:e").code == 0
    assert region_of(unsigned) == region


def test_the_region_of_a_profile(cli: Cli, unsigned: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KEYS.lower().replace(Sandbox.access_key_id.lower(), Sandbox.access_key_id)
    cli.write("aws", f"[profile team]\n{keys}region = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(cli.folder / "aws"))
    cli.write("run.yaml", CONFIG.replace("CONFIG", "profile: team"))
    assert cli.eval("-c", "run.yaml").code == 0
    assert region_of(unsigned) == "eu-north-1"


def test_sampling_defaults_come_from_the_environment_and_the_configuration_wins(
    cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve()
    for name, value in {"MAX_TOKENS": "77", "TEMPERATURE": "0.2", "TOP_P": "0.5"}.items():
        monkeypatch.setenv(f"AWS_SAGEMAKER_{name}", value)
    cli.write("run.yaml", CONFIG.replace("CONFIG", ""))
    cli.eval("-c", "run.yaml")
    said = parameters_of(sandbox)
    assert (said["max_new_tokens"], said["temperature"], said["top_p"]) == (77, 0.2, 0.5)
    cli.write("run.yaml", CONFIG.replace("CONFIG", "maxTokens: 5, temperature: 0.9, topP: 0.8"))
    cli.eval("-c", "run.yaml")
    said = parameters_of(sandbox)
    assert (said["max_new_tokens"], said["temperature"], said["top_p"]) == (5, 0.9, 0.8)


def test_retries_are_counted_as_the_environment_says_unless_the_configuration_does(
    cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve("endpoints: {'*': {faults: {unavailable: 1}}}")
    monkeypatch.setenv("AWS_SAGEMAKER_MAX_RETRIES", "0")
    cli.write("run.yaml", CONFIG.replace("CONFIG", ""))
    assert (cli.eval("-c", "run.yaml").code, sandbox.count()) == (3, 1)
    cli.write("run.yaml", CONFIG.replace("CONFIG", "maxRetries: 1"))
    assert (cli.eval("-c", "run.yaml").code, sandbox.count()) == (3, 3)


def test_variables_of_promptfoo_without_effect_are_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTFOO_CACHE_TTL", "60")
    monkeypatch.setenv("PROMPTFOO_PASS_RATE_THRESHOLD", "50")
    ran = cli.eval("-p", "Hi", "-r", "echo")
    assert ran.err.count("PROMPTFOO_CACHE_TTL is set, and has no effect on sageval") == 1
    assert "PROMPTFOO_PASS_RATE_THRESHOLD" not in ran.err


@pytest.mark.parametrize("no_color", ["", "1"])
def test_no_colour_codes_off_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, no_color: str) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [echo]\ndefaultTest: {assert: [{type: equals, value: Ho}]}")
    ran = cli("eval", "-c", "run.yaml")
    help_ = cli("eval", "--help")
    wrong = cli("eval", "--no-such-option")
    assert "\x1b" not in ran.out + ran.err + help_.out + wrong.err


def test_the_sandbox_of_a_run_heeds_no_setting_of_aws(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
        "AWS_CA_BUNDLE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    assert cli.eval("-p", "Hi", "-r", "sagemaker:e", "--sandbox").code == 0
