"""Paths, globs and folders of prompts, and the files that are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.prompt_paths import is_path, prompt_paths
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

WHERE = Place("sageval.yaml", pointer=("prompts", 0))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts").mkdir()
    for name in ("b.txt", "a.md", "c.txt", ".hidden.txt", "helper.py", "logo.png", "deploy.sh"):
        (tmp_path / "prompts" / name).write_text("text")
    return tmp_path


def found(reference: str, notices: list[str] | None = None) -> list[str]:
    return prompt_paths(reference, ".", WHERE, ([] if notices is None else notices).append)


def refused(reference: str) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        found(reference)
    (problem,) = caught.value.problems
    assert problem.where == WHERE
    return problem.message, problem.hint or ""


@pytest.mark.parametrize(
    "text", ["file://anything", "missing.txt", "a/b/prompt.yaml", "prompt.py:create", "p.mjs", "scan.pdf", "run.sh"]
)
def test_what_is_a_path(text: str) -> None:
    assert is_path(text, ".")


def test_a_name_with_spaces_is_a_path_where_there_is_such_a_file(tmp_path: Path) -> None:
    assert not is_path("see my notes.txt", str(tmp_path))
    (tmp_path / "see my notes.txt").write_text("text")
    assert is_path("see my notes.txt", str(tmp_path))


def test_globs_are_sorted_and_take_scripts_along(folder: Path) -> None:
    assert found("file://prompts/*.txt") == ["prompts/b.txt", "prompts/c.txt"]
    assert found("prompts/{a,b,helper}.*") == ["prompts/a.md", "prompts/b.txt", "prompts/helper.py"]


def test_a_folder_is_its_texts_in_order_and_no_code(folder: Path) -> None:
    notices: list[str] = []

    assert found("file://prompts", notices) == ["prompts/a.md", "prompts/b.txt", "prompts/c.txt"]
    assert notices == ["`prompts`: `deploy.sh`, `helper.py`, `logo.png` passed over: no prompt file"]


def test_a_glob_passes_over_what_holds_no_text(folder: Path) -> None:
    notices: list[str] = []

    assert found("prompts/[cl]*", notices) == ["prompts/c.txt"]
    assert notices == ["`prompts/[cl]*`: `logo.png` passed over: no prompt file"]


@pytest.mark.parametrize(
    ("name", "reason", "hint"),
    [
        ("p.ts", "TypeScript is not supported", "compile it to JavaScript"),
        ("p.sh", "programs are not run as prompts", "file://prompt.py:create"),
        ("p.rb", "programs are not run as prompts", "file://prompt.py:create"),
        ("p.pdf", "a prompt is text", "put its text into a file"),
        ("p.PNG", "a prompt is text", "put its text into a file"),
    ],
)
def test_files_that_are_refused_by_name(folder: Path, name: str, reason: str, hint: str) -> None:
    Path(name).write_text("text")

    message, told = refused(f"file://{name}")

    assert message == f"`{name}` cannot be a prompt: {reason}"
    assert hint in told


def test_a_glob_that_matches_a_program_is_refused(folder: Path) -> None:
    assert refused("prompts/*")[0] == "`prompts/deploy.sh` cannot be a prompt: programs are not run as prompts"


def test_a_file_of_an_unknown_kind_is_refused(folder: Path) -> None:
    Path("prompt.doc").write_text("text")

    assert refused("file://prompt.doc")[0] == "`prompt.doc` is no prompt file"


def test_what_matches_nothing_names_the_folder_it_was_looked_for_in(folder: Path) -> None:
    message, hint = refused("file://prompts/*.yaml")

    assert message == "no file matches `file://prompts/*.yaml`"
    assert hint.startswith("it was looked for in `")
    assert refused("prompts/missing.txt")[1] == "it was looked for at `prompts/missing.txt`"
