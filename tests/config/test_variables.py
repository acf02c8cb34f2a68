from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.config.test_cases import TestContext, build_test
from sagemaker_eval.config.variables import read_variables
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase, UserCode

WHERE = Place("suite/sageval.yaml", pointer=("tests", 0, "vars"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    suite = tmp_path / "suite"
    suite.mkdir()
    (suite / "one.yaml").write_text("a: 1\nb: 1\ntext: file://text.txt\n")
    (suite / "two.json").write_text('{"b": 2, "c": [1, 2]}')
    (suite / "text.txt").write_text("hello\n")
    (suite / "list.yaml").write_text("- 1\n")
    (suite / "double.py").write_text("def get_transform(vars, context):\n    return {'twice': vars['n'] * 2}\n")
    monkeypatch.chdir(tmp_path)
    return suite


def refused(raw: Json) -> str:
    with pytest.raises(ConfigError) as caught:
        read_variables(raw, WHERE, "suite")
    return str(caught.value)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("one.yaml", {"a": 1, "b": 1, "text": "hello"}),
        ("file://one.yaml", {"a": 1, "b": 1, "text": "hello"}),
        (["one.yaml", "two.json"], {"a": 1, "b": 2, "text": "hello", "c": [1, 2]}),
        (["two.json", "file://one.yaml"], {"b": 1, "c": [1, 2], "a": 1, "text": "hello"}),
        ("{one,two}.*", {"a": 1, "b": 2, "text": "hello", "c": [1, 2]}),
        ([], {}),
        (None, {}),
    ],
)
def test_variables_from_files(raw: Json, expected: dict[str, Json]) -> None:
    assert read_variables(raw, WHERE, "suite") == expected


def test_whole_files_are_found_beside_the_file_that_names_them(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "near.yaml").write_text("n: near\n")
    beside = Place("suite/data/tests.yaml", pointer=(0, "vars"))
    assert read_variables("near.yaml", beside, "suite") == {"n": "near"}
    assert read_variables("file://data/near.yaml", beside, "suite") == {"n": "near"}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("none.yaml", "suite/sageval.yaml: the file of `none.yaml` does not exist"),
        ("file://none-*.yaml", "suite/sageval.yaml: no file matches `file://none-*.yaml`"),
        ("text.txt", "suite/sageval.yaml: variables from `.txt` files are not supported: `suite/text.txt`"),
        ("list.yaml", "suite/list.yaml: the file must hold a map of variables, not a list"),
        (3, "suite/sageval.yaml: `vars` must be a map, not the number `3`"),
        ([3], "suite/sageval.yaml: `vars` must be a map of variables, or a path of a file of them, not the number `3`"),
    ],
)
def test_what_is_refused(raw: Json, message: str) -> None:
    assert refused(raw) == message


def built(transform: str, variables: dict[str, Json], forced: dict[str, Json] | None = None) -> TestCase:
    context = TestContext((), "suite", forced=forced or {})
    raw = {"vars": variables, "options": {"transformVars": transform}}
    return build_test(raw, Place("suite/sageval.yaml", pointer=("tests", 0)), context)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("({ twice: vars.n * 2 })", {"n": 2, "twice": 4}),
        ("{ ...vars, n: 7 }", {"n": 7}),
        ("const x = vars.n + 1;\nreturn { n: x, texts: ['a', 'b'] };", {"n": 3, "texts": ["a", "b"]}),
        ("file://double.py", {"n": 2, "twice": 4}),
        ("python: {'twice': vars['n'] * 2}", {"n": 2, "twice": 4}),
        ("{ text: 'file://text.txt' }", {"n": 2, "text": "hello"}),
        ("{ keys: Object.keys(context).join() }", {"n": 2, "keys": "prompt,uuid"}),
    ],
)
def test_variables_are_transformed(transform: str, expected: dict[str, Json]) -> None:
    assert built(transform, {"n": 2}).vars == expected


def test_what_a_transform_sees(folder: Path) -> None:
    (folder / "get.py").write_text("def get_var(name, prompt, vars):\n    return {'output': 'x'}\n")
    variables = {"text": "file://text.txt", "made": "file://get.py", "list": ["a", "b"], "n": 1}
    test = built("{ ...vars, n: JSON.stringify([vars.text, vars.made, vars.list, vars.n]) }", variables, {"n": 2})
    assert test.vars == {
        "text": "hello",
        "made": UserCode("file://get.py", "suite"),
        "list": ["a", "b"],
        "n": '["hello","file://get.py",["a","b"],2]',
    }


def test_the_transform_of_the_default_test_counts_unless_the_test_has_its_own() -> None:
    default = TestCase(options={"transformVars": UserCode("{ by: 'default' }")}, where=Place("d.yaml"))
    context = TestContext((), "suite", default)
    place = Place("t.yaml")
    assert build_test({"vars": {}}, place, context).vars == {"by": "default"}
    own = {"options": {"transformVars": "{ by: 'test' }"}}
    assert build_test(own, place, context).vars == {"by": "test"}


def test_the_same_test_has_the_same_uuid() -> None:
    def uuids(*lines: int) -> list[Any]:
        context = TestContext((), "suite", TestCase(options={"transformVars": UserCode("{ id: context.uuid }")}))
        return [build_test({"vars": {}}, Place("t.csv", line), context).vars["id"] for line in lines]

    first, again, other = uuids(2, 2, 3)
    assert first == again != other
    assert uuids(2) == [first]


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("vars.n", "`transformVars` must return a map of variables, not the number `2`"),
        ("const x = 1;\nreturn;", "`transformVars` must return a map of variables, not nothing"),
        ("python: None", "`transformVars` must return a map of variables, not nothing"),
        ("[vars]", "`transformVars` must return a map of variables, not a list"),
        ("{ text: 'file://none.txt' }", "the file of `file://none.txt` does not exist"),
    ],
)
def test_what_a_transform_may_not_return(transform: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(transform, {"n": 2})
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.where is not None
    assert problem.where.pointer[:4] == ("tests", 0, "options", "transformVars")


@pytest.mark.parametrize("transform", ["missing(vars)", "python: missing(vars)", "file://none.py", "}{"])
def test_a_transform_that_fails_is_an_error_at_its_key(transform: str) -> None:
    with pytest.raises(ConfigError) as caught:
        built(transform, {"n": 2})
    where = caught.value.problems[0].where
    assert where is not None
    assert where.pointer == ("tests", 0, "options", "transformVars")


def test_the_default_context_is_shared_by_copies() -> None:
    context = TestContext((), ".")
    assert replace(context, base_path="x").scenario_numbers is context.scenario_numbers
    assert math.isfinite(next(context.scenario_numbers))
