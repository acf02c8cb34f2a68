"""How an endpoint is asked: at once, streamed, asynchronously, over its own path; and how fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import AsyncOptions, Json, Operation, Rates, SageMakerOptions

if TYPE_CHECKING:
    from tests.config.conftest import Build, Configure, Refuse


@pytest.mark.parametrize(
    ("config", "operation"),
    [
        ({}, Operation.INVOKE),
        ({"stream": False, "async": False, "transport": "sagemaker"}, Operation.INVOKE),
        ({"stream": None, "async": None, "transport": None}, Operation.INVOKE),
        ({"stream": True}, Operation.STREAM),
        ({"stream": "true", "async": "false"}, Operation.STREAM),
        ({"async": True}, Operation.ASYNC),
        ({"async": "True"}, Operation.ASYNC),
        ({"async": {}}, Operation.ASYNC),
        ({"async": {"pollMs": 5}, "stream": False}, Operation.ASYNC),
        ({"transport": "openai"}, Operation.OPENAI),
        ({"transport": "openai", "stream": True}, Operation.OPENAI),
    ],
)
def test_keys_choose_the_operation(configure: Configure, config: dict[str, Json], operation: Operation) -> None:
    assert configure(config).operation is operation


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"stream": True, "async": True}, "`stream` and `async` do not go together"),
        ({"async": {}, "transport": "openai"}, "`async` and `transport: openai` do not go together"),
    ],
)
def test_an_endpoint_is_asked_in_one_way_alone(refuse: Refuse, config: dict[str, Json], told: str) -> None:
    assert refuse(config=config) == [told]


@pytest.mark.parametrize(
    ("id", "config"),
    [
        ("sagemaker:embedding:mine", {"stream": True}),
        ("sagemaker:embedding:mine", {"transport": "openai"}),
        ("container:embedding:http://h", {"stream": True}),
    ],
)
def test_vectors_are_not_streamed(refuse: Refuse, id: str, config: dict[str, Json]) -> None:
    (told,) = refuse(id=id, config=config)
    assert told.endswith("means nothing to an embedding endpoint, which answers with vectors")


def test_vectors_can_be_asked_for_asynchronously(configure: Configure) -> None:
    assert configure({"async": True}, id="sagemaker:embedding:mine").operation is Operation.ASYNC


@pytest.mark.parametrize(
    ("written", "bucket", "prefix"),
    [
        (True, None, "sageval/"),
        ({"bucket": "evaluations"}, "evaluations", "sageval/"),
        ({"bucket": "s3://evaluations"}, "evaluations", "sageval/"),
        ({"bucket": "s3://evaluations/"}, "evaluations", "sageval/"),
        ({"bucket": "s3://evaluations/nightly/llama"}, "evaluations", "nightly/llama/"),
        ({"bucket": "s3://evaluations/nightly/"}, "evaluations", "nightly/"),
        ({"bucket": "evaluations", "prefix": "/nightly"}, "evaluations", "nightly/"),
        ({"bucket": "s3://evaluations", "prefix": "a/b/"}, "evaluations", "a/b/"),
    ],
)
def test_asynchronous_requests_go_to_a_bucket(
    configure: Configure, written: Json, bucket: str | None, prefix: str
) -> None:
    read = configure({"async": written}).asynchronous
    assert (read.bucket, read.prefix) == (bucket, prefix)


def test_every_option_of_an_asynchronous_call(configure: Configure) -> None:
    written = {
        "bucket": "evaluations",
        "pollMs": 50,
        "timeoutMs": 60_000,
        "requestTtlSeconds": 60,
        "invocationTimeoutSeconds": "3600",
    }
    read = AsyncOptions("evaluations", "sageval/", 50, 60_000, 60, 3600)
    assert configure({"async": written}).asynchronous == read


@pytest.mark.parametrize(
    "written",
    [
        "yes please",
        7,
        [],
        {"bucket": "x"},
        {"bucket": "Upper-Case"},
        {"bucket": "evaluations/nightly"},
        {"bucket": "s3://evaluations/a b"},
        {"bucket": "https://evaluations"},
        {"bucket": "evaluations", "prefix": "/"},
        {"bucket": "evaluations", "prefix": "ü"},
        {"bucket": "s3://evaluations/a", "prefix": "b"},
        {"prefix": "a"},
        {"requestTtlSeconds": 59},
        {"requestTtlSeconds": 21_601},
        {"invocationTimeoutSeconds": 0},
        {"invocationTimeoutSeconds": 3601},
        {"pollMs": 0},
        {"bukcet": "evaluations"},
    ],
)
def test_asynchronous_options_that_are_refused(refuse: Refuse, written: Json) -> None:
    assert len(refuse(config={"async": written})) == 1


@pytest.mark.parametrize(
    ("id", "config", "model_type"),
    [
        ("sagemaker:mine", {}, "openai"),
        ("sagemaker:my-jumpstart", {}, "openai"),
        ("sagemaker:openai:mine", {}, "openai"),
        ("sagemaker:mine", {"modelType": "custom"}, "custom"),
    ],
)
def test_the_path_of_an_endpoint_for_chats_gets_chats(
    configure: Configure, id: str, config: dict[str, Json], model_type: str
) -> None:
    read = configure({"transport": "openai", **config}, id=id)
    assert (read.model_type, read.sampling.chat) == (model_type, True)


def test_the_path_for_chats_gets_nothing_else(refuse: Refuse) -> None:
    told = "`transport: openai` sends chat completions, which the model type `llama` does not write"
    assert refuse(id="sagemaker:llama:mine", config={"transport": "openai"}) == [told]
    told = "`chat: false` does not go with `transport: openai`, which knows chats alone"
    assert refuse(config={"transport": "openai", "chat": False}) == [told]


@pytest.mark.parametrize("id", ["sagemaker:mine", "container:http://h"])
def test_rates_of_endpoints_and_containers(configure: Configure, id: str) -> None:
    assert configure({}, id=id).rates == Rates()
    read = configure({"requestsPerSecond": "0.5", "tokensPerMinute": 90_000}, id=id)
    assert read.rates == Rates(0.5, 90_000)


@pytest.mark.parametrize(
    ("written", "seconds"), [(None, 900), (True, 900), ("true", 900), (False, 0), (0, 0), (60, 60), ("1.5", 1.5)]
)
@pytest.mark.parametrize("id", ["sagemaker:mine", "container:http://h"])
def test_patience_with_an_endpoint_that_warms_up(configure: Configure, written: Json, seconds: float, id: str) -> None:
    assert configure({"warmUp": written}, id=id).warm_up_s == seconds


@pytest.mark.parametrize(
    ("provider", "cap", "adaptive"),
    [
        ({}, None, False),
        ({"maxConcurrency": 3}, 3, False),
        ({"maxConcurrency": "auto"}, None, True),
        ({"config": {"maxConcurrency": "5"}}, 5, False),
        ({"config": {"maxConcurrency": "auto"}}, None, True),
        ({"maxConcurrency": 3, "config": {"maxConcurrency": "auto"}}, 3, False),
        ({"maxConcurrency": "auto", "config": {"maxConcurrency": 5}}, None, True),
    ],
)
@pytest.mark.parametrize("id", ["sagemaker:mine", "container:http://h"])
def test_calls_in_flight(build: Build, provider: dict[str, Json], cap: int | None, adaptive: bool, id: str) -> None:
    (spec,) = build(id=id, **provider)
    assert (spec.max_concurrency, spec.adaptive) == (cap, adaptive)


@pytest.mark.parametrize("id", ["echo", "file://p.py"])
def test_what_calls_no_endpoint_has_no_limit_to_find(build: Build, refuse: Refuse, id: str) -> None:
    (told,) = refuse(id=id, maxConcurrency="auto")
    assert told.startswith("`maxConcurrency: auto` is for endpoints and containers")
    assert build(id=id, maxConcurrency=2)[0].max_concurrency == 2


def test_a_role_and_a_price(configure: Configure) -> None:
    role = "arn:aws-us-gov:iam::111122223333:role/team/evaluation"
    read: SageMakerOptions = configure({"roleArn": role, "externalId": "ours:1", "instanceHourlyUsd": 1.408})
    assert (read.aws.role_arn, read.aws.external_id, read.instance_hourly_usd) == (role, "ours:1", 1.408)
