"""How an endpoint of the stand-in is deployed: what its control plane tells of it.

deployment:
  status: InService        # as DescribeEndpoint has it; `inServiceAfter` seconds later it is InService
  instanceType: ml.g5.xlarge
  instances: 1             # 0: scaled to zero
  image: 763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.4
  environment: {HF_MODEL_ID: org/model}
  variants: {blue: 3, green: {weight: 1, instanceType: ml.g6.xlarge, instances: 2}}
  async: {output: "s3://bucket/path", failures: "s3://bucket/path", maxConcurrent: 4, lost: 1}   # or true
  serverless: {memory: 4096, maxConcurrency: 5}                                                  # or true
  components: [base, adapter]
  dataCapture: true
  failureReason: The container did not answer its health check
  lastModified: 2026-01-02T03:04:05Z
  tags: {"sagemaker-sdk:jumpstart-model-id": a-model}
  prices: {ml.g5.xlarge: 1.41}
  denied: [DescribeEndpoint, ListBucket]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sagemaker_eval.config.fields import Count, EndpointName, Filled, NotNegative, WholeNotNegative, refusal
from sagemaker_eval.config.schema import Entry
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.sandbox.s3_locations import default_bucket, split_location

Status: TypeAlias = Literal[
    "Creating",
    "Deleting",
    "Failed",
    "InService",
    "OutOfService",
    "RollingBack",
    "SystemUpdating",
    "UpdateRollbackFailed",
    "Updating",
]

CONTROL_OPERATIONS = (
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeInferenceComponent",
    "DescribeModel",
    "ListEndpoints",
    "ListInferenceComponents",
    "ListTags",
)
OBJECT_PERMISSIONS = ("DeleteObject", "GetObject", "ListBucket", "PutObject")
PRICE_OPERATION = "GetProducts"
DENIABLE = (*CONTROL_OPERATIONS, PRICE_OPERATION, *OBJECT_PERMISSIONS)
"""What `denied` may name: operations of the control plane and of the price list, permissions of S3."""

DEFAULT_VARIANT = "AllTraffic"
DEFAULT_INSTANCE_TYPE = "ml.g5.xlarge"
DEPLOYED_AT = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
"""When endpoints were deployed unless a script says otherwise."""

_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
_MEMORY_STEP = 1024
_MOST_MEMORY = 6144
_MOST_SERVERLESS = 200
_MOST_ASYNC = 1000


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant. Zero instances: it is scaled to zero."""

    name: str = DEFAULT_VARIANT
    weight: float = 1.0
    instance_type: str = DEFAULT_INSTANCE_TYPE
    instances: int = 1


@dataclass(frozen=True, slots=True)
class AsyncDeployment:
    """An asynchronous endpoint. `lost` counts how often the reply to an accepted request does not reach its caller."""

    output: str | None = None
    failures: str | None = None
    max_concurrent: int | None = None
    """Requests that one instance works on at a time; None: all of them."""
    lost: int = 0

    def output_path(self, endpoint: str, region: str) -> str:
        """Where answers go, without a final slash."""
        return self.output or f"s3://{default_bucket(region)}/async-endpoint-outputs/{endpoint}"

    def failure_path(self, endpoint: str, region: str) -> str:
        """Where failures go, without a final slash."""
        return self.failures or f"s3://{default_bucket(region)}/async-endpoint-failures/{endpoint}"


@dataclass(frozen=True, slots=True)
class Serverless:
    """A serverless endpoint. `memory` is in MB."""

    memory: int = 2048
    max_concurrency: int = 5


@dataclass(frozen=True, slots=True)
class Deployment:
    """What DescribeEndpoint and its relatives tell of an endpoint. Times are seconds since the epoch."""

    status: Status = "InService"
    in_service_after: float | None = None
    """Seconds from the start of the sandbox on until `status` gives way to InService; None: never."""
    image: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    variants: tuple[Variant, ...] = (Variant(),)
    asynchronous: AsyncDeployment | None = None
    serverless: Serverless | None = None
    components: tuple[str, ...] = ()
    data_capture: bool = False
    failure_reason: str | None = None
    last_modified: float = DEPLOYED_AT
    tags: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    """USD an hour, by instance type."""
    denied: frozenset[str] = frozenset()

    @property
    def async_workers(self) -> int | None:
        """Requests that all instances of an asynchronous endpoint work on at a time; None: any number."""
        if self.asynchronous is None or self.asynchronous.max_concurrent is None:
            return None
        return self.asynchronous.max_concurrent * max(1, sum(variant.instances for variant in self.variants))

    def status_after(self, seconds: float) -> Status:
        """The status so many seconds after the start of the sandbox."""
        ready = self.in_service_after is not None and seconds >= self.in_service_after
        return "InService" if ready else self.status

    def weighted(self, weights: Mapping[str, float]) -> Deployment:
        """The same with the variants and weights that a rule gives: those known here keep their instances."""
        if not weights:
            return self
        known = {variant.name: variant for variant in self.variants}
        like = self.variants[0]
        variants = (replace(known.get(name, like), name=name, weight=weight) for name, weight in weights.items())
        return replace(self, variants=tuple(variants))


def _location(value: str) -> str:
    if split_location(value) is None:
        raise refusal("must be a location in S3: `s3://bucket/path`")
    return value.rstrip("/")


