"""A secret is planted wherever secrets are kept, and wherever text of theirs may turn up; then it is looked for."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from sagemaker_eval.model import Call, Response
from sagemaker_eval.providers.base import PROVIDERS, Local
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.server import Sandbox
from tests.cli.canary_places import SINKS, SOURCES, Planting, canary

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ran

PATIENCE = 30.0
OUTPUTS = ("-o", "out.json", "-o", "out.jsonl", "-o", "out.csv", "-o", "out.yaml", "--record", "tape.jsonl")
SANDBOX = """\
endpoints:
  leaky: {answers: [{pattern: '(?s)(.*)', answer: 'You said: \\1'}]}
  failing: {answers: [{body: 'proxy: Basic BASIC refused PLAIN', contentType: text/plain, status: 400}]}
  slow: {latency: 600000}
"""
PROVIDER_PY = """\
import os
def call_api(prompt, options, context):
    return {"output": f"{prompt} {os.environ.get('SOURCE_KEY', '')} {options['config'] if options else ''}"}
"""
CHECK_PY = """\
def get_assert(output, context):
    raise RuntimeError(f"refused {context['vars']['repeated']}")
"""


@dataclass(frozen=True, slots=True)
class Texts:
    """What a process of its own wrote."""

    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Field:
    """Where the secrets are planted, and where they must not grow."""

    cli: Cli
    serve: Callable[..., Sandbox]
    monkeypatch: pytest.MonkeyPatch

    def plant(self, planting: Planting) -> None:
        basic = base64.b64encode(f"someone:{planting.secret}".encode()).decode()
        self.serve(SANDBOX.replace("BASIC", basic).replace("PLAIN", planting.secret))
        for name, value in planting.environ.items():
            self.monkeypatch.setenv(name, value)
        files = {"provider.py": PROVIDER_PY, "check.py": CHECK_PY, **planting.files}
        for name, text in {**files, "run.yaml": json.dumps(planting.document())}.items():
            self.cli.write(name, text)

    def leaks(self, ran: Ran | Texts, secret: str, planting: Planting) -> list[str]:
        """Which form of a secret is found where, apart from the files that the user wrote."""
        written_by_user = {"run.yaml", "provider.py", "check.py", *planting.files}
        texts = {"stdout": ran.out.encode(), "stderr": ran.err.encode()}
        for path in self.cli.folder.parent.rglob("*"):
            if path.is_file() and path.name not in written_by_user and path.suffix != ".pyc":
                texts[str(path.relative_to(self.cli.folder.parent))] = path.read_bytes()
        return [
            f"{what} in {name}: …{text[max(0, at - 60) : at + 20]!r}"
            for name, text in texts.items()
            for what, form in _forms(secret).items()
            if (at := text.find(form.encode())) >= 0
        ]


def _forms(secret: str) -> dict[str, str]:
    return {
        "itself": secret,
        "its beginning": secret[: len(secret) - 6],
        "in a URL": quote(secret, safe=""),
        "in base64": base64.b64encode(secret.encode()).decode().rstrip("="),
        "behind a user in base64": base64.b64encode(f"someone:{secret}".encode()).decode()[14:-4],
    }


@pytest.fixture
def field_(cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch) -> Field:
    monkeypatch.setenv("DEBUG", "1")
    return Field(cli, serve, monkeypatch)


@pytest.mark.parametrize("place", SOURCES)
def test_a_secret_is_masked_wherever_it_is_kept(field_: Field, place: str) -> None:
    planting = Planting(canary(place))
    SOURCES[place](planting)
    field_.plant(planting)

    ran = field_.cli("eval", "-c", "run.yaml", "--verbose", *OUTPUTS)

    assert ran.code in (1, 3), ran.err
    assert field_.leaks(ran, planting.secret, planting) == []
    assert "an-ordinary-word" in (field_.cli.folder / "out.json").read_text("utf-8")


@pytest.mark.parametrize("place", SINKS)
def test_a_secret_is_masked_wherever_it_turns_up(field_: Field, place: str) -> None:
    planting = Planting(canary(place), environ={"SOURCE_KEY": canary(place)})
    SINKS[place](planting)
    field_.plant(planting)

    ran = field_.cli("eval", "-c", "run.yaml", "--verbose", *OUTPUTS)

    assert "You said: " in (field_.cli.folder / "out.json").read_text("utf-8") or place == "provider output"
    assert field_.leaks(ran, planting.secret, planting) == []


def everywhere(secret: str) -> Planting:
    """A secret in the environment and in the configuration that turns up in many places."""
    planting = Planting(secret, environ={"SOURCE_KEY": secret})
    for place in ("label", "description", "metadata", "value of an assertion"):
        SINKS[place](planting)
    return planting


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", "--dry-run"),
        ("eval", "--json"),
        ("eval", "--no-write", "--no-cache"),
        ("eval", "--description", "SECRET", "--var", "repeated=SECRET"),
        ("eval", "--filter-pattern", "SECRET"),
        ("eval", "--filter-failing", "SECRET"),
        ("eval", "-p", "SECRET.txt"),
        ("eval", "-r", "SECRET"),
        ("eval", "-o", "SECRET/out.json"),
        ("validate",),
        ("validate", "--env-file", "SECRET"),
        ("list", "runs"),
    ],
    ids=" ".join,
)
def test_a_secret_is_masked_whatever_is_asked(field_: Field, arguments: tuple[str, ...]) -> None:
    planting = everywhere(canary("asked").replace("/", "_"))
    field_.plant(planting)

    ran = field_.cli(
        *(part.replace("SECRET", planting.secret) for part in arguments),
        *(() if arguments[0] == "list" else ("-c", "run.yaml")),
    )

    assert field_.leaks(ran, planting.secret, planting) == []


@pytest.mark.parametrize(
    "mistake",
    [
        {"providers": [{"id": "sagemaker:e", "config": {"region": "{{env.SOURCE_KEY}}", "temprature": 1}}]},
        {"providers": ["unheard-of:{{env.SOURCE_KEY}}"]},
        {"evaluateOptions": {"maxConcurrency": "{{env.SOURCE_KEY}}"}},
        {"defaultTest": {"assert": [{"type": "{{env.SOURCE_KEY}}"}]}},
        {"tests": "file://{{env.SOURCE_KEY}}.csv"},
        {"prompts": ["{{env.SOURCE_KEY}} {% if %}"]},
        {"prompts": ["{{ env.SOURCE_KEY | unheardof }}"]},
        {"outputPath": "{{env.SOURCE_KEY}}.docx"},
        {"env": {"A_TOKEN": canary("literal"), "B": [1]}},
        {"providers": [{"id": "sagemaker:e", "config": {"secretAccessKey": canary("literal"), "region": 5}}]},
        {canary("asked"): 1},
    ],
    ids=lambda mistake: "+".join(mistake),
)
def test_a_mistake_is_told_without_the_secret(field_: Field, mistake: dict[str, object]) -> None:
    planting = everywhere(canary("asked"))
    planting.config.update(mistake)
    field_.plant(planting)

    ran = field_.cli("validate", "-c", "run.yaml")

    assert ran.code == 2
    assert field_.leaks(ran, planting.secret, planting) == field_.leaks(ran, canary("literal"), planting) == []


class Broken(Local):
    """A provider with a bug that tells what it was asked."""

    async def answer(self, call: Call) -> Response:
        raise ZeroDivisionError(f"asked {call.prompt!r}, {dict(call.vars)}")


def test_a_bug_is_written_down_without_the_secret(field_: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    planting = everywhere(canary("bug"))
    monkeypatch.setitem(PROVIDERS._entries, "echo", lambda spec, services: Broken())
    planting.config["providers"] = ["echo"]
    field_.plant(planting)

    ran = field_.cli("eval", "-c", "run.yaml", "--verbose")

    assert ran.code == 4
    assert "asked 'Say ***'" in ran.err
    assert field_.leaks(ran, planting.secret, planting) == []


def test_an_interrupted_run_keeps_the_secret(field_: Field) -> None:
    planting = everywhere(canary("interrupted"))
    arrived = threading.Event()

    def told(request: LoggedRequest) -> None:
        if request.endpoint == "slow":
            arrived.set()

    planting.config["providers"] = [planting.provider, "sagemaker:huggingface:slow"]
    field_.serve(SANDBOX, on_request=told)
    field_.plant(planting)
    field_.serve(SANDBOX, on_request=told)
    command = [sys.executable, "-m", "sagemaker_eval", "eval", "-c", "run.yaml", "--verbose", *OUTPUTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert arrived.wait(PATIENCE)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()

    assert process.returncode == 130
    assert "You said: " in (field_.cli.folder / "out.json").read_text("utf-8")
    assert field_.leaks(Texts(out, err), planting.secret, planting) == []


def test_what_a_run_leaves_is_for_its_user_alone(field_: Field) -> None:
    planting = everywhere(canary("modes"))
    field_.plant(planting)
    field_.cli("eval", "-c", "run.yaml", "--verbose", *OUTPUTS)

    (run,) = (field_.cli.folder.parent / "runs").iterdir()
    folders = [run.parent, run, field_.cli.folder.parent / "cache"]
    files = [path for folder in folders[1:] for path in folder.iterdir()]
    assert {oct(folder.stat().st_mode & 0o777) for folder in folders} == {"0o700"}
    assert {path.name for path in files} >= {"run.json", "journal.jsonl", "end.json", "log.txt", "answers.sqlite3"}
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}


def test_a_run_goes_on_after_its_keys_were_changed(field_: Field) -> None:
    """The configuration is on record as it was written, and its secrets are read afresh."""
    settings = {"accessKeyId": "AKIAORDINARY", "secretAccessKey": canary("old"), "region": "{{env.REGION}}"}
    planting = everywhere(canary("environment"))
    planting.environ["REGION"] = "us-east-1"
    planting.provider["config"] = settings
    planting.config["providers"] = [planting.provider, {"id": "file://provider.py"}]
    planting.provider["label"] = "keyed"
    field_.plant(planting)
    field_.cli("eval", "-c", "run.yaml", "--no-cache")
    (run,) = (field_.cli.folder.parent / "runs").iterdir()
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert record["config"]["providers"][0]["config"]["region"] == "{{env.REGION}}"

    settings["secretAccessKey"] = canary("new")
    field_.cli.write("run.yaml", json.dumps(planting.document()))
    field_.monkeypatch.setenv("ANOTHER_TOKEN", canary("environment") + "-renewed")
    ran = field_.cli("eval", "--retry-errors", run.name)

    assert "going on with run" in ran.err
    assert field_.leaks(ran, canary("new"), planting) == field_.leaks(ran, canary("old"), planting) == []


def test_a_run_with_a_secret_on_its_command_line_is_not_gone_on_with(field_: Field) -> None:
    planting = everywhere(canary("command"))
    field_.plant(planting)
    field_.cli("eval", "-c", "run.yaml", "--var", f"repeated={planting.secret}")
    (run,) = (field_.cli.folder.parent / "runs").iterdir()

    ran = field_.cli("eval", "--rerun", "errors")

    assert ran.code == 2
    assert "its --var held a secret, which is not on record" in ran.err
    assert run.name in ran.err
