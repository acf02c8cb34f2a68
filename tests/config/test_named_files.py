"""A mistake in a file that another file names is told in that file."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.explaining import render_problems
from sagemaker_eval.config.loading import Overrides, load
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.errors import ConfigError

NAMES = KnownNames(("openai",), (), ("contains",), (".json",))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(files: dict[str, str]) -> str:
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        list(load(["sageval.yaml"], Overrides(), {}, NAMES, print).tests)
    return render_problems(caught.value)


def test_assertions_that_a_file_of_tests_names(tmp_path: Path) -> None:
    told = refused(
        {
            "sageval.yaml": "providers: [echo]\ntests: file://cases/all.yaml\n",
            "cases/all.yaml": "- vars: {a: 1}\n- assert: file://cases/checks.json\n",
            "cases/checks.json": '[{"type": "contains", "value": "a"},\n {"type": "contains", "vaule": "a"}]',
        }
    )
    assert told.startswith("cases/checks.json:2:23: unknown key `vaule` in an assertion\n")


def test_tests_that_a_file_of_tests_names(tmp_path: Path) -> None:
    told = refused(
        {
            "sageval.yaml": "providers: [echo]\ntests: file://all.yaml\n",
            "all.yaml": "- vars: {a: 1}\n- file://more.yaml\n",
            "more.yaml": "- vars: {a: 2}\n- vars: {a: 3}\n  assert: [{type: contian, value: a}]\n",
        }
    )
    assert told.startswith("more.yaml:3:19: unknown assertion type `contian`\n")


def test_the_config_that_a_file_of_providers_names(tmp_path: Path) -> None:
    told = refused(
        {
            "sageval.yaml": "providers: [file://providers.yaml]\n",
            "providers.yaml": "- id: sagemaker:openai:mine\n  config: file://limits.yaml\n",
            "limits.yaml": "temperature: 0\nmaxTokens: many\n",
        }
    )
    assert told.startswith("limits.yaml:2:12: `maxTokens` must be a whole number, not the text `many`")


def test_of_several_files_the_name_is_told(tmp_path: Path) -> None:
    told = refused(
        {
            "sageval.yaml": "providers: [echo]\ntests: file://all.yaml\n",
            "all.yaml": "- vars: {a: 1}\n  assert: file://checks-*.yaml\n",
            "checks-1.yaml": "- {type: contains, value: a}\n",
            "checks-2.yaml": "- {type: contians, value: a}\n",
        }
    )
    assert told.startswith("all.yaml:2:11: unknown assertion type `contians`\n")
