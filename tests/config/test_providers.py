"""`providers`: forms, ids, SageMaker options and the command line's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.providers import ProviderContext, build_providers, choose
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, ProviderSpec, SageMakerOptions, Sampling

NAMES = KnownNames(
    formats=("anthropic", "custom", "huggingface", "jumpstart", "llama", "openai"),
    embedding_formats=("custom", "huggingface", "openai"),
    assertions=(),
    outputs=(),
)
WHERE = Place("sageval.yaml", pointer=("providers",))


def context(
    env: Mapping[str, str] | None = None, delay_ms: int | None = None, notices: list[str] | None = None
) -> ProviderContext:
    told = [] if notices is None else notices
    return ProviderContext(NAMES, read_environment(env or {}), ".", delay_ms, told.append)


def built(source: Json, **settings: Any) -> tuple[ProviderSpec, ...]:
    return build_providers(source, WHERE, context(**settings))


def options(config: Json, id: str = "sagemaker:mine", **settings: Any) -> SageMakerOptions:
    (provider,) = built([{"id": id, "config": config}], **settings)
    assert isinstance(provider.options, SageMakerOptions)
    return provider.options


def refused(source: Json) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        built(source)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("id", "model_type", "embedding"),
    [
        ("sagemaker:mine", "custom", False),
        ("sagemaker:My-JumpStart-endpoint", "jumpstart", False),
        ("sagemaker:openai:mine", "openai", False),
        ("sagemaker:openai:my-jumpstart", "openai", False),
        ("sagemaker:embedding:mine", "custom", True),
        ("sagemaker:embeddings:jumpstart", "custom", True),
    ],
)
def test_ids_say_endpoint_and_model_type(id: str, model_type: str, embedding: bool) -> None:
    (provider,) = built(id)

    assert (provider.id, provider.kind) == (id, "sagemaker")
    assert provider.options.endpoint == id.rpartition(":")[2]
    assert (provider.options.model_type, provider.options.embedding) == (model_type, embedding)


def test_the_id_wins_over_model_type_with_a_notice() -> None:
    notices: list[str] = []

    assert options({"modelType": "llama"}).model_type == "llama"
    assert options({"modelType": "llama"}, id="sagemaker:openai:mine", notices=notices).model_type == "openai"
    assert notices == [
        "`sagemaker:openai:mine` has `modelType: llama` in its config: the id wins, the model type is openai"
    ]


@pytest.mark.parametrize(
    "form",
    [
        "sagemaker:mine",
        ["sagemaker:mine"],
        [{"id": "sagemaker:mine"}],
        [{"sagemaker:mine": None}],
        [{"sagemaker:mine": {"config": {}}}],
    ],
)
def test_forms_of_one_provider(form: Json) -> None:
    (provider,) = built(form)

    assert (provider.id, provider.options.endpoint) == ("sagemaker:mine", "mine")


def test_the_endpoint_of_the_config_is_the_one_that_is_called() -> None:
    assert options({"endpoint": "other"}, id="sagemaker:my model").endpoint == "other"


def test_defaults_environment_and_config_in_rising_order() -> None:
    env = {
        "AWS_SAGEMAKER_MAX_TOKENS": "5",
        "AWS_SAGEMAKER_TEMPERATURE": "0",
        "AWS_SAGEMAKER_TOP_P": "",
        "AWS_SAGEMAKER_MAX_RETRIES": "0",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }

    assert options({}).sampling == Sampling(max_tokens=1024, temperature=0.7, top_p=1.0)
    assert (options({}).max_retries, options({}).aws.region) == (3, None)
    assert options({}, env=env).sampling == Sampling(max_tokens=5, temperature=0.0, top_p=1.0)
    assert (options({}, env=env).max_retries, options({}, env=env).aws.region) == (0, "eu-west-1")
    assert options({}, env=env | {"AWS_REGION": "us-east-1"}).aws.region == "us-east-1"
    assert options({"maxTokens": 9, "temperature": "0.5"}, env=env).sampling == Sampling(9, 0.5, 1.0)
    assert options({"maxRetries": 1, "region": "us-west-2"}, env=env).aws.region == "us-west-2"


def test_every_option_of_a_sagemaker_provider() -> None:
    read = options(
        {
            "region": "us-east-1",
            "accessKeyId": "AKIA",
            "secretAccessKey": "secret",
            "sessionToken": "token",
            "endpointUrl": "http://127.0.0.1:8080",
            "stopSequences": ["END"],
            "chat": True,
            "contentType": "text/plain",
            "acceptType": "application/jsonlines",
            "responseFormat": {"path": "$.text"},
            "timeoutMs": 1000,
        }
    )

    assert read.aws.keys is not None and read.aws.keys.session_token == "token"
    assert (read.aws.region, read.aws.endpoint_url) == ("us-east-1", "http://127.0.0.1:8080")
    assert (read.sampling.stop, read.sampling.chat) == (("END",), True)
    assert (read.content_type, read.accept) == ("text/plain", "application/jsonlines")
    assert (read.response_path, read.timeout_ms) == ("$.text", 1000)


@pytest.mark.parametrize(
    ("provider", "default", "expected"),
    [
        ({"delay": 1, "config": {"delay": 2}}, 3, 1),
        ({"delay": 0, "config": {"delay": 2}}, 3, 0),
        ({"config": {"delay": 2}}, 3, 2),
        ({}, 3, 3),
        ({}, None, None),
    ],
)
def test_the_nearest_delay_counts(provider: dict[str, Json], default: int | None, expected: int | None) -> None:
    (spec,) = built([{"id": "sagemaker:mine", **provider}], delay_ms=default)

    assert spec.delay_ms == expected


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (["openai:gpt-4"], "unknown provider `openai:gpt-4`"),
        (["sagemaker"], "`sagemaker` names no endpoint"),
        (["sagemaker:openai:"], "`sagemaker:openai:` names no endpoint"),
        (["sagemaker:opena:mine"], "unknown model type `opena`"),
        (["file://providers.yaml"], "the provider `file://providers.yaml` is not yet supported"),
        ([7], "`providers[0]` must be an id or a map, not the number `7`"),
        ({"id": "echo"}, "`providers` must be a provider's id or a list, not a map"),
        ([{"label": "x"}], "`id` is missing in a provider"),
        ([{"id": None}], "`id` is missing in a provider"),
        ([{"config": {}}], "`id` is missing in a provider"),
        ([{"id": 7}], "`id` must be text, not the number `7`"),
        ([{"id": "echo", "transform": "x"}], "`transform` is not yet supported"),
        ([{"sagemaker:mine": "x"}], "`sagemaker:mine` must be a map, not the text `x`"),
        ([{"id": "sagemaker:mine", "config": []}], "`config` must be a map, not a list"),
        ([{"id": "sagemaker:mine", "config": {"endpointUrl": "localhost:80"}}], None),
        ([{"id": "sagemaker:mine", "config": {"responseFormat": {"path": " "}}}], None),
    ],
)
def test_providers_that_are_refused(source: Json, problem: str | None) -> None:
    (found,) = refused(source)

    assert problem is None or found == problem


@given(st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True))
def test_endpoint_names_as_the_service_allows_them(name: str) -> None:
    if len(name) <= 63:
        assert built(f"sagemaker:custom:{name}")[0].options.endpoint == name
    else:
        assert refused(f"sagemaker:custom:{name}")


@pytest.mark.parametrize("name", ["-a", "a-", "a_b", "a.b", "ä", "a b", "x" * 64])
def test_endpoint_names_that_the_service_refuses(name: str) -> None:
    (problem,) = refused(f"sagemaker:{name}")

    assert problem == f"`{name}` must be an endpoint's name: 1 to 63 letters, digits and inner hyphens"


def test_an_endpoint_called_like_a_model_type_is_told() -> None:
    notices: list[str] = []
    built("sagemaker:openai", notices=notices)

    assert notices == ["`sagemaker:openai` is taken as an endpoint called `openai`, not as a model type"]


def test_the_same_provider_twice_is_asked_once() -> None:
    notices: list[str] = []

    assert len(built(["echo", {"id": "echo"}], notices=notices)) == 1
    assert notices == ["the provider `echo` is given more than once: it is asked once"]


def test_one_name_for_two_providers_is_told() -> None:
    notices: list[str] = []
    source = [{"id": "sagemaker:mine", "config": {"temperature": degree}} for degree in (0, 1)]

    assert len(built(source, notices=notices)) == 2
    assert notices == ["two providers are called `sagemaker:mine`: give each a `label` to tell their columns apart"]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (("echo",), ["echo"]),
        (("Chat",), ["sagemaker:openai:one"]),
        (("two",), ["sagemaker:two"]),
        (("two", "sagemaker:three"), ["sagemaker:two", "sagemaker:three"]),
        (("echo", "echo"), ["echo"]),
    ],
)
def test_the_command_line_chooses_or_adds(wanted: tuple[str, ...], ids: list[str]) -> None:
    configured = built(["echo", {"id": "sagemaker:openai:one", "label": "Chat"}, "sagemaker:two"])

    assert [spec.id for spec in choose(configured, wanted, context())] == ids


def test_a_choice_that_is_no_provider_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^--providers: unknown provider `nothing`$"):
        choose(built("echo"), ("nothing",), context())
