from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.session import Target, Targets, static_target
from sagemaker_eval.sagemaker.transport import ConnectionPool

KEYS = StaticKeys("AKIAEXAMPLE", "a secret", "a token")


def target(port: int = 1, identity: str = "sandbox:1") -> Target:
    return static_target(f"http://127.0.0.1:{port}", "us-east-1", identity, "id", "secret")


@pytest.fixture
def new_services(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Services]:
    """Services of a run in an environment that says nothing of AWS."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def build(sandbox: Target | None = None) -> Services:
        return Services(ConnectionPool(1), Targets({}, lambda message: None), sandbox=sandbox)

    return build


def test_the_sandbox_is_the_target_of_every_provider(new_services: Callable[..., Services]) -> None:
    sandbox = target()
    services = new_services(sandbox)
    assert services.target(AwsSettings(region="nonsense", profile="nobody")) is sandbox


def test_answers_of_the_sandbox_do_not_depend_on_its_port(new_services: Callable[..., Services]) -> None:
    first, second = target(1), target(2)
    assert new_services(first).address(first) == new_services(second).address(second)


def test_elsewhere_the_whole_url_counts(new_services: Callable[..., Services]) -> None:
    services = new_services()
    first, second = target(1), target(2)
    assert services.address(first) != services.address(second)


def test_those_who_call_one_endpoint_share_what_is_known_of_it(new_services: Callable[..., Services]) -> None:
    endpoints = new_services().endpoints
    state = endpoints.of(("url", "region", "account"), "e")
    assert endpoints.of(("url", "region", "account"), "e") is state
    assert endpoints.of(("url", "region", "account"), "f").shared is not state.shared
    assert endpoints.of(("url", "region", "another"), "e").shared is not state.shared


def test_models_behind_one_endpoint_share_its_rates_and_fail_apart(new_services: Callable[..., Services]) -> None:
    endpoints = new_services().endpoints
    blue, green = (endpoints.of(("url",), "e", {"TargetVariant": name}) for name in ("blue", "green"))
    assert blue.shared is green.shared
    assert blue.gate is not green.gate
    assert endpoints.of(("url",), "e", {"TargetVariant": "blue", "SessionId": "s"}) is blue


def test_secrets_are_learnt_when_the_credentials_are_found(new_services: Callable[..., Services]) -> None:
    services, learnt = new_services(), list[str | None]()
    services.learn_secrets = learnt.extend
    found = services.target(AwsSettings(region="us-east-1", keys=KEYS))
    assert learnt == []
    found.credentials.current()
    assert {"a secret", "a token"} <= set(learnt)
