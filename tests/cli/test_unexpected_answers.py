"""Answers in which the text is not where it was looked for: an error on the case, with what would help."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

ONE_ODD_ANSWER = """\
endpoints:
  '*':
    answers:
      - {pattern: odd, body: {result: {text: 'hidden here', tokens: 3}}}
      - {pattern: '', body: {generated_text: 'plain'}}
"""


@pytest.fixture
def odd(cli: Cli, serve: Callable[..., Sandbox]) -> Callable[[str, str], Cli]:
    """A sandbox with one odd answer, and a run of two cases that meets it."""

    def prepare(provider: str, top_level: str = "") -> Cli:
        serve(ONE_ODD_ANSWER)
        cli.write(
            "run.yaml",
            "prompts: ['An {{x}} one']\n"
            f"providers: [{provider}]\n"
            f"tests: [{{vars: {{x: [odd, even]}}}}]\n{top_level}",
        )
        return cli

    return prepare


def test_an_unexpected_shape_suggests_paths_and_the_run_goes_on(
    odd: Callable[..., Cli], matches_golden: Callable[[str, str], None]
) -> None:
    cli = odd("sagemaker:huggingface:e")
    ran = cli.eval("-c", "run.yaml", "--no-table", "-o", "out.json")
    assert ran.code == 3
    wrong, right = cli.rows()
    assert right["response"]["output"] == "plain"
    assert (wrong["errorKind"], wrong["failureReason"]) == ("extraction", 2)
    matches_golden("unexpected/shape.txt", f"{wrong['error']}\n{wrong['hint']}\n")


def test_a_path_that_misses_names_itself_the_keys_and_the_nearest_path(
    odd: Callable[..., Cli], matches_golden: Callable[[str, str], None]
) -> None:
    cli = odd("{id: 'sagemaker:e', config: {responseFormat: {path: $.result.texts}}}")
    ran = cli.eval("-c", "run.yaml", "--no-table", "-o", "out.json")
    assert ran.code == 3
    errors = "".join(f"{row['error']}\n{row['hint']}\n" for row in cli.rows())
    matches_golden("unexpected/path.txt", errors)


def test_errors_up_to_the_allowed_share_leave_the_verdict_to_the_pass_rate(odd: Callable[..., Cli]) -> None:
    cli = odd("sagemaker:huggingface:e", "defaultTest: {assert: [{type: equals, value: plain}]}\nmaxErrorRate: 0.5")
    assert cli.eval("-c", "run.yaml").code == 0
    cli = odd("sagemaker:huggingface:e", "defaultTest: {assert: [{type: equals, value: other}]}\nmaxErrorRate: 1")
    assert cli.eval("-c", "run.yaml").code == 1
    cli = odd("sagemaker:huggingface:e", "maxErrorRate: 0.49")
    assert cli.eval("-c", "run.yaml").code == 3


def test_the_table_shows_the_error_in_its_cell(
    odd: Callable[..., Cli], matches_golden: Callable[[str, str], None]
) -> None:
    cli = odd("sagemaker:huggingface:e")
    table, _, _ = cli.eval("-c", "run.yaml").out.partition("\n\n")
    matches_golden("unexpected/table.txt", f"{table}\n")


def test_a_failed_batch_says_what_to_check(
    cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None]
) -> None:
    serve("endpoints: {'*': {faults: {batchFailed: 1}}}")
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [{id: 'sagemaker:huggingface:e', config: {maxRetries: 0}}]")
    assert cli.eval("-c", "run.yaml", "--no-table", "-o", "out.json").code == 3
    (row,) = cli.rows()
    matches_golden("unexpected/batch.txt", f"{row['error']}\n{row['hint']}\n")


def test_an_error_of_the_container_shows_its_message_and_its_log(
    cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None]
) -> None:
    serve("endpoints: {'*': {faults: {modelError: {share: 1, message: 'CUDA out of memory'}}}}")
    cli.write(
        "run.yaml",
        "prompts: [Hi]\nproviders: [{id: 'sagemaker:huggingface:e', config: {maxRetries: 0, region: eu-west-1}}]",
    )
    assert cli.eval("-c", "run.yaml", "--no-table", "-o", "out.json").code == 3
    (row,) = cli.rows()
    matches_golden("unexpected/model_error.txt", f"{row['error']}\n{row['hint']}\n")
