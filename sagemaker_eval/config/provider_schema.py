"""The objects of a provider, field by field: what `schema` has for the rest of a configuration file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sagemaker_eval.config.entry import Entry, Map
from sagemaker_eval.config.fields import (
    Count,
    EndpointName,
    Filled,
    HeaderValue,
    HttpUrl,
    InvocationTimeout,
    NotEmpty,
    NotNegative,
    Rate,
    Region,
    RequestTtl,
    Shapes,
    TopP,
    WholeNotNegative,
)
from sagemaker_eval.config.sagemaker_fields import (
    Bucket,
    Concurrency,
    CustomAttributes,
    EnableExplanations,
    ExternalId,
    InferenceComponentName,
    InferenceId,
    Prefix,
    PrefixAwareId,
    RoleArn,
    SessionId,
    TargetContainerHostname,
    TargetModel,
    TargetVariant,
    Transport,
    Variants,
    WarmUp,
)
from sagemaker_eval.model import Json


class ResponseFormat(Entry):
    """How to find the text in an answer."""

    where_it_stands = "in `responseFormat`"

    path: Filled | None = None
    type: str | None = None


class ModelConfig(Entry):
    """What the `config` of a `sagemaker:` and of a `container:` provider have in common."""

    model_type: Filled | None = None
    max_tokens: Count | None = None
    temperature: NotNegative | None = None
    top_p: TopP | None = None
    stop_sequences: list[NotEmpty] | None = None
    content_type: HeaderValue | None = None
    accept_type: HeaderValue | None = None
    delay: WholeNotNegative | None = None
    response_format: ResponseFormat | None = None
    max_retries: WholeNotNegative | None = None
    timeout_ms: Count | None = None
    transform: Filled | None = None
    response_transform: Filled | None = None
    chat: bool | None = None
    stream: bool | None = None
    max_concurrency: Concurrency | None = None
    requests_per_second: Rate | None = None
    tokens_per_minute: Count | None = None
    warm_up: WarmUp | None = None
    revision: Filled | None = None


class AsyncEntry(Entry):
    """How an asynchronous endpoint is asked."""

    where_it_stands = "in `async`"

    bucket: Bucket | None = None
    prefix: Prefix | None = None
    poll_ms: Count | None = None
    timeout_ms: Count | None = None
    request_ttl_seconds: RequestTtl | None = None
    invocation_timeout_seconds: InvocationTimeout | None = None


class SageMakerConfig(ModelConfig):
    """The `config` of a `sagemaker:` provider."""

    where_it_stands = "in the `config` of a SageMaker provider"

    endpoint: EndpointName | None = None
    region: Region | None = None
    access_key_id: Filled | None = None
    secret_access_key: Filled | None = None
    session_token: Filled | None = None
    profile: Filled | None = None
    endpoint_url: HttpUrl | None = None
    role_arn: RoleArn | None = None
    external_id: ExternalId | None = None
    inference_component_name: InferenceComponentName | None = None
    target_variant: TargetVariant | None = None
    variants: Variants | None = None
    target_model: TargetModel | None = None
    target_container_hostname: TargetContainerHostname | None = None
    custom_attributes: Annotated[Json, Shapes(CustomAttributes | None)] = None
    inference_id: InferenceId | None = None
    session_id: SessionId | None = None
    prefix_aware_id: PrefixAwareId | None = None
    enable_explanations: EnableExplanations | None = None
    async_: Annotated[Json, Shapes(bool | AsyncEntry | None)] = Field(default=None, alias="async")
    transport: Transport | None = None
    instance_hourly_usd: NotNegative | None = None


class ContainerConfig(ModelConfig):
    """The `config` of a `container:` provider."""

    where_it_stands = "in the `config` of a container"


class SageMakerEnvironment(Entry):
    """The environment variables that stand in for keys of a SageMaker provider's `config`."""

    region: Region | None = Field(default=None, alias="AWS_REGION")
    default_region: Region | None = Field(default=None, alias="AWS_DEFAULT_REGION")
    max_tokens: Count | None = Field(default=None, alias="AWS_SAGEMAKER_MAX_TOKENS")
    temperature: NotNegative | None = Field(default=None, alias="AWS_SAGEMAKER_TEMPERATURE")
    top_p: TopP | None = Field(default=None, alias="AWS_SAGEMAKER_TOP_P")
    max_retries: WholeNotNegative | None = Field(default=None, alias="AWS_SAGEMAKER_MAX_RETRIES")


class ProviderEntry(Entry):
    """A provider as an object, or the value of the one-key map form."""

    where_it_stands = "in a provider"

    id: Filled | None = None
    label: Filled | None = None
    config: Annotated[Json, Shapes(SageMakerConfig | ContainerConfig | Map | None)] = None
    delay: WholeNotNegative | None = None
    max_concurrency: Concurrency | None = None
    transform: Filled | None = None
    response_transform: Filled | None = None
    env: Annotated[Json, Shapes(dict[str, str | float | bool | None] | None)] = None
    inputs: Map | None = None
    prompts: list[Filled] | None = None
