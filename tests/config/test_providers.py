"""`providers`: forms, ids, SageMaker options and the command line's choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.places import within
from sagemaker_eval.config.providers import (
    ProviderContext,
    build_provider,
    build_providers,
    choose,
    distinct_providers,
    provider_secrets,
)
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import (
    AwsSettings,
    CustomOptions,
    Json,
    Place,
    ProviderSpec,
    SageMakerOptions,
    Sampling,
    UserCode,
)

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


def test_an_unknown_model_type_is_refused_although_the_id_would_win() -> None:
    with pytest.raises(ConfigError, match="unknown model type `lama`"):
        options({"modelType": "lama"}, id="sagemaker:openai:mine")


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
        (["sagemakr:mine"], "unknown provider `sagemakr:mine`"),
        (["container"], "`container` names no URL"),
        (["sagemaker"], "`sagemaker` names no endpoint"),
        (["sagemaker:openai:"], "`sagemaker:openai:` names no endpoint"),
        (["sagemaker:opena:mine"], "unknown model type `opena`"),
        (["file://no.yaml"], "the file of `file://no.yaml` does not exist"),
        ([{"id": "file://no.yaml"}], "`file://no.yaml` is a file of providers, not the id of one"),
        (["file://data.txt"], "`file://data.txt` is neither a provider in Python (.py) nor a file of providers"),
        ([7], "`providers[0]` must be an id or a map, not the number `7`"),
        ({"id": "echo"}, "`providers` must be a provider's id or a list, not a map"),
        ([{"label": "x"}], "`id` is missing in a provider"),
        ([{"id": None}], "`id` is missing in a provider"),
        ([{"config": {}}], "`id` is missing in a provider"),
        ([{"id": 7}], "`id` must be text, not the number `7`"),
        (
            [{"id": "echo", "transform": "x", "responseTransform": "y"}],
            "`transform` and `responseTransform` are the same for this provider",
        ),
        ([{"id": "echo", "inputs": "x"}], "`inputs` must be a map, not the text `x`"),
        ([{"id": "echo", "env": ["x"]}], "`env` is not a map of names to values"),
        ([{"id": "python:p.py", "config": []}], "`config` must be a map, not a list"),
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

    assert len(distinct_providers(built(["echo", {"id": "echo"}]), notices.append)) == 1
    assert notices == ["the provider `echo` is given more than once: it is asked once"]


def test_one_name_for_two_providers_is_told() -> None:
    notices: list[str] = []
    source = [{"id": "sagemaker:mine", "config": {"temperature": degree}} for degree in (0, 1)]

    assert len(distinct_providers(built(source), notices.append)) == 2
    assert notices == ["two providers are called `sagemaker:mine`: give each a `label` to tell their columns apart"]


def test_one_label_for_two_providers_is_refused() -> None:
    source = [{"id": f"sagemaker:{name}", "label": "Chat"} for name in ("one", "two")]
    notices: list[str] = []

    with pytest.raises(ConfigError, match="the label `Chat` is already that of the provider at"):
        distinct_providers(built(source), notices.append)
    assert notices == []


def test_one_provider_with_its_label_in_two_files_is_one() -> None:
    source = [{"id": "sagemaker:one", "label": "Chat"}]

    assert len(distinct_providers((*built(source), *built(source)), lambda notice: None)) == 1


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


def test_the_command_line_adds_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.yaml").write_text("[sagemaker:one, sagemaker:two]")
    elsewhere = replace(context(), base_path="/elsewhere")
    wanted = ("echo", "file://p.py", "python:q.py:fn", "container:http://127.0.0.1:1", "file://more.yaml")

    specs = choose((), wanted, elsewhere)

    assert [spec.id for spec in specs] == [*wanted[:-1], "sagemaker:one", "sagemaker:two"]
    assert [spec.kind for spec in specs] == ["echo", "python", "python", "container", "sagemaker", "sagemaker"]
    assert specs[1].options.code.base_path == "."


def test_a_configured_provider_in_python_is_chosen_by_its_id() -> None:
    (configured,) = built([{"id": "file://p.py", "config": {"size": 1}}])

    assert choose((configured,), ("file://p.py",), context()) == (configured,)


@pytest.mark.parametrize(
    ("id", "source"),
    [
        ("file://p.py", "file://p.py"),
        ("file://sub/p.py:Class.ask", "file://sub/p.py:Class.ask"),
        ("python:p.py", "file://p.py"),
        ("python:p.py:ask", "file://p.py:ask"),
        ("python:file://p.py", "file://p.py"),
    ],
)
def test_a_provider_in_python_is_its_file_and_function(id: str, source: str) -> None:
    (spec,) = built([{"id": id, "config": {"a": [1]}, "maxConcurrency": 2, "delay": 5}])

    assert (spec.id, spec.kind, spec.max_concurrency, spec.delay_ms) == (id, "python", 2, 5)
    assert spec.options == CustomOptions(UserCode(source, "."), {"a": [1]})


@pytest.mark.parametrize(
    ("id", "url", "model_type", "embedding"),
    [
        ("container:http://127.0.0.1:8080", "http://127.0.0.1:8080", "custom", False),
        ("container:openai:https://host/v1/chat", "https://host/v1/chat", "openai", False),
        ("container:embedding:http://[::1]:8080/", "http://[::1]:8080/", "custom", True),
        ("container:http://my-jumpstart:8080", "http://my-jumpstart:8080", "jumpstart", False),
    ],
)
def test_a_container_is_a_url_and_a_model_type(id: str, url: str, model_type: str, embedding: bool) -> None:
    (spec,) = built([{"id": id, "config": {"maxTokens": 5, "delay": 3}}])

    assert (spec.id, spec.kind, spec.delay_ms) == (id, "container", 3)
    assert (spec.options.endpoint, spec.options.model_type, spec.options.embedding) == (url, model_type, embedding)
    assert (spec.options.sampling.max_tokens, spec.options.aws) == (5, AwsSettings())


@pytest.mark.parametrize(
    ("id", "problem"),
    [
        ("container:127.0.0.1:8080", "holds no URL that begins with `http://` or `https://`"),
        ("container:opena:http://h", "unknown model type `opena`"),
        *(
            (f"container:{url}", f"`{url}` must be a URL with a host")
            for url in (
                "http://",
                "http://h:0",
                "http://h:99999",
                "http://h:x",
                "http://a..b",
                f"http://{'x' * 64}",
                "http://[::1",
                "http://[::1]x",
                "http://[h]",
                "http://a\\b",
                "http://h/a b",
            )
        ),
        ("container:http://h#x", "must not hold a `#`"),
        ("container:http://a:b@h", "must not hold a user name or a password"),
        ("sagemaker:http://127.0.0.1:8080", "holds a URL where the endpoint's name belongs"),
    ],
)
def test_urls_that_are_refused(id: str, problem: str) -> None:
    (found,) = refused([id])

    assert problem in found


def test_a_container_without_its_config_is_one_all_the_same() -> None:
    assert built("container:http://127.0.0.1:8080")[0].options.timeout_ms == 80_000


@pytest.mark.parametrize("kind", ["sagemaker:mine", "container:http://h"])
def test_transform_changes_the_request_and_response_transform_the_output(kind: str) -> None:
    (spec,) = built([{"id": kind, "transform": "prompt", "responseTransform": "output"}])
    (inner,) = built([{"id": kind, "config": {"transform": "prompt", "responseTransform": "output"}}])

    assert (spec.options.transform, spec.transform) == (UserCode("prompt", "."), UserCode("output", "."))
    assert (inner.options.transform, inner.transform) == (spec.options.transform, spec.transform)
    assert spec.transform is not None and spec.transform.where == within(WHERE, 0, "responseTransform")


@pytest.mark.parametrize("key", ["transform", "responseTransform"])
@pytest.mark.parametrize("id", ["echo", "file://p.py"])
def test_transform_of_any_other_provider_changes_the_output(id: str, key: str) -> None:
    (spec,) = built([{"id": id, key: "output.trim()"}])

    assert spec.transform == UserCode("output.trim()", ".")


def test_inputs_are_accepted_and_have_no_effect() -> None:
    notices: list[str] = []

    assert built([{"id": "echo", "inputs": {"user": "a name"}}], notices=notices) == built(["echo"])
    assert notices == ["`inputs` of a provider has no effect: it describes targets of red teams"]


def test_one_provider_is_needed_where_a_test_names_its_own() -> None:
    assert build_provider({"echo": {"label": "Mine"}}, WHERE, context()).label == "Mine"


def test_variants_are_several_providers_where_one_is_needed() -> None:
    source = {"id": "sagemaker:mine", "config": {"variants": ["blue", "green"]}}

    with pytest.raises(ConfigError, match="`variants` makes 2 providers where one is needed"):
        build_provider(source, WHERE, context())


def test_the_command_line_chooses_all_variants_or_one() -> None:
    configured = built([{"id": "sagemaker:mine", "config": {"variants": ["blue", "green"]}}, "echo"])

    assert choose(configured, ("mine",), context()) == configured[:2]
    assert choose(configured, ("sagemaker:mine (green)",), context()) == configured[1:2]
    assert distinct_providers(configured, pytest.fail) == configured


def test_secrets_in_the_settings_of_providers_are_known() -> None:
    specs = built(
        [
            {"id": "python:p.py", "config": {"deep": [{"apiKey": "{{env.MINE}}"}]}, "env": {"MINE": "hidden-in-env"}},
            {"id": "sagemaker:e", "env": {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hidden-key"}},
            {"id": "sagemaker:f", "config": {"customAttributes": {"tenantToken": "hidden-mark", "trace": "shown"}}},
        ]
    )

    assert provider_secrets(specs) == {"hidden-in-env", "AKIAEXAMPLE", "hidden-key", "hidden-mark"}
