"""docs/results.md names every field of the documents, and what the command line ends with."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_eval.cli import exit_codes
from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.docs.conftest import Cli

PAGE = (Path(__file__).parents[2] / "docs" / "results.md").read_text("utf-8")
RUN = ("eval", "-c", "examples/ci-gate/sageval.yaml", "--sandbox-script", "examples/ci-gate/sandbox.yaml")


def missing(*objects: dict[str, Json]) -> list[str]:
    """The keys of the objects that the page has neither alone nor at the end of a path, in backticks."""
    return [key for each in objects for key in each if f"`{key}`" not in PAGE and f".{key}`" not in PAGE]


def test_every_field_of_the_result_document_is_documented(cli: Cli) -> None:
    cli(*RUN, "-o", "out.json")
    document = json.loads((cli.folder / "out.json").read_text("utf-8"))
    results = document.pop("results")
    row, prompt = results.pop("results")[0], results.pop("prompts")[0]
    assert missing(document, document["metadata"], document["runtimeOptions"], results, results["stats"]) == []
    assert missing(prompt, prompt["metrics"]) == []
    grading = row["gradingResult"]
    parts = (row["response"], row["response"]["metadata"], row["tokenUsage"], row["timings"], grading)
    assert missing(row, *parts, *grading["componentResults"]) == []


STREAMED = """\
providers:
  - {id: sagemaker:openai:geo, config: {stream: true, instanceHourlyUsd: 1}}
prompts: ['Where is {{city}}?']
tests: [{vars: {city: [Lima, Oslo, Quito, Bern, Riga, Cairo, Delhi, Seoul]}}]
"""


def test_what_streams_variants_and_endpoints_add_is_documented(cli: Cli) -> None:
    (cli.folder / "run.yaml").write_text(STREAMED, "utf-8")
    (cli.folder / "sandbox.yaml").write_text("endpoints: {geo: {variants: {blue: 1, green: 1}}}", "utf-8")
    cli("eval", "-c", "run.yaml", "--sandbox-script", "sandbox.yaml", "-o", "out.json")
    results = json.loads((cli.folder / "out.json").read_text("utf-8"))["results"]
    row, metrics = results["results"][0], results["prompts"][0]["metrics"]
    assert metrics["variants"].keys() == {"blue", "green"}
    assert missing(row["timings"], row["response"]["metadata"], metrics["firstTokenMs"]) == []
    assert missing(*results["stats"]["endpoints"]) == []


def test_every_column_of_the_csv_is_documented(cli: Cli) -> None:
    cli(*RUN, "-o", "out.csv")
    with (cli.folder / "out.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    fixed = [name for name in header if name not in {"country", "capital"} and not name.startswith("[Geography]")]
    assert [name for name in fixed if f"`{name}`" not in PAGE] == []


def test_every_exit_code_is_documented() -> None:
    codes = [code for name, code in vars(exit_codes).items() if name.isupper() and isinstance(code, int)]
    assert len(codes) == 6
    assert [code for code in codes if f"| {code} |" not in PAGE] == []
