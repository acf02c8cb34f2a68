"""`sageval init`: the files of a first evaluation, which run as they are."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.cli.starter import EMBEDDING, SCHEMA

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

MODEL_TYPES = (*known_names().formats, EMBEDDING)


@pytest.mark.parametrize("endpoint", ["my-endpoint", "Prod-LLM-2"])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_what_is_written_is_valid_and_passes_on_the_sandbox(cli: Cli, model_type: str, endpoint: str) -> None:
    assert cli("init", "--model-type", model_type, "--endpoint", endpoint, "--region", "eu-west-1").code == 0
    assert cli("validate", "--strict").code == 0
    ran = cli.eval("--sandbox", "-o", "out.json")
    assert ran.code == 0, ran.out
    rows = cli.rows()
    assert {row["provider"]["id"] for row in rows} == {f"sagemaker:{model_type}:{endpoint}"}
    assert all(row["gradingResult"]["componentResults"] for row in rows)
    config = yaml.safe_load((cli.folder / "sageval.yaml").read_text("utf-8"))
    assert config["providers"][0]["config"]["region"] == "eu-west-1"


def test_without_a_terminal_and_options_there_are_defaults(cli: Cli) -> None:
    command = [sys.executable, "-m", "sagemaker_eval", "init", "new/place"]
    ran = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[:3] == [
        "wrote new/place/sageval.yaml",
        "wrote new/place/prompts/plain.txt",
        "wrote new/place/prompts/briefed.txt",
    ]
    assert "sageval eval -c new/place --sandbox" in ran.stdout
    text = (cli.folder / "new/place/sageval.yaml").read_text("utf-8")
    assert "- id: sagemaker:openai:my-endpoint\n" in text
    assert "# region: us-east-1 " in text


def test_the_region_of_the_environment_is_taken(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "ap-south-1")
    assert cli("init").code == 0
    assert "region: ap-south-1\n" in (cli.folder / "sageval.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", ["sageval.yaml", "prompts/plain.txt"])
def test_nothing_is_replaced_without_force(cli: Cli, name: str) -> None:
    mine = cli.write(name, "mine")
    ran = cli("init")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"`{name}` is there already\n  `--force` replaces it\n"
    assert files_below(cli.folder) == {name}
    assert mine.read_text("utf-8") == "mine"

    assert cli("init", "--force").code == 0
    assert mine.read_text("utf-8") != "mine"


def test_options_that_cannot_be_used_are_all_told(cli: Cli) -> None:
    ran = cli("init", "--model-type", "lama", "--endpoint", "my_endpoint", "--region", "Frankfurt am Main")
    assert (ran.code, ran.out) == (2, "")
    assert "--model-type: unknown model type `lama`\n  did you mean `llama`?" in ran.err
    assert "must be an endpoint's name" in ran.err
    assert "must be the name of an AWS region" in ran.err
    assert files_below(cli.folder) == set()


def test_the_editor_is_pointed_at_a_schema_only_where_there_is_one(cli: Cli) -> None:
    assert cli("init").code == 0
    lines = (cli.folder / "sageval.yaml").read_text("utf-8").splitlines()
    assert not any(line.startswith("# yaml-language-server:") for line in lines)

    assert cli("schema", "-o", str(SCHEMA)).code == 0
    assert cli("init", "--force").code == 0
    first = (cli.folder / "sageval.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=sageval.schema.json"
    assert cli("validate").code == 0


def test_a_folder_that_cannot_be_made_is_said(cli: Cli) -> None:
    cli.write("file", "")
    ran = cli("init", "file/below")
    assert ran.code == 2
    assert "cannot write `file/below/sageval.yaml`" in ran.err


def test_at_a_terminal_it_asks_until_the_answers_can_be_used(cli: Cli) -> None:
    said, code = at_a_terminal(
        ["init"],
        {"Model type": "lama\n", "unknown model type `lama`": "llama\n", "Name of the": "my_llama\n"}
        | {"must be an endpoint's name": "my-llama\n", "AWS region": "\n"},
    )
    assert code == 0, said
    text = (cli.folder / "sageval.yaml").read_text("utf-8")
    assert "- id: sagemaker:llama:my-llama\n" in text


def test_what_options_say_is_not_asked(cli: Cli) -> None:
    said, code = at_a_terminal(["init", "--model-type", "custom", "--region", "us-east-1"], {"Name of the": "\n"})
    assert code == 0
    assert "Model type" not in said and "AWS region" not in said


def at_a_terminal(arguments: list[str], answers: dict[str, str]) -> tuple[str, int]:
    """What the command says at a terminal and its exit code; each answer is given once its question was asked."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sagemaker_eval", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said, heard = "", 0
        pending = dict(answers)
        while chunk := _read(ours):
            said += chunk
            for question, answer in list(pending.items()):
                at = said.find(question, heard)
                if at >= 0 and said[at:].rstrip().endswith(("]:", "):")):
                    heard = len(said)
                    os.write(ours, answer.encode())
                    del pending[question]
        code = process.wait(timeout=30)
    os.close(ours)
    assert pending == {}
    return said, code


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 1024).decode()
    except OSError:  # what Linux says once the other side is closed
        return ""


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
