from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.environment import applied, build_environ, config_env, render_env
from sagemaker_eval.errors import ConfigError


def env_file(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content)
    return str(folder / name)


def test_the_default_file_never_overrides(tmp_path: Path) -> None:
    default = env_file(tmp_path, ".env", "A=file\nB=file\nC=file\n")
    assert build_environ({"A": "process", "B": ""}, [], default) == {"A": "process", "B": "", "C": "file"}


def test_named_files_override_in_order(tmp_path: Path) -> None:
    default = env_file(tmp_path, ".env", "A=default\nD=default\n")
    one, two = env_file(tmp_path, "one.env", "A=1\nB=1\n"), env_file(tmp_path, "two.env", "B=2\n")
    expected = {"A": "1", "B": "2", "C": "process", "D": "default"}
    process = {"A": "process", "B": "process", "C": "process"}
    assert build_environ(process, [one, two], default) == expected
    assert build_environ(process, [f"{one},{two}"], default) == expected


def test_the_default_file_may_be_missing_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    for default in (None, str(tmp_path / ".env"), str(tmp_path / "venv")):
        assert build_environ({"A": "1"}, [], default) == {"A": "1"}


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.env: file not found"):
        build_environ({}, [str(tmp_path / "missing.env")], None)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{{ env.A }}", "a"),
        ("{{env.A}}-{{ env['A'] }}-{{env[\"B-C\"]}}", "a-a-bc"),
        ("{{ env.A | upper }}", "A"),
        ("{{ env.NONE }}", "{{ env.NONE }}"),
        ("{{ env.NONE | default('x') }}", "x"),
        ("{{ env.NONE or env.A }}", "a"),
        ("{{ question }} {{ env.A }} {% if x %}", "{{ question }} a {% if x %}"),
        ("{{ question | upper }}", "{{ question | upper }}"),
        ("{{ myenv.A }} {{ vars.env.A }}", "{{ myenv.A }} {{ vars.env.A }}"),
        ("{{\n  env.A\n}}", "a"),
        ("{{ env.A == 'a' }}{{ env.A.nothing }}", "true"),
        ("{{ env.items }}{{ env.EMPTY }}", "things"),
        ("env.A {env.A} {{", "env.A {env.A} {{"),
        ("{{ env.A }}\n", "a\n"),
    ],
)
def test_fragments_that_name_a_variable_are_rendered(text: str, rendered: str) -> None:
    environ = {"A": "a", "B-C": "bc", "items": "things", "EMPTY": ""}
    assert render_env(text, environ) == rendered


def test_values_are_rendered_everywhere_and_keys_nowhere() -> None:
    document = {"{{env.A}}": [1, None, {"x": "{{env.A}}"}], "y": True}
    assert render_env(document, {"A": "a"}) == {"{{env.A}}": [1, None, {"x": "a"}], "y": True}


def test_values_of_variables_are_not_templates() -> None:
    assert render_env("{{env.A}}", {"A": "{{env.B}} <&>", "B": "b"}) == "{{env.B}} <&>"


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_document_without_variables_stays_as_it_is(document: Any) -> None:
    assert render_env(document, {"A": "a"}) is document


@pytest.mark.parametrize(
    "fragment", ["{{ env.A | nothing }}", "{{ env.A + }}", "{{ 1 / 0 ~ env.A }}", "{{ env.A.__class__.__mro__ }}"]
)
def test_a_fragment_that_fails_is_named(fragment: str) -> None:
    with pytest.raises(ConfigError) as caught:
        render_env({"providers": [{"id": fragment}]}, {"A": "a"}, "f.yaml")
    (problem,) = caught.value.problems
    assert problem.message.startswith(f"`{fragment}` cannot be rendered: ")
    assert problem.where is not None
    assert (problem.where.path, problem.where.pointer) == ("f.yaml", ("providers", 0, "id"))


def test_jinja_is_not_imported_for_plain_configurations() -> None:
    script = (
        "import sys; from sagemaker_eval.config.environment import render_env;"
        "render_env({'a': '{{ question }}'}, {}); sys.exit('jinja2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_the_env_of_a_configuration_becomes_text() -> None:
    document = {"env": {"TEXT": "{{env.HOME}}/x", "LATER": "{{env.TEXT}}", "N": 8, "F": 1.0, "B": True, "NULL": None}}
    rendered = config_env(document, {"HOME": "/me", "NULL": "kept"})
    assert rendered == {"TEXT": "/me/x", "LATER": "{{env.TEXT}}", "N": "8", "F": "1", "B": "true"}


@pytest.mark.parametrize("document", [{}, {"env": None}, {"env": {}}])
def test_a_configuration_without_env(document: dict[str, Any]) -> None:
    assert config_env(document, {"A": "1"}) == {}


@pytest.mark.parametrize(
    ("env", "words", "pointer"),
    [
        ([], "not a map", ("env",)),
        ({"A": [1]}, "the value of `A` is not text", ("env", "A")),
        ({"A=B": "x"}, "no environment can hold the variable `A=B`", ("env", "A=B")),
        ({"A": "x\0"}, "no environment can hold the variable `A`", ("env", "A")),
    ],
)
def test_what_no_environment_can_hold(env: Any, words: str, pointer: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        config_env({"env": env}, {}, "f.yaml")
    where = caught.value.problems[0].where
    assert where is not None
    assert where.pointer == pointer


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.delenv("NEW", raising=False)
    before = dict(os.environ)
    with applied({"KEPT": "during", "NEW": "1"}):
        assert dict(os.environ) == {"KEPT": "during", "NEW": "1"}
    assert dict(os.environ) == before
    with pytest.raises(KeyError), applied({"NEW": "1"}):
        raise KeyError
    assert dict(os.environ) == before
