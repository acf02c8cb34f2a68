"""`nunjucksFilters` and `filters`: which code each name stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.template_filters import build_filters
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.js", "b.js", "c.py"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("key", "written", "source"),
    [
        ("nunjucksFilters", "a.js", "file://a.js"),
        ("nunjucksFilters", "file://a.js", "file://a.js"),
        ("nunjucksFilters", "./a.js:named", "file://./a.js:named"),
        ("nunjucksFilters", "*.js", "file://b.js"),
        ("nunjucksFilters", "file://{b,a}.js:named", "file://b.js:named"),
        ("filters", "file://c.py", "file://c.py"),
        ("filters", "file://c.py:named", "file://c.py:named"),
        ("filters", "python: value.upper()", "python: value.upper()"),
    ],
)
def test_a_filter_is_code_relative_to_its_file(folder: Path, key: str, written: str, source: str) -> None:
    (code,) = build_filters({key: {"f": written}}, Place("x.yaml"), str(folder)).values()

    assert (code.source, code.base_path, code.where) == (source, str(folder), Place("x.yaml", pointer=(key, "f")))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"nunjucksFilters": ["a.js"]}, "`nunjucksFilters` must be a map of names to files, not a list"),
        ({"nunjucksFilters": {"f": 3}}, "`f` must be the path of a JavaScript file, not the number `3`"),
        ({"nunjucksFilters": {"f": "file://c.py"}}, "a filter in Python stands under `nunjucksFilters`"),
        ({"nunjucksFilters": {"f": "python: x"}}, "a filter in Python stands under `nunjucksFilters`"),
        ({"filters": {"f": "c.py"}}, "`f` must be `file://x.py[:function]`, or code after `python:`"),
        ({"filters": {"f": None}}, "`f` must be `file://x.py[:function]`, or code after `python:`, not empty"),
        ({"filters": {"a-b": "file://c.py"}}, "`a-b` cannot be called as a filter"),
        ({"nunjucksFilters": {"f": "a.js"}, "filters": {"f": "file://c.py"}}, "`f` stands under `nunjucksFilters` too"),
    ],
)
def test_what_is_no_filter(folder: Path, document: Json, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_filters(document, Place("x.yaml"), str(folder))

    assert [found.message.startswith(problem) for found in caught.value.problems] == [True]
