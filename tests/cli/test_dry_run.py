from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """\
prompts:
  - 'Name a {{thing}}'
  - '[{"role": "user", "content": "Name a {{thing}}"}]'
providers:
  - id: sagemaker:llama:big-llama
    config: {region: eu-west-1, maxTokens: 64, stopSequences: ['###']}
  - {id: 'sagemaker:openai:chat', config: {region: eu-west-1}}
  - echo
tests: [{vars: {thing: [tea, "quoted \\"cup\\""]}}]
"""


def test_the_first_requests_are_shown_and_nothing_is_sent(
    cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None]
) -> None:
    sandbox = serve()
    cli.write("run.yaml", CONFIG)
    ran = cli.eval("-c", "run.yaml", "--dry-run", "-o", "out.json")
    assert (ran.code, ran.err, sandbox.count()) == (0, "", 0)
    matches_golden("dry_run/requests.txt", ran.out)
    assert [path.name for path in cli.folder.iterdir()] == ["run.yaml"]
    assert {path.name for path in cli.folder.parent.iterdir()} == {"home", "work"}


def test_no_credentials_are_needed(cli: Cli) -> None:
    ran = cli.eval("-p", "Hi", "-r", "sagemaker:llama:big", "--dry-run")
    assert ran.code == 0
    assert "POST https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/big/invocations" in ran.out
    assert "no AWS region is configured: using us-east-1" in ran.err


def test_a_prompt_without_a_request_is_shown_as_it_is(cli: Cli, matches_golden: Callable[[str, str], None]) -> None:
    ran = cli.eval("-p", "Hi {{x}}", "-r", "echo", "--var", "x=you", "--dry-run")
    matches_golden("dry_run/echo.txt", ran.out)


def test_a_prompt_that_cannot_become_a_request_is_a_problem_of_its_test(
    cli: Cli, matches_golden: Callable[[str, str], None]
) -> None:
    cli.write(
        "run.yaml",
        "prompts: ['{{x}}']\nproviders: ['sagemaker:anthropic:claude']\n"
        'tests:\n  - vars: {x: plain}\n  - vars: {x: \'[{"role": "user"}]\'}\n',
    )
    ran = cli.eval("-c", "run.yaml", "--dry-run", "--sandbox")
    matches_golden("dry_run/problem.txt", ran.err)
    assert ran.code == 2
