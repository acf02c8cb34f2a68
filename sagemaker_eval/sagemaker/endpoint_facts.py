"""What AWS tells of an endpoint: state, variants, components, containers. Described once, before a run.

What the caller may not ask about stays unknown (None); only the endpoint itself must be describable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from sagemaker_eval.sagemaker.container_images import Family, family_of
from sagemaker_eval.sagemaker.identity import account_of_arn

_TAKES_TRAFFIC = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"})
"""Of the values of `EndpointStatus`, those with instances that answer."""

_FINGERPRINT_DIGITS = 16


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is deployed: the container that answers first, and how a model of several parts has to be addressed."""

    name: str | None = None
    image: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    artifact: str | None = None
    """Where the model's data came from (S3)."""
    multi_model: bool = False
    """One container loads models by name: each call has to say which (`TargetModel`)."""
    hostnames: tuple[str, ...] = ()
    """Containers that are called directly: each call has to name one (`TargetContainerHostname`)."""

    @property
    def family(self) -> Family | None:
        """The model server, None where the image does not tell."""
        return family_of(self.image)


@dataclass(frozen=True, slots=True)
class VariantFacts:
    """A production variant. `model` is None where it is not known, and for variants that host components."""

    name: str
    weight: float | None = None
    instance_type: str | None = None
    instances: int | None = None
    pools: tuple[tuple[str, int], ...] = ()
    """Instance types and their numbers, where a variant has several types."""
    serverless_concurrency: int | None = None
    """Calls that a serverless variant takes at a time; None for variants on instances."""
    image: str | None = None
    """The image by its digest, as it was resolved when the variant was deployed."""
    model: ModelFacts | None = None

    @property
    def fleet(self) -> tuple[tuple[str, int], ...]:
        """Instance types and how many of each are running now; empty where that is not known or there are none."""
        if self.pools:
            return self.pools
        return ((self.instance_type, self.instances),) if self.instance_type and self.instances else ()

    @property
    def scaled_to_zero(self) -> bool:
        """Whether no instance is running, so that a first call has to wait for one."""
        return self.instances == 0 and self.serverless_concurrency is None


@dataclass(frozen=True, slots=True)
class ComponentFacts:
    """An inference component; `copies` that run now."""

    name: str
    variant: str | None = None
    status: str | None = None
    copies: int | None = None
    failure_reason: str | None = None
    base: str | None = None
    """The component that an adapter belongs to."""
    model: ModelFacts | None = None


@dataclass(frozen=True, slots=True)
class EndpointFacts:
    """One endpoint at one moment. Times are seconds since 1970."""

    name: str
    status: str
    region: str
    failure_reason: str | None = None
    arn: str | None = None
    config_name: str | None = None
    created: float | None = None
    last_modified: float | None = None
    variants: tuple[VariantFacts, ...] = ()
    is_async: bool = False
    async_output: str | None = None
    """The S3 URI under which an asynchronous endpoint puts its answers."""
    hosts_components: bool | None = None
    components: tuple[ComponentFacts, ...] | None = None
    data_capture: bool = False
    jumpstart_model: str | None = None
    denied: tuple[str, ...] = ()
    """Operations that the caller may not use, so that what they tell is missing here."""

    @property
    def takes_traffic(self) -> bool:
        """Whether calls are answered in this state."""
        return self.status in _TAKES_TRAFFIC

    @property
    def account(self) -> str | None:
        """The account that the endpoint is in."""
        return account_of_arn(self.arn or "")

    @property
    def serverless_concurrency(self) -> int | None:
        """Calls that a serverless endpoint takes at a time; None for an endpoint on instances."""
        return next((v.serverless_concurrency for v in self.variants if v.serverless_concurrency is not None), None)

    @property
    def kind(self) -> str | None:
        """`async`, `serverless`, `components` or `real-time`; None where it cannot be seen."""
        if self.is_async:
            return "async"
        if self.serverless_concurrency is not None:
            return "serverless"
        if self.hosts_components is None:
            return None
        return "components" if self.hosts_components else "real-time"

    def component(self, name: str) -> ComponentFacts | None:
        """The component of that name, None where it is not known."""
        return next((component for component in self.components or () if component.name == name), None)

    def model(self, component: str | None = None, variant: str | None = None) -> ModelFacts | None:
        """What answers a call to that component, or to that variant, else to the first variant."""
        if component is not None:
            known = self.component(component)
            return known.model if known else None
        if variant is not None:
            return next((v.model for v in self.variants if v.name == variant), None)
        return self.variants[0].model if self.variants else None

    def fingerprint(self, component: str | None = None) -> str:
        """A text that changes when something else is deployed under this name, and not when the endpoint scales.

        With a component it is about that one alone: others may come and go beside it.
        """
        known = self.component(component) if component is not None else None
        variants = [[v.name, v.image, v.model and v.model.name] for v in self.variants]
        deployed = [known.name, known.base, _essence(known.model)] if known else [self.config_name, variants]
        text = json.dumps([self.name, self.created, deployed])
        return sha256(text.encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def _essence(model: ModelFacts | None) -> list[str | None]:
    return [model.name, model.image, model.artifact] if model else []
