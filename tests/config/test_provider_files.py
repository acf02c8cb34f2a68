"""`file://providers.yaml`: providers of files in their place, and files that stand for values of their `config`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sagemaker_eval.config.explaining import located
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.providers import ProviderContext, build_provider, build_providers
from sagemaker_eval.config.schema import SageMakerEnvironment
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place, ProviderSpec, UserCode

NAMES = KnownNames(formats=("custom", "openai"), embedding_formats=("custom",), assertions=(), outputs=())
WHERE = Place("run.yaml", pointer=("providers",))

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file below the working folder, which is that of the configuration."""
    monkeypatch.chdir(tmp_path)

    def new_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return new_file


CONTEXT = ProviderContext(NAMES, SageMakerEnvironment(), ".", None, lambda notice: None, {"NAME": "mine"})


def ids(*source: Json) -> list[str]:
    return [spec.id for spec in built(*source)]


def built(*source: Json) -> tuple[ProviderSpec, ...]:
    return build_providers(list(source), WHERE, CONTEXT)


def refused(*source: Json) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        built(*source)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.yaml", "- sagemaker:one\n- {id: 'sagemaker:two'}\n- 'sagemaker:three': {}\n"),
        ("p.yml", "[sagemaker:one, sagemaker:two, sagemaker:three]"),
        ("p.json", '["sagemaker:one", {"id": "sagemaker:two"}, {"sagemaker:three": null}]'),
    ],
)
def test_a_list_expands_in_place(write: Write, name: str, text: str) -> None:
    write(name, text)

    assert ids("echo", f"file://{name}", "sagemaker:last") == [
        "echo",
        "sagemaker:one",
        "sagemaker:two",
        "sagemaker:three",
        "sagemaker:last",
    ]


@pytest.mark.parametrize("text", ["id: sagemaker:one\nlabel: One\n", "'sagemaker:one': {label: One}\n"])
def test_one_provider_needs_no_list(write: Write, text: str) -> None:
    write("p.yaml", text)

    (spec,) = built("file://p.yaml")
    assert (spec.id, spec.label, spec.where) == ("sagemaker:one", "One", Place("p.yaml"))


def test_the_files_of_a_pattern_come_sorted(write: Write) -> None:
    for name in ("b", "a"):
        write(f"all/{name}.yaml", f"sagemaker:{name}")

    assert ids("file://all/*.yaml") == ids("file://all/*.{yaml,json}") == ["sagemaker:a", "sagemaker:b"]


def test_a_file_may_name_further_files_but_not_itself(write: Write) -> None:
    write("all/outer.yaml", "[echo, 'file://all/inner.yaml']")
    inner = write("all/inner.yaml", "[sagemaker:inner]")
    assert ids("file://all/outer.yaml") == ["echo", "sagemaker:inner"]

    inner.write_text("['file://all/outer.yaml']")
    (problem,) = refused("file://all/outer.yaml")
    assert problem.message == "`file://all/outer.yaml` leads back to the file that it stands in"
    assert problem.where == Place("all/inner.yaml", pointer=(0,))


def test_problems_have_the_lines_of_the_file(write: Write) -> None:
    write("p.yaml", "- sagemaker:one\n- id: sagemaker:two\n  lable: x\n- id: sagemaker:opena:three\n")

    places = [str(located(problem)) for problem in refused("file://p.yaml", "bogus")]
    assert places == ["p.yaml:3:3", "p.yaml:4:7", "run.yaml"]


def test_the_environment_is_rendered_in_files(write: Write) -> None:
    write("p.yaml", "- sagemaker:{{env.NAME}}\n- {id: 'sagemaker:{{env.OWN}}', env: {OWN: theirs}}\n")

    assert ids("file://p.yaml") == ["sagemaker:mine", "sagemaker:theirs"]


def test_files_stand_for_values_of_the_config_relative_to_the_configuration(write: Write) -> None:
    write("sub/p.yaml", "id: python:p.py\nconfig: {schema: 'file://sub/s.json', all: ['file://t.txt'], n: 1}\n")
    write("sub/s.json", '{"type": "object"}')
    write("t.txt", "words\n")

    assert built("file://sub/p.yaml")[0].options.config == {"schema": {"type": "object"}, "all": ["words\n"], "n": 1}


def test_a_whole_config_may_be_a_file(write: Write) -> None:
    write("p.yaml", "id: sagemaker:one\nconfig: file://c.yaml\n")
    write("c.yaml", "maxTokens: 9\n")

    assert built("file://p.yaml")[0].options.sampling.max_tokens == 9


def test_scripts_of_a_config_stay_what_they_are(write: Write) -> None:
    write("p.yaml", "id: sagemaker:one\nconfig: {transform: 'file://t.js', responseFormat: {path: 'file://r.py'}}\n")

    (spec,) = built("file://p.yaml")
    assert spec.options.transform == UserCode("file://t.js", ".")
    assert spec.options.response_path == "file://r.py"


def test_a_provider_in_python_reads_files_wherever_it_is_written(write: Write) -> None:
    write("data.csv", "word\ntea\ncoffee\n")

    (spec,) = built({"id": "python:p.py", "config": {"words": "file://data.csv"}})
    assert spec.options.config == {"words": ["tea", "coffee"]}


def test_scripts_are_not_run_for_the_config_of_a_provider_in_python() -> None:
    (problem,) = refused({"id": "python:p.py", "config": {"size": "file://size.py:get"}})

    assert problem.message == "`file://size.py:get`: scripts are not run in the `config` of a provider"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file holds no providers"),
        ("[]", "the file holds no providers"),
        ("7", "must be an id or a map, not the number `7`"),
        ("providers: [echo]", "`id` is missing in a provider"),
    ],
)
def test_files_without_providers(write: Write, text: str, message: str) -> None:
    write("p.yaml", text)

    assert message in " ".join(problem.message for problem in refused("file://p.yaml"))


def test_a_pattern_that_matches_nothing_or_something_else(write: Write) -> None:
    write("all/notes.md", "")

    assert [problem.message for problem in refused("file://all/*", "file://none/*.yaml")] == [
        "a file of providers ends in `.yaml`, `.yml` or `.json`",
        "no file matches `file://none/*.yaml`",
    ]


def test_where_one_provider_is_needed_a_file_must_hold_one(write: Write) -> None:
    write("one.yaml", "[sagemaker:one]")
    write("two.yaml", "[sagemaker:one, sagemaker:two]")

    assert build_provider("file://one.yaml", WHERE, CONTEXT).id == "sagemaker:one"
    with pytest.raises(ConfigError, match=r"`file://two\.yaml` holds 2 providers where one is needed"):
        build_provider("file://two.yaml", WHERE, CONTEXT)
