"""The command line in this process, in a folder that looks like the top of a clone, and the blocks of the pages."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagemaker_eval.cli.app import run
from sagemaker_eval.model import Json

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "configs/*.md", "examples/*.md", "examples/*/*.md")
    for page in ROOT.glob(pattern)
)

_FOREIGN = re.compile(r"(?:AWS|SAGEVAL|PROMPTFOO)_|(?:https?|all|no)_proxy$|(?:DEBUG|NO_COLOR|FORCE_COLOR)$", re.I)
_FENCE = re.compile(r"^```(\w*)(?: ([\w.]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page; `line` is that of its first line, counted from 1.

    `file` is the name of the file that the block shows, which stands after its language.
    """

    page: Path
    line: int
    language: str
    text: str
    file: str | None = None

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(page, text.count("\n", 0, match.start(3)) + 1, match[1], match[3], match[2])
        for match in _FENCE.finditer(text)
    ]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Cli:
    """Runs commands in `folder`, which holds `configs/` and `examples/` of the repository."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        self._capsys.readouterr()
        code = run(arguments)
        written = self._capsys.readouterr()
        return Ran(code, written.out, written.err)

    def rows(self, name: str) -> list[dict[str, Json]]:
        """The rows of a result document that a command wrote."""
        rows: list[dict[str, Json]] = json.loads((self.folder / name).read_text("utf-8"))["results"]["results"]
        return rows


@pytest.fixture(autouse=True)
def _like_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests is seen; cache and runs are this test's own."""
    for name in [name for name in os.environ if _FOREIGN.match(name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SAGEVAL_CACHE_PATH", str(tmp_path / "cache"))
    monkeypatch.setenv("SAGEVAL_RUNS_PATH", str(tmp_path / "runs"))
    monkeypatch.setenv("COLUMNS", "100")
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("configs", "examples"):
        (folder / name).symlink_to(ROOT / name)
    monkeypatch.chdir(folder)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Cli(tmp_path / "clone", capsys)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def page_blocks() -> list[Block]:
    """The fenced blocks of all pages, page by page."""
    return [block for page in PAGES for block in blocks_of(page)]
