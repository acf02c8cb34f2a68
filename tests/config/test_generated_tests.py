from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.config.datasets import Source, open_tests
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place, TestCase

WHERE = Place("sageval.yaml", pointer=("tests",))

PYTHON = """
def generate_tests(config=None):
    count = (config or {"count": 2})["count"]
    return [{"vars": {"n": index}} for index in range(count)]

def lazily():
    yield {"vars": {"n": (7, 8)}}

async def later():
    return ({"vars": {"n": 9}},)

def nothing():
    pass

def broken():
    raise ValueError("no data today")

def broken_midway():
    yield {"vars": {"n": 1}}
    raise ValueError("no more data")

def a_map():
    return {"vars": {}}

def not_json():
    return [{"vars": {"n": {1, 2}}}]

def mixed():
    return [{"vars": {}}, 7, {"nothing": 1}]

def none():
    return []
"""

JAVASCRIPT = """
module.exports = (config) => [{ vars: { n: config ? config.count : 1 } }];
module.exports.named = async () => [{ vars: { n: 'named' } }];
"""


def build(entry: Any, place: Place) -> TestCase:
    if "vars" not in entry:
        raise ConfigError.of("no vars", place)
    return TestCase(vars=entry["vars"], where=place)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "made.py").write_text(PYTHON)
    (tmp_path / "made.js").write_text(JAVASCRIPT)
    (tmp_path / "count.yaml").write_text("3\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(folder: Path, path: str, config: Any = None) -> list[Any]:
    tests = open_tests(Source(path, str(folder), WHERE, config=config), build)
    return [test.vars["n"] for test in tests]


@pytest.mark.parametrize(
    ("path", "config", "expected"),
    [
        ("made.py", None, [0, 1]),
        ("file://made.py", {"count": 1}, [0]),
        ("made.py", {"count": "file://count.yaml"}, [0, 1, 2]),
        ("made.py:generate_tests", None, [0, 1]),
        ("file://made.py:lazily", None, [[7, 8]]),
        ("made.py:later", None, [9]),
        ("made.js", None, [1]),
        ("made.js", {"count": 5}, [5]),
        ("file://made.js:named", None, ["named"]),
        ("*.js", None, [1]),
    ],
)
def test_functions_make_tests(folder: Path, path: str, config: Any, expected: list[Any]) -> None:
    assert values(folder, path, config) == expected


def test_tests_know_where_they_come_from(folder: Path) -> None:
    tests = open_tests(Source("made.py", str(folder), WHERE), build)
    assert [test.where for test in tests] == [Place("made.py", pointer=(0,)), Place("made.py", pointer=(1,))]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "sageval.yaml: tests: the function must return a list of tests, not nothing"),
        ("a_map", "sageval.yaml: tests: the function must return a list of tests, not a map"),
        ("broken", "sageval.yaml: tests: `made.py:16` raised ValueError: no data today"),
        ("none", "sageval.yaml: there are no tests in `made.py`"),
    ],
)
def test_what_is_refused(folder: Path, function: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        values(folder, f"made.py:{function}")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("broken_midway", "raised ValueError: no more data"),
        ("not_json", "returned what is not JSON"),
        ("missing", "`made.py` has no function `missing`"),
    ],
)
def test_what_is_refused_with_a_reason(folder: Path, function: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        values(folder, f"made.py:{function}")
    assert caught.value.problems[0].where == WHERE


def test_problems_name_the_number_of_the_test(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        values(folder, "made.py:mixed")
    assert str(caught.value).splitlines() == [
        "made.py: test 2: a test must be a map, not the number `7`",
        "made.py: test 3: no vars",
    ]
