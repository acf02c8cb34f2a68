"""What is told of files that are read, and whether they are still what they were."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagemaker_eval.text.files_read import FilesRead, note_read, note_search, note_written, recording


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nobody_has_to_listen() -> None:
    note_read("anything")
    note_search("*", ".", list, [])
    note_written(["anything"])
    with recording() as read:
        assert not read.files


def test_files_are_recorded_once_under_their_absolute_paths(folder: Path) -> None:
    (folder / "a.txt").write_text("a")
    with recording() as files:
        note_read("a.txt")
        note_read(folder / "a.txt")
        note_read("missing.txt")
    note_read("later.txt")
    assert files.files == (str(folder / "a.txt"),)
    assert files.folders() == (str(folder),)
    assert files.changed() == ()


def test_a_file_that_changes_after_it_was_read_has_changed(folder: Path) -> None:
    path = folder / "a.txt"
    path.write_text("a")
    files = FilesRead()
    files.add(path)
    path.write_text("ab")
    files.add(path)
    assert files.changed() == (str(path),)


def test_an_edit_that_keeps_the_size_is_told_by_its_time(folder: Path) -> None:
    path = folder / "a.txt"
    path.write_text("a")
    files = FilesRead()
    files.add(path)
    path.write_text("b")
    os.utime(path, ns=(1, 1))
    assert files.changed() == (str(path),)


def test_files_that_appear_and_vanish_have_changed(folder: Path) -> None:
    here, missing = folder / "here.txt", folder / "below" / "missing.txt"
    here.write_text("a")
    files = FilesRead()
    files.add(here)
    files.add(missing)
    assert files.folders() == (str(folder),)
    here.unlink()
    missing.parent.mkdir()
    missing.write_text("b")
    assert files.changed() == (str(missing), str(here))


def test_a_folder_changes_with_the_names_in_it(folder: Path) -> None:
    prompts = folder / "prompts"
    prompts.mkdir()
    files = FilesRead()
    files.add(prompts)
    assert files.changed() == ()
    (prompts / "new.txt").write_text("a")
    assert files.changed() == (str(prompts),)
    assert files.files == ()


def test_a_search_changes_with_what_it_finds(folder: Path) -> None:
    def search() -> list[str]:
        return [str(path) for path in folder.glob("*.txt")]

    (folder / "a.txt").write_text("a")
    with recording() as files:
        note_search("*.txt", ".", search, search())
    assert files.changed() == ()
    (folder / "b.txt").write_text("b")
    assert files.changed() == (str(folder / "b.txt"),)
    (folder / "a.txt").write_text("ab")
    assert files.changed() == (str(folder / "a.txt"), str(folder / "b.txt"))


def test_what_the_run_itself_writes_does_not_count(folder: Path) -> None:
    path = folder / "out.json"
    path.write_text("{}")
    with recording() as files:
        note_read(path)
        note_search("*.json", ".", lambda: [str(path)], [])
        note_written(["out.json"])
    path.write_text("{ }")
    assert files.files == ()
    assert files.changed() == ()
