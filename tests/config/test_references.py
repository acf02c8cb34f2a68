from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.references import display_path, expand_glob, is_glob, is_reference, resolve, split_function


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("value", "expected"), [("file://a", True), ("a", False), (None, False), (["file://a"], False)]
)
def test_references_begin_with_file(value: object, expected: bool) -> None:
    assert is_reference(value) is expected


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("file://a/b.txt", "base/a/b.txt"),
        ("a.txt", "base/a.txt"),
        ("file://./a", "base/a"),
        ("file://../a", "a"),
        ("file:///abs/a", "/abs/a"),
        ("file://~/a", "/home/me/a"),
    ],
)
def test_references_start_at_the_base(reference: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert resolve(reference, "base") == path


def test_an_empty_base_is_the_working_folder() -> None:
    assert resolve("file://a.txt", "") == "a.txt"


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.yaml", ["b.yaml", "c.yaml"]),
        ("file://*.yaml", ["b.yaml", "c.yaml"]),
        ("**/*.yaml", ["b.yaml", "c.yaml", "sub/deep/d.yaml"]),
        ("{c,b}.{yaml,json}", ["b.json", "b.yaml", "c.yaml"]),
        ("?.json", ["b.json"]),
        ("[ab].json", ["b.json"]),
        ("*", ["b.json", "b.yaml", "c.yaml", "odd[1].txt"]),
        ("odd[1].txt", ["odd[1].txt"]),
        ("none*", []),
        ("missing.txt", []),
        ("sub", []),
    ],
)
def test_globs_find_files_in_order(tmp_path: Path, pattern: str, names: list[str]) -> None:
    base = tmp_path / "base[x]"
    files(base, "c.yaml", "b.yaml", "b.json", "sub/deep/d.yaml", "odd[1].txt")
    assert expand_glob(pattern, str(base)) == [(base / name).as_posix() for name in names]


def test_nested_braces(tmp_path: Path) -> None:
    files(tmp_path, "a.csv", "b1.csv", "b2.csv", "b3.csv")
    found = expand_glob("{a,b{1,2}}.csv", str(tmp_path))
    assert [Path(path).name for path in found] == ["a.csv", "b1.csv", "b2.csv"]


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2} ' * 100, "one\n*", "a\0/*", "x" * 10_000, "**bold** [x"])
def test_any_text_may_be_asked_about(tmp_path: Path, text: str) -> None:
    assert expand_glob(text, str(tmp_path)) == []


def test_globs_may_be_absolute_or_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path, "a.csv")
    monkeypatch.chdir(tmp_path)
    assert expand_glob(f"file://{tmp_path}/*.csv", "elsewhere") == [f"{tmp_path.as_posix()}/a.csv"]
    assert expand_glob("*.csv", "") == expand_glob("./*.csv", ".") == ["a.csv"]


@pytest.mark.parametrize(
    ("pattern", "expected"), [("a*", True), ("a[1]", True), ("{a,b}", True), ("a{b}", False), ("a", False)]
)
def test_what_makes_a_glob(pattern: str, expected: bool) -> None:
    assert is_glob(pattern) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x.py:fn", ("x.py", "fn")),
        ("dir:a/x.ts:fn", ("dir:a/x.ts", "fn")),
        ("x.mjs:fn", ("x.mjs", "fn")),
        ("x.cjs:fn", ("x.cjs", "fn")),
        ("x.py", ("x.py", None)),
        ("x.txt:fn", ("x.txt:fn", None)),
        ("C:/x.py", ("C:/x.py", None)),
        ("C:\\x.js:fn", ("C:\\x.js", "fn")),
        ("x.py:", ("x.py:", None)),
    ],
)
def test_functions_follow_scripts(path: str, expected: tuple[str, str | None]) -> None:
    assert split_function(path) == expected


def test_paths_are_shown_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert display_path(str(tmp_path / "work" / "a" / "b.yaml")) == "a/b.yaml"
    assert display_path("./a/../b.yaml") == "b.yaml"
    assert display_path(str(tmp_path / "c.yaml")) == "../c.yaml"
    assert display_path("/c.yaml") == "/c.yaml"
