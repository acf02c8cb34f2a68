"""The `config` of a `sagemaker:` or `container:` provider, the environment and the defaults, as `SageMakerOptions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sagemaker_eval.config.explaining import KeyProblem, check, unknown_name
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.operations import read_async, read_operation
from sagemaker_eval.config.places import within
from sagemaker_eval.config.provider_ids import ProviderId
from sagemaker_eval.config.routing import read_attributes, read_routing
from sagemaker_eval.config.schema import ContainerConfig, ModelConfig, SageMakerConfig, SageMakerEnvironment
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import (
    AsyncOptions,
    AwsSettings,
    Json,
    Operation,
    Place,
    Rates,
    SageMakerOptions,
    Sampling,
    StaticKeys,
)

T = TypeVar("T")

_DEFAULTS = SageMakerOptions(endpoint="")
_AWS_KEYS = frozenset(SageMakerConfig.known_keys()).difference(ContainerConfig.known_keys())
_NO_CHAT = frozenset({"anthropic", "huggingface", "jumpstart", "llama"})
"""Model types whose requests are no chat completions."""


def read_environment(env: Mapping[str, str]) -> SageMakerEnvironment:
    """The defaults that the environment sets; an empty variable sets none. Raises `ConfigError` for a bad value."""
    known = SageMakerEnvironment.known_keys()
    try:
        return check(SageMakerEnvironment, {name: env[name] for name in known if env.get(name)}, Place("environment"))
    except ConfigError as error:
        raise ConfigError(
            Problem(f"the environment variable {problem.message}", None, problem.hint) for problem in error.problems
        ) from None


def read_model_config(kind: str, raw: Json, where: Place) -> ModelConfig:
    """The `config` (None where there is none) of a provider of a kind. Raises `ConfigError` with all that is wrong."""
    raw = {} if raw is None else raw
    return _sagemaker_config(raw, where) if kind == "sagemaker" else _container_config(raw, where)


def _sagemaker_config(raw: Json, where: Place) -> SageMakerConfig:
    problems = Problems()
    config = problems.attempt(lambda: check(SageMakerConfig, raw, where))
    if config is None and isinstance(raw, Mapping):  # what is sorted by its shape is read later: tell of its faults too
        problems.attempt(lambda: read_async(raw.get("async"), within(where, "async")))
        problems.attempt(lambda: read_attributes(raw.get("customAttributes"), within(where, "customAttributes")))
    problems.check()
    assert config is not None
    return config


def _container_config(raw: Json, where: Place) -> ContainerConfig:
    problems = Problems()
    meaningless = _AWS_KEYS.intersection(raw) if isinstance(raw, Mapping) else frozenset[str]()
    for key in sorted(meaningless):
        hint = "the URL of a container stands in its id" if key.startswith("endpoint") else "take it out"
        problems.keep(
            KeyProblem(f"`{key}` means nothing to a container, which is called without AWS", within(where, key), hint)
        )
    if meaningless:
        raw = {key: value for key, value in raw.items() if key not in meaningless}
    config = problems.attempt(lambda: check(ContainerConfig, raw, where))
    problems.check()
    assert config is not None
    return config


def sagemaker_options(
    parsed: ProviderId, config: ModelConfig, where: Place, environment: SageMakerEnvironment, names: KnownNames
) -> SageMakerOptions:
    """The options of one provider. `where` is the provider's `config`. Raises `ConfigError` with all that is wrong."""
    problems = Problems()
    operation = problems.attempt(lambda: read_operation(config, where, embedding=parsed.embedding)) or Operation.INVOKE
    model_type = problems.attempt(lambda: _model_type(parsed, config, where, operation, names))
    aws = problems.attempt(lambda: _aws(config, where, environment))
    routing = problems.attempt(lambda: _routing(config, operation, where)) or {}
    asynchronous = problems.attempt(lambda: _async(config, where))
    sampling = problems.attempt(lambda: _sampling(config, where, operation, environment))
    problems.check()
    return SageMakerOptions(
        endpoint=_endpoint(parsed, config),
        model_type=model_type or "",
        embedding=parsed.embedding,
        aws=aws or AwsSettings(),
        sampling=sampling or Sampling(),
        content_type=config.content_type or _DEFAULTS.content_type,
        accept=config.accept_type or _DEFAULTS.accept,
        response_path=config.response_format.path if config.response_format else None,
        max_retries=first_set(config.max_retries, environment.max_retries, _DEFAULTS.max_retries),
        timeout_ms=config.timeout_ms or _DEFAULTS.timeout_ms,
        operation=operation,
        streamed=bool(config.stream),
        routing=routing,
        asynchronous=asynchronous or AsyncOptions(),
        rates=Rates(config.requests_per_second, config.tokens_per_minute),
        warm_up_s=_warm_up(config.warm_up),
        instance_hourly_usd=config.instance_hourly_usd if isinstance(config, SageMakerConfig) else None,
        revision=config.revision or "",
    )


