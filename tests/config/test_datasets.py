from __future__ import annotations

import itertools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval import model
from sagemaker_eval.config.datasets import ConcatenatedTests, ListedTests, Source, open_tests
from sagemaker_eval.config.streamed_tests import MOST_KEPT
from sagemaker_eval.config.test_columns import TableOptions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place, TestCase

WHERE = Place("sageval.yaml", pointer=("tests",))


def build(entry: Mapping[str, Any], place: Place) -> TestCase:
    if "vars" not in entry:
        raise ConfigError.of("no vars", place)
    return TestCase(description=entry.get("description"), vars=entry["vars"], where=place)


def opened(folder: Path, source: str, **options: Any) -> model.Tests:
    return open_tests(Source(source, str(folder), WHERE, **options), build)


def values(tests: model.Tests) -> list[Any]:
    return [test.vars["n"] for test in tests]


def problems_of(folder: Path, source: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        list(opened(folder, source))
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FILES = {
    "list.yaml": "- vars: {n: 1}\n- vars: {n: 2}\n",
    "one.yml": "vars: {n: 3}\n",
    "list.json": '[{"vars": {"n": 4}}]',
    "lines.jsonl": '{"vars": {"n": 5}}\n\n{"vars": {"n": 6}}',
    "rows.csv": "n\n7\n8\n",
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("list.yaml", [1, 2]),
        ("file://one.yml", [3]),
        ("list.json", [4]),
        ("lines.jsonl", [5, 6]),
        ("rows.csv", ["7", "8"]),
        ("*", [5, 6, 4, 1, 2, 3, "7", "8"]),
        ("file://*.{csv,yml}", [3, "7", "8"]),
    ],
)
def test_sources(tmp_path: Path, source: str, expected: list[Any]) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    tests = opened(tmp_path, source)
    assert values(tests) == values(tests) == expected
    assert len(opened(tmp_path, source)) == len(tests) == len(expected)


@pytest.mark.parametrize(
    ("name", "content"), [("t.yaml", "\n"), ("t.jsonl", "\n"), ("t.json", "[]"), ("t.csv", "a,b\n\n")]
)
def test_a_file_without_tests_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert problems_of(tmp_path, name) == [f"sageval.yaml: there are no tests in `{name}`"]
    (tmp_path / "full.yaml").write_text("vars: {n: 1}\n")
    assert problems_of(tmp_path, "*") == [f"sageval.yaml: there are no tests in `{name}`"]


