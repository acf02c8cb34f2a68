"""The command line in this process, with a working folder, an environment and a sandbox of its own."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.cli.app import run
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.server import Sandbox

GOLDEN = Path(__file__).parent / "golden"
UPDATE_GOLDEN = bool(os.environ.get("SAGEVAL_UPDATE_GOLDEN"))

_FOREIGN = re.compile(r"(?:AWS|SAGEVAL|PROMPTFOO)_|(?:https?|all|no)_proxy$|(?:DEBUG|NO_COLOR|FORCE_COLOR)$", re.I)
_NORMALISATIONS = (
    (re.compile(r"eval-\w{3}-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d"), "eval-ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "MOMENT"),
    (re.compile(r"(?:127\.0\.0\.1|localhost):\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\d[\d.,]* (?:ms|s|min)\b"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Cli:
    """Runs commands. `folder` is the working folder; cache and runs lie below it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        """`sageval` with these arguments. The process must be left as it was found."""
        environ, handlers = dict(os.environ), _handlers()
        self._capsys.readouterr()
        code = run(arguments)
        written = self._capsys.readouterr()
        assert dict(os.environ) == environ
        assert _handlers() == handlers
        return Ran(code, written.out, written.err)

    def eval(self, *arguments: str) -> Ran:
        """`sageval eval` without the progress lines, which depend on time."""
        return self("eval", "--no-progress-bar", *arguments)

    def write(self, name: str, text: str) -> Path:
        """A file in the working folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def document(self, name: str = "out.json") -> dict[str, Json]:
        """A JSON file that a command wrote."""
        document: dict[str, Json] = json.loads((self.folder / name).read_text("utf-8"))
        return document

    def rows(self, name: str = "out.json") -> list[dict[str, Json]]:
        """The rows of a result document."""
        rows: list[dict[str, Json]] = self.document(name)["results"]["results"]
        return rows

    def normalised(self, text: str) -> str:
        """`text` without what differs from run to run: folders, run ids, moments, times, ports, request ids."""
        text = text.replace(str(self.folder), "FOLDER")
        for pattern, replacement in _NORMALISATIONS:
            text = pattern.sub(replacement, text)
        return text


def _handlers() -> tuple[object, ...]:
    return tuple(signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM))


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests is seen; nothing can be reached but loopback."""
    for name in [name for name in os.environ if _FOREIGN.match(name)]:
        monkeypatch.delenv(name)
    settings = {
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "home" / "cache"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEVAL_CACHE_PATH": str(tmp_path / "cache"),
        "SAGEVAL_RUNS_PATH": str(tmp_path / "runs"),
        "COLUMNS": "110",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Cli(tmp_path / "work", capsys)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sandbox]]:
    """Opens a sandbox for the text of a script and points AWS clients at it."""
    with ExitStack() as stack:

        def open_sandbox(script: str = "", described: bool = False, **options: Any) -> Sandbox:
            """With `described` its control plane can be asked too, which makes requests beside the invocations."""
            parsed = SandboxScript.parse(parse_yaml(script, "script.yaml"), "script.yaml")
            sandbox = stack.enter_context(Sandbox(parsed, **options))
            for name, value in sandbox.environment().items():
                if described or name != "AWS_ENDPOINT_URL_SAGEMAKER":
                    monkeypatch.setenv(name, value)
            return sandbox

        yield open_sandbox


@pytest.fixture
def matches_golden(cli: Cli) -> Callable[[str, str], None]:
    """Asserts that a text, normalised, is that of a golden file; SAGEVAL_UPDATE_GOLDEN=1 writes the file anew."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if UPDATE_GOLDEN:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(cli.normalised(text), "utf-8")
        assert cli.normalised(text) == path.read_text("utf-8")

    return check
