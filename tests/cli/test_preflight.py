"""What a run learns of its endpoints before the first call, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.server import Sandbox
from tests.cli.conftest import Cli

ONE = "prompts: ['{{x}}']\nproviders: [%s]\ntests: [{vars: {x: [a, b]}}]\n"


def test_an_endpoint_that_is_not_in_service_is_told_before_anything_is_paid_for(
    cli: Cli, serve: Callable[..., Sandbox]
) -> None:
    sandbox = serve("endpoints: {e: {deployment: {status: Failed, failureReason: no capacity}}}", described=True)
    cli.write("run.yaml", ONE % "sagemaker:openai:e")
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (2, 0)
    assert "`e`" in ran.err and "Failed" in ran.err and "no capacity" in ran.err


def test_the_only_component_of_an_endpoint_is_chosen_and_that_is_said(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {deployment: {components: [llama]}}}", described=True)
    cli.write("run.yaml", ONE % "sagemaker:openai:e")
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (0, 2)
    assert "`llama`" in ran.err
    asked = [request.headers for request in sandbox.requests if request.endpoint]
    assert {headers["x-amzn-sagemaker-inference-component"] for headers in asked} == {"llama"}


def test_several_components_are_listed_where_none_is_named(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {deployment: {components: [llama, mistral]}}}", described=True)
    cli.write("run.yaml", ONE % "sagemaker:openai:e")
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (2, 0)
    assert "inferenceComponentName" in ran.err and "`llama`" in ran.err and "`mistral`" in ran.err


def test_an_async_endpoint_needs_async(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {deployment: {async: {}}}}", described=True)
    cli.write("run.yaml", ONE % "sagemaker:openai:e")
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (2, 0)
    assert "async" in ran.err


def test_one_who_may_not_describe_runs_all_the_same(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {deployment: {denied: [DescribeEndpoint]}}}", described=True)
    cli.write("run.yaml", ONE % "sagemaker:openai:e")
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (0, 2)
    assert "sagemaker:DescribeEndpoint" in ran.err


def test_a_redeployed_endpoint_is_asked_anew(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deployed is part of the key; where it cannot be described any more, what was known last counts."""
    cli.write("run.yaml", ONE % "sagemaker:openai:e")
    port = 0
    stories = (
        ("image: 'account/vllm:1'", 2),
        ("image: 'account/vllm:1'", 0),
        ("image: 'account/vllm:2'", 2),
        ("denied: [DescribeEndpoint]", 0),
        ("image: 'account/vllm:1'", 0),
    )
    for deployment, calls in stories:
        script = f"endpoints: {{e: {{deployment: {{{deployment}}}}}}}"
        parsed = SandboxScript.parse(parse_yaml(script, "script.yaml"), "script.yaml")
        with Sandbox(parsed, port=port) as sandbox:
            port = sandbox.port
            for name, value in sandbox.environment().items():
                monkeypatch.setenv(name, value)
            assert cli.eval("-c", "run.yaml").code == 0
            assert (deployment, sandbox.count()) == (deployment, calls)


def test_a_revision_of_the_users_own_asks_anew(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    for revision, calls in (("one", 2), ("one", 2), ("two", 4), ("one", 4)):
        cli.write("run.yaml", ONE % f"{{id: 'sagemaker:openai:e', config: {{revision: {revision}}}}}")
        assert cli.eval("-c", "run.yaml").code == 0
        assert sandbox.count() == calls