def test_tests_know_where_they_stand(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    places = [test.where for test in opened(tmp_path, "*")]
    assert places == [
        Place("lines.jsonl", 1),
        Place("lines.jsonl", 3),
        Place("list.json", pointer=(0,)),
        Place("list.yaml", pointer=(0,)),
        Place("list.yaml", pointer=(1,)),
        Place("one.yml"),
        Place("rows.csv", 2),
        Place("rows.csv", 3),
    ]


def test_rows_are_described_by_number(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("\ufeffn;m\n7;a\n", encoding="utf-8")
    (test,) = opened(tmp_path, "rows.csv", table=TableOptions(";"))
    assert (test.description, dict(test.vars)) == ("Row #1", {"n": "7", "m": "a"})


def test_streams_hold_no_tests(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("n\n" + "\n".join(map(str, range(1000))))
    built = itertools.count()

    def counting(entry: Mapping[str, Any], place: Place) -> TestCase:
        next(built)
        return build(entry, place)

    tests = open_tests(Source("rows.csv", ""), counting)
    assert len(tests) == 1000
    assert [test.vars["n"] for test in itertools.islice(tests, 3)] == ["0", "1", "2"]
    assert next(built) == 3


@pytest.mark.parametrize("name", ["rows.csv", "lines.jsonl"])
@pytest.mark.parametrize("vanished", [True, False])
def test_a_file_may_not_change_between_passes(tmp_path: Path, name: str, vanished: bool) -> None:
    path = tmp_path / name
    path.write_text(FILES[name])
    tests = opened(tmp_path, name)
    assert len(tests) == 2
    if vanished:
        path.unlink()
    else:
        os.utime(path, ns=(1, 1))
    with pytest.raises(ConfigError, match="cannot be read" if vanished else "changed while it was in use"):
        list(tests)


def test_a_stream_survives_a_change_of_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(FILES["rows.csv"])
    tests = opened(tmp_path, "rows.csv")
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    assert values(tests) == ["7", "8"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.csv", "the file of tests `none.csv` does not exist"),
        ("file://none.yaml", "the file of tests `none.yaml` does not exist"),
        ("none/*.csv", "no file matches `none/*.csv`"),
        ("folder.csv", "the file of tests `folder.csv` is a folder, not a file"),
        ("none.xlsx", "the file of tests `none.xlsx` does not exist"),
        ("none.xlsx#Sheet 1", "the file of tests `none.xlsx` does not exist"),
        ("t.xls#1", "tests from `.xls` files are not supported: `t.xls`"),
        ("file://none.py:make", "the file of tests `none.py` does not exist"),
        ("none.js", "the file of tests `none.js` does not exist"),
        ("tests", "tests from files without an ending are not supported: `tests`"),
        ("tests.txt", "tests from `.txt` files are not supported: `tests.txt`"),
        ("huggingface://datasets/x", "tests from `huggingface://datasets/x` are not yet supported"),
        ("https://docs.google.com/x", "tests from `https://docs.google.com/x` are not yet supported"),
    ],
)
def test_sources_that_cannot_be_read(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert problems_of(tmp_path, source) == [f"sageval.yaml: {message}"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.yaml", "- text\n", "t.yaml: a test must be a map, not the text `text`"),
        ("t.json", "3", "t.json: a test must be a map, not the number `3`"),
        ("t.json", "[{]", "t.json:1:3: invalid JSON: expecting property name enclosed in double quotes"),
        ("t.jsonl", '{"vars": {}}\n[]\n', "t.jsonl:2: a test must be a map, not a list"),
        ("t.jsonl", '{"vars": {}}\n{"vars" {}}\n', "t.jsonl:2:9: invalid JSON: expecting ':' delimiter"),
        ("t.jsonl", '{"vars": {}}\n{"x": 1}\n', "t.jsonl:2: no vars"),
        ("t.csv", "n\n1,2\n", "t.csv:2: the row has 2 columns, the header has 1"),
    ],
)
def test_files_with_something_wrong_inside(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    assert problems_of(tmp_path, name) == [message]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_streams_are_utf8(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\n\n\xff\n")
    assert problems_of(tmp_path, name) == [f"{name}:3: the file is not UTF-8: byte 0xff at offset 2"]


def test_problems_of_a_stream_are_told_together_and_name_the_column(tmp_path: Path) -> None:
    def refusing(entry: Mapping[str, Any], place: Place) -> TestCase:
        wrong = Place(place.path, place.line, pointer=("assert", 1, "type"))
        raise ConfigError.of("unknown", wrong if len(entry.get("assert", ())) > 1 else place)

    (tmp_path / "t.csv").write_text("n,__expected1,__expected2,__expected3\n1,a,,b\n2,,,\n3,a,b\n")
    with pytest.raises(ConfigError) as caught:
        list(open_tests(Source("t.csv", str(tmp_path), table=TableOptions()), refusing))
    assert str(caught.value).splitlines() == ["t.csv:4: the row has 3 columns, the header has 4"]
    (tmp_path / "t.csv").write_text("n,__expected1,__expected2,__expected3\n1,a,,b\n2,,,\n3,a,b,\n")
    with pytest.raises(ConfigError) as caught:
        list(open_tests(Source("t.csv", str(tmp_path)), refusing))
    assert str(caught.value).splitlines() == [
        "t.csv:2: column `__expected3`: unknown",
        "t.csv:3: unknown",
        "t.csv:4: column `__expected2`: unknown",
    ]


def test_large_streams_are_read_by_each_pass(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("n\n" + "\n".join(map(str, range(MOST_KEPT + 1))))
    tests = opened(tmp_path, "rows.csv")
    first, again = next(iter(tests)), next(iter(tests))
    assert first == again
    assert first is not again


@pytest.mark.parametrize(("numbered", "expected"), [(True, ["Row #1", "mine", "Row #3"]), (False, [None, "mine", ""])])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_tests_from_json_may_be_numbered(
    tmp_path: Path, ending: str, numbered: bool, expected: list[str | None]
) -> None:
    entries: list[dict[str, Any]] = [
        {"vars": {"n": 1}},
        {"vars": {"n": 2}, "description": "mine"},
        {"vars": {"n": 3}, "description": ""},
    ]
    text = json.dumps(entries) if ending == "json" else "\n\n".join(map(json.dumps, entries))
    (tmp_path / f"t.{ending}").write_text(text)
    assert [test.description for test in opened(tmp_path, f"t.{ending}", numbered=numbered)] == expected


def test_yaml_is_never_numbered(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("- vars: {n: 1}\n")
    assert [test.description for test in opened(tmp_path, "t.yaml", numbered=True)] == [None]


def test_a_config_is_for_scripts(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n\n1\n")
    with pytest.raises(ConfigError, match=r"`config` has no effect on `t\.csv`"):
        opened(tmp_path, "t.csv", config={})


def test_all_problems_of_files_read_whole_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps([{}, {"vars": {}}, 7]))
    (tmp_path / "b.yaml").write_text("a: b: c\n")
    assert len(problems_of(tmp_path, "*.yaml")) == 3


def test_a_delimiter_is_one_character(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("n\n1\n")
    with pytest.raises(ConfigError, match="cannot delimit"):
        opened(tmp_path, "rows.csv", table=TableOptions(";;"))


def test_tests_are_concatenated_in_order() -> None:
    one, two = TestCase(description="1"), TestCase(description="2")
    tests = ConcatenatedTests([ListedTests([one]), ListedTests([]), ListedTests([two, one])])
    assert len(tests) == 3
    assert list(tests) == list(tests) == [one, two, one]