def settings_without_effect(parsed: ProviderId, config: ModelConfig, notice: Callable[[str], None]) -> None:
    """Tell of settings that contradict others, so that nothing is passed over in silence."""
    if parsed.model_type and config.model_type and config.model_type != parsed.model_type:
        told = (
            f"`{parsed.kind}:{parsed.model_type}:{parsed.endpoint}` has `modelType: {config.model_type}` in its config"
        )
        notice(f"{told}: the id wins, the model type is {parsed.model_type}")
    if isinstance(config, SageMakerConfig) and config.access_key_id and config.profile:
        notice(f"the access keys of endpoint `{parsed.endpoint}` win over its `profile: {config.profile}`")
    if config.response_format and config.response_format.type:
        notice("`responseFormat.type` has no effect: `responseFormat.path` alone decides what is read")


def first_set(*values: T | None) -> T:
    """The first value that is not None; the last one must not be."""
    return next(value for value in values if value is not None)


def _model_type(parsed: ProviderId, config: ModelConfig, where: Place, operation: Operation, names: KnownNames) -> str:
    known = names.embedding_formats if parsed.embedding else names.formats
    if config.model_type and config.model_type not in known:
        raise ConfigError([unknown_name("model type", config.model_type, known, within(where, "modelType"))])
    chosen = parsed.model_type or config.model_type
    if operation is Operation.OPENAI and chosen in _NO_CHAT:
        told = f"`transport: openai` sends chat completions, which the model type `{chosen}` does not write"
        raise ConfigError.of(told, within(where, "transport"), "take `openai` as the model type")
    if chosen or operation is Operation.OPENAI:
        return chosen or "openai"
    named = "jumpstart" in _endpoint(parsed, config).lower() and not parsed.embedding
    return "jumpstart" if named and "jumpstart" in known else _DEFAULTS.model_type


def _endpoint(parsed: ProviderId, config: ModelConfig) -> str:
    """The endpoint that is called: that of the config, else that of the id."""
    configured = config.endpoint if isinstance(config, SageMakerConfig) else None
    return configured or parsed.endpoint or ""


def _aws(config: ModelConfig, where: Place, environment: SageMakerEnvironment) -> AwsSettings:
    if not isinstance(config, SageMakerConfig):
        return AwsSettings()
    return AwsSettings(
        region=config.region or environment.region or environment.default_region,
        profile=config.profile,
        keys=_static_keys(config, where),
        endpoint_url=config.endpoint_url,
        role_arn=config.role_arn,
        external_id=_external_id(config, where),
    )


def _external_id(config: SageMakerConfig, where: Place) -> str | None:
    if config.external_id and not config.role_arn:
        told, hint = "`externalId` stands without `roleArn`", "add `roleArn`, the role that asks for it"
        raise ConfigError.of(told, within(where, "externalId"), hint)
    return config.external_id


def _routing(config: ModelConfig, operation: Operation, where: Place) -> Mapping[str, str]:
    return read_routing(config, operation, where) if isinstance(config, SageMakerConfig) else {}


def _async(config: ModelConfig, where: Place) -> AsyncOptions:
    raw = config.async_ if isinstance(config, SageMakerConfig) else None
    return read_async(raw, within(where, "async"))


def _warm_up(written: float | bool | None) -> float:
    """Seconds; true is the default of them."""
    if written is None or written is True:
        return _DEFAULTS.warm_up_s
    return float(written)


def _static_keys(config: SageMakerConfig, where: Place) -> StaticKeys | None:
    if config.access_key_id and config.secret_access_key:
        return StaticKeys(config.access_key_id, config.secret_access_key, config.session_token)
    lone = {
        "accessKeyId": config.access_key_id,
        "secretAccessKey": config.secret_access_key,
        "sessionToken": config.session_token,
    }
    written = next((key for key, value in lone.items() if value), None)
    if written is None:
        return None
    missing = " and ".join(f"`{key}`" for key in ("accessKeyId", "secretAccessKey") if not lone[key])
    raise ConfigError.of(f"`{written}` stands without {missing}", within(where, written), f"add {missing} beside it")


def _sampling(config: ModelConfig, where: Place, operation: Operation, environment: SageMakerEnvironment) -> Sampling:
    defaults, chat_alone = _DEFAULTS.sampling, operation is Operation.OPENAI
    if chat_alone and config.chat is False:
        told, hint = "`chat: false` does not go with `transport: openai`, which knows chats alone", "take it out"
        raise ConfigError.of(told, within(where, "chat"), hint)
    return Sampling(
        max_tokens=first_set(config.max_tokens, environment.max_tokens, defaults.max_tokens),
        temperature=first_set(config.temperature, environment.temperature, defaults.temperature),
        top_p=first_set(config.top_p, environment.top_p, defaults.top_p),
        stop=tuple(config.stop_sequences or ()),
        chat=chat_alone or bool(config.chat),
    )
