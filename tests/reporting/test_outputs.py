from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.reporting.outputs import output_ending, output_endings, write_output

New = Callable[..., Any]


def write(path: Path | str, run: Any) -> None:
    write_output(str(path), run.record, run.journal, run.summary)


@pytest.mark.parametrize(
    ("path", "ending"),
    [
        ("out.json", ".json"),
        ("out/run.JSONL", ".jsonl"),
        ("a.b.yaml", ".yaml"),
        ("out.yml", ".yml"),
        ("out.csv", ".csv"),
        ("out.html", None),
        ("json", None),
        ("folder.json/out", None),
    ],
)
def test_the_ending_of_the_name_decides(path: str, ending: str | None) -> None:
    assert output_ending(path) == ending


def test_endings_are_listed_longest_first() -> None:
    assert output_endings() == (".jsonl", ".json", ".yaml", ".csv", ".yml")


@pytest.mark.parametrize("ending", output_endings())
def test_missing_folders_are_created(ending: str, tmp_path: Path, new_run: New) -> None:
    run = new_run()
    run.passed(0, 0, "Paris")
    target = tmp_path / "a" / "b" / f"out{ending}"
    write(target, run)
    assert "Paris" in target.read_text("utf-8")
    assert os.listdir(target.parent) == [target.name]


def test_an_existing_file_is_replaced_and_keeps_its_mode(tmp_path: Path, new_run: New) -> None:
    target = tmp_path / "out.json"
    target.write_text("old")
    target.chmod(0o640)
    write(target, new_run())
    assert json.loads(target.read_text())["results"]["version"] == 3
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_mode(tmp_path: Path, new_run: New) -> None:
    other = tmp_path / "other"
    other.touch()
    write(tmp_path / "out.json", new_run())
    assert (tmp_path / "out.json").stat().st_mode == other.stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path, new_run: New) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(tmp_path / "link.csv", new_run())
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("question,")


class BrokenJournal:
    """A journal whose disk fails after the first row."""

    def outcomes(self) -> Iterator[Any]:
        return iter(())

    def lines(self) -> Iterator[bytes]:
        yield b"{}"
        raise OSError(28, "No space left on device")

    def rows(self) -> Iterator[Any]:
        return iter(())

    def row(self, slot: int) -> dict[str, Any]:
        raise KeyError(slot)


def test_what_cannot_be_finished_leaves_the_old_file(tmp_path: Path, new_run: New) -> None:
    target, run = tmp_path / "out.jsonl", new_run()
    target.write_text("old")
    with pytest.raises(SagevalError, match=r"out\.jsonl`: no space left on device") as caught:
        write_output(str(target), run.record, BrokenJournal(), run.summary)
    assert caught.value.hint
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, new_run: New) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SagevalError, match=r"cannot write `.*file/out\.json`: "):
        write(tmp_path / "file" / "out.json", new_run())


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path, new_run: New) -> None:
    with pytest.raises(SagevalError, match=r"cannot write `.*out\.xlsx`") as caught:
        write(tmp_path / "out.xlsx", new_run())
    assert caught.value.hint == "use one of `.jsonl`, `.json`, `.yaml`, `.csv`, `.yml`"