def _instance_type(value: str) -> str:
    if not _INSTANCE_TYPE.fullmatch(value):
        raise refusal("must be an instance type, such as `ml.g5.xlarge`")
    return value


def _memory(value: int) -> int:
    if value % _MEMORY_STEP or not _MEMORY_STEP <= value <= _MOST_MEMORY:
        raise refusal(f"must be a multiple of {_MEMORY_STEP} MB, {_MOST_MEMORY} at most")
    return value


def _deniable(value: str) -> str:
    if value not in DENIABLE:
        nearest = nearest_name(value, DENIABLE)
        advice = f"did you mean `{nearest}`?" if nearest else ", ".join(f"`{name}`" for name in DENIABLE)
        raise refusal(f"must name an operation that can be denied ({advice})")
    return value


def _moment(value: Any) -> Any:
    """Times without a zone are UTC."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if not isinstance(moment, datetime):
        raise refusal("must be a time such as `2026-01-02T03:04:05Z`")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


Location: TypeAlias = Annotated[str, AfterValidator(_location)]
InstanceType: TypeAlias = Annotated[str, AfterValidator(_instance_type)]
Moment: TypeAlias = Annotated[float, BeforeValidator(_moment)]
Denied: TypeAlias = Annotated[str, AfterValidator(_deniable)]


class VariantEntry(Entry):
    """A production variant; what it leaves out is the deployment's."""

    where_it_stands = "in a variant of `deployment`"

    weight: NotNegative = 1.0
    instance_type: InstanceType | None = None
    instances: WholeNotNegative | None = None

    def value(self, name: str, plain: Variant) -> Variant:
        instances = plain.instances if self.instances is None else self.instances
        return Variant(name, self.weight, self.instance_type or plain.instance_type, instances)


class AsyncEntry(Entry):
    """Where an asynchronous endpoint writes, and how many requests an instance works on at a time."""

    where_it_stands = "in `deployment.async`"

    output: Location | None = None
    failures: Location | None = None
    max_concurrent: Annotated[Count, Field(le=_MOST_ASYNC)] | None = None
    lost: WholeNotNegative = 0

    def value(self) -> AsyncDeployment:
        return AsyncDeployment(self.output, self.failures, self.max_concurrent, self.lost)


class ServerlessEntry(Entry):
    """The size of a serverless endpoint."""

    where_it_stands = "in `deployment.serverless`"

    memory: Annotated[Count, AfterValidator(_memory)] = 2048
    max_concurrency: Annotated[Count, Field(le=_MOST_SERVERLESS)] = 5

    def value(self) -> Serverless:
        return Serverless(self.memory, self.max_concurrency)


def _weight(value: Any) -> Any:
    """A number stands for a variant of that weight."""
    return value if isinstance(value, dict) else {"weight": value}


def _switch(value: Any) -> Any:
    """`true` stands for the defaults of a kind of endpoint, `false` for another kind."""
    return {True: {}, False: None}[value] if isinstance(value, bool) else value


class DeploymentEntry(Entry):
    """How the endpoints of a rule are deployed."""

    where_it_stands = "in `deployment`"

    status: Status = "InService"
    in_service_after: NotNegative | None = None
    instance_type: InstanceType = DEFAULT_INSTANCE_TYPE
    instances: WholeNotNegative = 1
    image: Filled | None = None
    environment: dict[str, str] | None = None
    variants: dict[EndpointName, Annotated[VariantEntry, BeforeValidator(_weight)]] | None = None
    asynchronous: Annotated[AsyncEntry | None, BeforeValidator(_switch), Field(alias="async")] = None
    serverless: Annotated[ServerlessEntry | None, BeforeValidator(_switch)] = None
    components: list[EndpointName] | None = None
    data_capture: bool = False
    failure_reason: Filled | None = None
    last_modified: Moment = DEPLOYED_AT
    tags: dict[Filled, str] | None = None
    prices: dict[InstanceType, NotNegative] | None = None
    denied: list[Denied] | None = None

    @model_validator(mode="after")
    def _choose_a_kind(self) -> Self:
        if self.serverless is not None and (self.asynchronous is not None or self.components):
            raise refusal("may have only one of `serverless`, `async` and `components`")
        return self

    def deployment(self, weights: Mapping[str, float] | None = None) -> Deployment:
        """What the entry says, with the variants and weights of the rule that it belongs to."""
        plain = Variant(instance_type=self.instance_type, instances=self.instances)
        named = tuple(entry.value(name, plain) for name, entry in (self.variants or {}).items())
        deployed = Deployment(
            status=self.status,
            in_service_after=self.in_service_after,
            image=self.image,
            environment=dict(self.environment or {}),
            variants=named or (plain,),
            asynchronous=self.asynchronous.value() if self.asynchronous else None,
            serverless=self.serverless.value() if self.serverless else None,
            components=tuple(dict.fromkeys(self.components or ())),
            data_capture=self.data_capture,
            failure_reason=self.failure_reason,
            last_modified=self.last_modified,
            tags=dict(self.tags or {}),
            prices=dict(self.prices or {}),
            denied=frozenset(self.denied or ()),
        )
        return deployed.weighted(weights or {})
