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


def test_a_dry_run_tells_what_the_run_would_take(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    """Half of the answers are in the cache already, and tell how long the others will take."""
    sandbox = serve("endpoints: {'*': {latency: 50}}")
    cli.write(
        "run.yaml",
        "prompts: ['{{x}}']\nproviders: [{id: 'sagemaker:e', delay: 3600000, config: {instanceHourlyUsd: 2}}]\n"
        "tests: [{vars: {x: [a, b]}}, {vars: {x: c}}, {vars: {x: d}}]\n",
    )
    assert cli.eval("-c", "run.yaml", "--filter-first-n", "1", "--filter-range", "1:2").code == 0
    ran = cli.eval("-c", "run.yaml", "--dry-run")
    assert ran.code == 0
    assert "calls: 3, 1 answer in the cache; those of graders are not counted" in ran.out
    assert "time: about 2 h 0 min, by the latency of the answers in the cache" in ran.out
    assert "cost: about $4.00 for one instance of each endpoint with `instanceHourlyUsd`" in ran.out
    assert sandbox.count() == 1


def test_what_nothing_tells_is_not_estimated(cli: Cli) -> None:
    ran = cli.eval("-p", "Hi", "-r", "sagemaker:e", "--dry-run", "--no-cache", "--sandbox")
    assert "calls: 1, the cache is off" in ran.out
    assert "time: not known for `sagemaker:e`: no answer in the cache tells how long one takes" in ran.out
    assert "cost: not known: no provider has `instanceHourlyUsd`" in ran.out
