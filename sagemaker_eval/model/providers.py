"""Who answers, as a configuration says it: providers, and how SageMaker endpoints are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sagemaker_eval.model.values import Json, Operation, Place, UserCode


@dataclass(frozen=True, slots=True)
class StaticKeys:
    """AWS access keys written in the configuration. Never printed."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where and as whom to call AWS, as far as the configuration says; None means: as the AWS chain resolves it."""

    region: str | None = None
    profile: str | None = None
    keys: StaticKeys | None = None
    endpoint_url: str | None = None
    role_arn: str | None = None
    """A role to assume with these credentials; `external_id` goes with it."""
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a request asks of the model besides the prompt."""

    max_tokens: int = 1024
    temperature: float = 0.7
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    chat: bool = False


@dataclass(frozen=True, slots=True)
class AsyncOptions:
    """How an asynchronous endpoint is asked. Times are in ms.

    Requests go to `bucket` under `prefix`; without a bucket they go inline, which holds 128,000 bytes.
    """

    bucket: str | None = None
    prefix: str = "sageval/"
    poll_ms: int = 1_000
    timeout_ms: int = 3_600_000
    """How long an answer is waited for, from sending on."""
    request_ttl_seconds: int | None = None
    invocation_timeout_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast an endpoint may be asked; None: as fast as the other limits allow."""

    requests_per_second: float | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class SageMakerOptions:
    """The `config` of a `sagemaker:` provider, with environment and defaults applied.

    `model_type` names a format; for embedding endpoints it names the request shape of `embedding` formats.
    """

    endpoint: str
    model_type: str = "custom"
    embedding: bool = False
    aws: AwsSettings = AwsSettings()
    sampling: Sampling = Sampling()
    content_type: str = "application/json"
    accept: str = "application/json"
    response_path: str | None = None
    transform: UserCode | None = None
    """Changes the request: the prompt, or the whole body."""
    max_retries: int = 3
    timeout_ms: int = 80_000
    operation: Operation = Operation.INVOKE
    streamed: bool = False
    """Whether answers come as streams: always with `Operation.STREAM`, and where asked for with `Operation.OPENAI`."""
    routing: Mapping[str, str] = field(default_factory=dict)
    """Further members of the operation by their botocore names; the values are templates over the case's variables."""
    asynchronous: AsyncOptions = AsyncOptions()
    """Only with `Operation.ASYNC`."""
    rates: Rates = Rates()
    warm_up_s: float = 900.0
    """How long a call waits for an endpoint that is scaled to zero or loading its model; 0: not at all."""
    instance_hourly_usd: float | None = None
    """The price of one hour of one instance."""
    revision: str = ""
    """What the user calls that which is deployed now: another text asks anew, past the answers in the cache."""
    base_path: str = "."
    """The folder that `file://` references of this provider are relative to."""
    written: Mapping[str, Json] = field(default_factory=dict)
    """The `config` as the user wrote it, credentials left out: what transforms see as `context.config`."""


@dataclass(frozen=True, slots=True)
class CustomOptions:
    """What a provider written by the user is made of: its function, and its `config` as written."""

    code: UserCode
    config: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """A column family of the table: who answers. `kind` names an entry of the provider registry.

    `options` is what that entry understands: `SageMakerOptions` for `sagemaker` and `container`, `CustomOptions` for
    `python`, None for `echo`.
    """

    id: str
    kind: str
    label: str | None = None
    options: Any = None
    delay_ms: int | None = None
    max_concurrency: int | None = None
    adaptive: bool = False
    """Whether the number of calls in flight is found while running (`maxConcurrency: auto`)."""
    prompts: tuple[str, ...] | None = None
    transform: UserCode | None = None
    """Changes the output: `responseTransform` of `sagemaker` and `container`, `transform` of every other kind."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of this provider alone, over those of the suite."""
    where: Place | None = None

    @property
    def name(self) -> str:
        """What the user calls it: the label, else the id."""
        return self.label or self.id
