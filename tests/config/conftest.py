"""Providers of a configuration that holds nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.providers import ProviderContext, build_providers
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, ProviderSpec, SageMakerOptions

Build: TypeAlias = Callable[..., tuple[ProviderSpec, ...]]
Configure: TypeAlias = Callable[..., SageMakerOptions]
Refuse: TypeAlias = Callable[..., list[str]]

NAMES = KnownNames(
    formats=("anthropic", "custom", "huggingface", "jumpstart", "llama", "openai"),
    embedding_formats=("custom", "huggingface", "openai"),
    assertions=(),
    outputs=(),
)
WHERE = Place("sageval.yaml", pointer=("providers",))


@pytest.fixture
def build() -> Build:
    """The specs of one provider, from its settings; `id` is `sagemaker:mine` where none is given."""

    def built(**provider: Json) -> tuple[ProviderSpec, ...]:
        context = ProviderContext(NAMES, read_environment({}), ".", None, lambda notice: None)
        return build_providers([{"id": "sagemaker:mine", **provider}], WHERE, context)

    return built


@pytest.fixture
def configure(build: Build) -> Configure:
    """The options of `sagemaker:mine`, or of another id, with a `config`."""

    def configured(config: dict[str, Json], id: str = "sagemaker:mine") -> SageMakerOptions:
        (spec,) = build(id=id, config=config)
        assert isinstance(spec.options, SageMakerOptions)
        return spec.options

    return configured


@pytest.fixture
def refuse(build: Build) -> Refuse:
    """The messages of a provider that is refused."""

    def refused(**provider: Json) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            build(**provider)
        return [problem.message for problem in caught.value.problems]

    return refused
