"""`env` of one provider: what it completes in that provider, and that it leaves all others alone."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.providers import ProviderContext, build_providers
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AwsSettings, Json, Place, ProviderSpec, StaticKeys

NAMES = KnownNames(formats=("custom", "openai"), embedding_formats=("custom",), assertions=(), outputs=())
WHERE = Place("run.yaml", pointer=("providers",))


def built(*source: Json, notices: list[str] | None = None, **env: Any) -> tuple[ProviderSpec, ...]:
    """The providers of a configuration that runs in the environment `env`."""
    told = [] if notices is None else notices
    context = ProviderContext(NAMES, read_environment(env), ".", None, told.append, env)
    return build_providers(list(source), WHERE, context)


def aws(env: dict[str, Json], config: dict[str, Json] | None = None, **around: Any) -> AwsSettings:
    (spec,) = built({"id": "sagemaker:mine", "config": config or {}, "env": env}, **around)
    settings: AwsSettings = spec.options.aws
    return settings


def refusal(**provider: Any) -> tuple[str, tuple[str | int, ...]]:
    with pytest.raises(ConfigError) as caught:
        built(provider)
    (problem,) = caught.value.problems
    assert problem.where is not None
    return problem.message, problem.where.pointer


def test_templates_that_are_left_over_are_rendered_with_it() -> None:
    (spec,) = built(
        {
            "id": "sagemaker:{{env.NAME}}",
            "label": "{{env.NAME}} of {{ env.TEAM }}",
            "config": {"maxTokens": "{{env.SIZE}}", "stopSequences": ["{{env.UNSET}}"]},
            "env": {"NAME": "mine", "SIZE": 7},
        },
        TEAM="ours",
    )

    assert (spec.id, spec.label) == ("sagemaker:mine", "mine of ours")
    assert (spec.options.sampling.max_tokens, spec.options.sampling.stop) == (7, ("{{env.UNSET}}",))
    assert spec.options.written["maxTokens"] == "7"


def test_the_id_of_the_one_key_form_is_rendered_too() -> None:
    assert built({"sagemaker:{{env.NAME}}": {"env": {"NAME": "mine"}}})[0].options.endpoint == "mine"


def test_a_provider_in_python_gets_it() -> None:
    (spec,) = built({"id": "python:p.py", "config": {"key": "{{env.KEY}}"}, "env": {"KEY": "k", "ON": True}})

    assert spec.options.config == {"key": "k"}
    assert spec.env == {"KEY": "k", "ON": "true"}


def test_it_may_use_the_environment_of_the_run() -> None:
    assert built({"id": "echo", "env": {"BOTH": "{{env.OUTER}}!"}}, OUTER="o")[0].env == {"BOTH": "o!"}


def test_it_counts_for_its_provider_alone() -> None:
    own = {"AWS_REGION": "eu-west-1", "AWS_SAGEMAKER_TEMPERATURE": "0", "AWS_PROFILE": "team"}
    first, second = built({"id": "sagemaker:a", "env": own}, "sagemaker:b", AWS_SAGEMAKER_TOP_P="0.5")

    assert first.options.aws == AwsSettings("eu-west-1", "team")
    assert (first.options.sampling.temperature, first.options.sampling.top_p) == (0.0, 0.5)
    assert second.options.aws == AwsSettings()
    assert (second.options.sampling.temperature, second.options.sampling.top_p) == (0.7, 0.5)


def test_the_region_of_the_config_wins_over_it_and_it_over_the_run() -> None:
    own = {"AWS_REGION": "eu-west-1"}

    assert aws(own, {"region": "us-east-1"}, AWS_REGION="us-west-2").region == "us-east-1"
    assert aws(own, AWS_REGION="us-west-2").region == "eu-west-1"


KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize(
    ("env", "config", "expected"),
    [
        (KEYS, {}, AwsSettings(keys=StaticKeys("id", "secret"))),
        ({**KEYS, "AWS_SESSION_TOKEN": "t"}, {}, AwsSettings(keys=StaticKeys("id", "secret", "t"))),
        ({**KEYS, "AWS_PROFILE": "team"}, {}, AwsSettings(keys=StaticKeys("id", "secret"))),
        ({"AWS_DEFAULT_PROFILE": "team"}, {}, AwsSettings(profile="team")),
        (KEYS, {"profile": "mine"}, AwsSettings(profile="mine")),
        ({"AWS_PROFILE": "team"}, {"profile": "mine"}, AwsSettings(profile="mine")),
        ({"AWS_ENDPOINT_URL": "http://a"}, {}, AwsSettings(endpoint_url="http://a")),
        ({"AWS_ENDPOINT_URL": "http://a"}, {"endpointUrl": "http://b"}, AwsSettings(endpoint_url="http://b")),
    ],
)
def test_credentials_profile_and_url(env: dict[str, Json], config: dict[str, Json], expected: AwsSettings) -> None:
    assert aws(env, config) == expected


def test_other_variables_of_aws_are_said_to_have_no_effect() -> None:
    notices: list[str] = []
    built({"id": "sagemaker:mine", "env": {"AWS_CA_BUNDLE": "x", "MINE": "y"}}, notices=notices)

    assert notices == [
        "`AWS_CA_BUNDLE` in the `env` of `sagemaker:mine` has no effect: set it in the `env` of the configuration"
    ]


def test_half_a_pair_of_keys_is_refused() -> None:
    message, pointer = refusal(id="sagemaker:mine", env={"AWS_ACCESS_KEY_ID": "id"})

    assert message == "`AWS_ACCESS_KEY_ID` stands without `AWS_SECRET_ACCESS_KEY`"
    assert pointer == ("providers", 0, "env", "AWS_ACCESS_KEY_ID")


@pytest.mark.parametrize(
    ("provider", "message", "pointer"),
    [
        (
            {"id": "sagemaker:mine", "env": {"AWS_SAGEMAKER_TOP_P": "2"}},
            "`AWS_SAGEMAKER_TOP_P` must be at most 1",
            ("env", "AWS_SAGEMAKER_TOP_P"),
        ),
        ({"id": "echo", "env": {"A": [1]}}, "the value of `A` is not text", ("env", "A")),
        (
            {"id": "python:p.py", "config": {"a": "{{env.X | nothing}}"}, "env": {"Y": "1"}},
            "`{{env.X | nothing}}` cannot be rendered",
            ("config", "a"),
        ),
    ],
)
def test_problems_stand_where_they_are(provider: dict[str, Json], message: str, pointer: tuple[str | int, ...]) -> None:
    found, place = refusal(**provider)

    assert found.startswith(message)
    assert place == ("providers", 0, *pointer)
