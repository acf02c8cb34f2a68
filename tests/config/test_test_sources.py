from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.test_cases import TestContext
from sagemaker_eval.config.test_sources import build_tests, single_test
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase

WHERE = Place("sageval.yaml", pointer=("tests",))
CONTEXT = TestContext(("contains", "equals"), ".")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "a.yaml").write_text("- vars: {n: 1}\n- vars: {n: 2}\n")
    (tmp_path / "b.json").write_text('[{"vars": {"n": 3}}]')
    (tmp_path / "c.csv").write_text("n,__expected\n4,contains: x\n")
    (tmp_path / "header.csv").write_text("n,__expected\n")
    (tmp_path / "make.py").write_text(
        "def generate_tests(config=None):\n    return [{'vars': {'n': (config or {}).get('n', 5)}}]\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def numbers(source: Json) -> list[Json]:
    return [test.vars["n"] for test in build_tests(source, WHERE, CONTEXT)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.yaml", [1, 2]),
        ("file://*.{yaml,json}", [1, 2, 3]),
        (["c.csv", {"vars": {"n": 0}}, {"vars": {"n": 9}}, "file://a.yaml"], ["4", 0, 9, 1, 2]),
        ("make.py", [5]),
        ({"path": "file://make.py", "config": {"n": 7}}, [7]),
        ([{"path": "make.py:generate_tests"}, {"path": "make.py", "config": {"n": 8}}, "b.json"], [5, 8, 3]),
        ({"path": "b.json"}, [3]),
    ],
)
def test_sources(source: Json, expected: list[Json]) -> None:
    assert numbers(source) == expected


def test_json_is_numbered_where_it_stands_alone() -> None:
    alone, listed = build_tests("b.json", WHERE, CONTEXT), build_tests(["b.json", "c.csv"], WHERE, CONTEXT)
    assert [test.description for test in alone] == ["Row #1"]
    assert [test.description for test in listed] == [None, "Row #1"]


def test_without_tests_there_is_one_of_the_default() -> None:
    default = TestCase(vars={"n": 1})
    assert [test.vars for test in single_test(TestContext((), ".", default, {"m": 2}))] == [{"n": 1, "m": 2}]


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ([], ["sageval.yaml: there are no tests"]),
        (None, ["sageval.yaml: there are no tests"]),
        ("header.csv", ["sageval.yaml: there are no tests in `header.csv`"]),
        (["a.yaml", "header.csv"], ["sageval.yaml: there are no tests in `header.csv`"]),
        (7, ["sageval.yaml: `tests` must be a path or a list of tests, not the number `7`"]),
        ({"vars": {}}, ["sageval.yaml: `tests` must be a path or a list of tests, not a map"]),
        (
            ["none-*.csv", {"description": "x"}, {"path": "make.py", "cofnig": {}}, {"path": 3}, 7],
            [
                "sageval.yaml: no file matches `none-*.csv`",
                "sageval.yaml: the test has none of `assert`, `vars`, `options`, `metadata`, `provider`, "
                "`providerOutput`, `threshold`",
                "sageval.yaml: unknown key `cofnig` in a source of tests",
                "sageval.yaml: `path` must be text, not the number `3`",
                "sageval.yaml: `tests[4]` must be a map, not the number `7`",
            ],
        ),
        (
            [{"pth": "make.py", "config": {}}, {"vars": {}, "pth": "x"}],
            [
                "sageval.yaml: `path` is missing",
                "sageval.yaml: unknown key `pth` in a source of tests",
                "sageval.yaml: unknown key `pth` in a test",
            ],
        ),
        ({"path": "c.csv", "config": {}}, ["sageval.yaml: `config` has no effect on `c.csv`"]),
    ],
)
def test_what_is_refused(source: Json, messages: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        build_tests(source, WHERE, CONTEXT)
    assert str(caught.value).splitlines() == messages


def test_assertions_of_a_table_are_checked_with_their_row_and_column(folder: Path) -> None:
    (folder / "t.csv").write_text("n,__expected,__expected2\n1,contains: x,\n2,,similar: y\n3,equals: z,bleu: z\n")
    with pytest.raises(ConfigError) as caught:
        list(build_tests("t.csv", WHERE, CONTEXT))
    assert str(caught.value).splitlines() == [
        "t.csv:3: column `__expected2`: the assertion type `similar` is not yet supported",
        "t.csv:4: column `__expected2`: the assertion type `bleu` is not yet supported",
    ]
