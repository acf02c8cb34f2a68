"""The way to an endpoint is looked up when it is first needed, and not when a provider is built."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import sagemaker_eval.formats  # noqa: F401 - files the formats in their registry
from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, Call, ProviderSpec, SageMakerOptions
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.sagemaker import sagemaker
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Targets


@pytest.fixture(autouse=True)
def _no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing of AWS."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def provider(notices: list[str] | None = None, **settings: Any) -> Provider:
    told = [] if notices is None else notices
    services = Services(ConnectionPool(1), Targets({}, told.append), told.append)
    options = SageMakerOptions("e", model_type="openai", aws=AwsSettings(**settings))
    return sagemaker(ProviderSpec("sagemaker:e", "sagemaker", options=options), services)


def address(built: Provider) -> str:
    request = asyncio.run(built.request(Call("Hi")))
    assert request is not None
    return built.address(request)


def test_building_and_rendering_need_no_aws() -> None:
    notices: list[str] = []
    built = provider(notices, profile="nobody")

    assert asyncio.run(built.request(Call("Hi"))) is not None
    assert notices == []


def test_preparing_finds_out_what_is_missing() -> None:
    with pytest.raises(SetupError, match="there is no AWS profile `nobody`"):
        provider(profile="nobody").prepare()


def test_so_does_the_first_answer() -> None:
    with pytest.raises(SetupError, match="there is no AWS profile `nobody`"):
        asyncio.run(provider(profile="nobody").answer(Call("Hi")))


def test_where_a_request_goes() -> None:
    built = provider(region="eu-west-1")
    assert address(built) == "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/e/invocations"


def test_where_a_request_goes_as_far_as_an_offline_check_can_tell() -> None:
    notices: list[str] = []

    assert address(provider(notices, profile="nobody")) == "/endpoints/e/invocations"
    assert notices == ["there is no AWS profile `nobody`"]
