"""Which files the values of variables may choose: those below the folder of the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sagemaker_eval.config.loading import load
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Suite
from tests.config.conftest import NAMES

KNOWN = replace(NAMES, assertions=("contains", "equals", "is-json", "javascript"), outputs=(".json",))


@pytest.fixture
def suite_folder(tmp_path: Path) -> Path:
    """The folder of a configuration, with files in it and others around it."""
    folder = tmp_path / "suite"
    (folder / "data").mkdir(parents=True)
    for place in (tmp_path, folder / "data"):
        (place / "text.txt").write_text("the text")
        (place / "tests.csv").write_text("x\n1\n")
        (place / "tests.yaml").write_text("- vars: {x: 1}\n")
        (place / "test.yaml").write_text("vars: {x: 1}\n")
        (place / "provider.yaml").write_text("id: echo\nlabel: another\n")
        (place / "provider.py").write_text("def call_api(prompt, options, context): return {'output': prompt}\n")
        (place / "filter.js").write_text("module.exports = (text) => text\n")
        (place / "variables.env").write_text("A=1\n")
    return folder


def loaded(folder: Path, document: Mapping[str, Json], environ: Mapping[str, str]) -> Suite:
    whole = {"providers": ["echo"], "prompts": ["Say {{x}}"], **document}
    (folder / "sageval.yaml").write_text(json.dumps(whole))
    return load([str(folder / "sageval.yaml")], Overrides(), environ, KNOWN, lambda notice: None)


USES: dict[str, Mapping[str, Json]] = {
    "variable": {"tests": [{"vars": {"x": "file://{{env.DIR}}/text.txt"}}]},
    "variable of a list": {"tests": [{"vars": {"x": ["file://{{env.DIR}}/*.txt"]}}]},
    "variables": {"tests": [{"vars": "{{env.DIR}}/test.yaml"}]},
    "assertion": {"tests": [{"assert": [{"type": "contains", "value": "file://{{env.DIR}}/text.txt"}]}]},
    "tests": {"tests": "{{env.DIR}}/tests.csv"},
    "list of tests": {"tests": ["file://{{env.DIR}}/tests.{yaml,csv}"]},
    "default test": {"defaultTest": "file://{{env.DIR}}/test.yaml"},
    "prompt": {"prompts": ["file://{{env.DIR}}/text.txt"]},
    "prompt without a prefix": {"prompts": ["{{env.DIR}}/text.txt"]},
    "provider file": {"providers": ["file://{{env.DIR}}/provider.yaml"]},
    "provider in Python": {"providers": ["python:{{env.DIR}}/provider.py"]},
    "env of a provider": {"providers": [{"id": "file://{{env.OWN}}/provider.py", "env": {"OWN": "{{env.DIR}}"}}]},
    "filter": {"nunjucksFilters": {"same": "{{env.DIR}}/filter.js"}},
    "env files": {"commandLineOptions": {"envPath": "data/variables.env,{{env.DIR}}/variables.env"}},
}


@pytest.mark.parametrize("use", USES)
def test_a_variable_chooses_among_the_files_of_the_suite(suite_folder: Path, use: str) -> None:
    assert loaded(suite_folder, USES[use], {"DIR": "data"}).providers


@pytest.mark.parametrize("way_out", ["..", "data/../..", "{absolute}", "data/way-out"])
@pytest.mark.parametrize("use", USES)
def test_a_variable_leads_nowhere_else(suite_folder: Path, use: str, way_out: str) -> None:
    (suite_folder / "data" / "way-out").symlink_to(suite_folder.parent)

    with pytest.raises(ConfigError) as refused:
        loaded(suite_folder, USES[use], {"DIR": way_out.format(absolute=suite_folder.parent)})

    assert "is outside the folder of the configuration" in refused.value.problems[0].message
    assert str(suite_folder) in str(refused.value.problems[0].hint)


@pytest.mark.parametrize("use", USES)
def test_a_path_that_is_written_may_lead_anywhere(suite_folder: Path, use: str) -> None:
    written = json.loads(json.dumps(USES[use]).replace("{{env.DIR}}", "..").replace("{{env.OWN}}", ".."))

    assert loaded(suite_folder, written, {}).providers


@pytest.mark.parametrize(
    "code",
    [
        "({x: 'file:///etc/' + 'hostname'})",
        "({x: ['file://' + '../text.txt']})",
        "({...vars, y: 'file://data/../../text.txt'})",
    ],
)
def test_javascript_leads_nowhere_else(suite_folder: Path, code: str) -> None:
    tests: Json = [{"vars": {"x": 1}, "options": {"transformVars": code}}]

    with pytest.raises(ConfigError, match="is outside the folder of the configuration"):
        loaded(suite_folder, {"tests": tests}, {})


def test_tests_that_javascript_made_lead_nowhere_else(suite_folder: Path) -> None:
    made = "[{vars: {x: 'file://../text.txt'}}, {vars: {x: 'file://data/text.txt'}}]"
    (suite_folder / "tests.js").write_text(f"module.exports = () => {made}\n")

    with pytest.raises(ConfigError, match=r"`file://\.\./text\.txt` is outside") as refused:
        loaded(suite_folder, {"tests": "file://tests.js"}, {})
    assert len(refused.value.problems) == 1


def test_python_is_trusted(suite_folder: Path) -> None:
    (suite_folder / "made.py").write_text("def generate_tests(): return [{'vars': {'x': 'file://../text.txt'}}]\n")

    (test,) = loaded(suite_folder, {"tests": "file://made.py"}, {}).tests
    assert test.vars == {"x": "the text"}


def test_a_value_that_is_no_path_is_not_one(suite_folder: Path) -> None:
    suite = loaded(
        suite_folder, {"prompts": ["{{env.TEXT}}"], "tests": [{"vars": {"x": "{{env.TEXT}}"}}]}, {"TEXT": "../ or /"}
    )

    assert suite.prompts[0].raw == "../ or /"
