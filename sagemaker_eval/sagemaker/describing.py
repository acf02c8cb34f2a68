"""Asks the control plane about an endpoint: the answers of its operations become `EndpointFacts`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.endpoint_facts import ComponentFacts, EndpointFacts, ModelFacts, VariantFacts
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble

JUMPSTART_TAG = "sagemaker-sdk:jumpstart-model-id"

_AT_ONCE = 4
"""Calls in flight for one endpoint: AWS throttles descriptions after a few in a second."""

_MOST_COMPONENTS = 40
"""Components of one endpoint that are described each; the names of all are known."""

log = logging.getLogger(__name__)

T = TypeVar("T")
Members = Mapping[str, Any]


async def outline(plane: ControlPlane, endpoint: str) -> EndpointFacts:
    """State and variants of an endpoint, by two calls: without components, containers and tags.

    Raises `ServiceFault` where the endpoint itself cannot be described, and `SetupError` without credentials.
    """
    with _strange_answers(plane):
        return await _Description(plane).outline(endpoint)


async def describe(plane: ControlPlane, endpoint: str) -> EndpointFacts:
    """All that can be known of an endpoint. Raises as `outline`; what else is refused stays unknown."""
    with _strange_answers(plane):
        return await _Description(plane).whole(endpoint)


@contextmanager
def _strange_answers(plane: ControlPlane) -> Iterator[None]:
    """Members of other types than the API gives them are a fault of whatever answers at this address."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, ExceptionGroup) as error:
        log.debug("an answer of the control plane cannot be read", exc_info=True)
        raise plane.strange_answer() from error


class _Description:
    """The calls for one endpoint, a few at a time, and what was denied among them."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._denied: dict[str, None] = {}
        self._models: dict[str, asyncio.Task[ModelFacts | None]] = {}

    async def outline(self, endpoint: str) -> EndpointFacts:
        described = await self._plane.call("DescribeEndpoint", {"EndpointName": endpoint})
        config = await self._config(described.get("EndpointConfigName"))
        return self._facts(endpoint, described, config)

    async def whole(self, endpoint: str) -> EndpointFacts:
        described = await self._plane.call("DescribeEndpoint", {"EndpointName": endpoint})
        async with asyncio.TaskGroup() as tasks:
            jumpstart = tasks.create_task(self._jumpstart_model(described.get("EndpointArn")))
            config = await self._config(described.get("EndpointConfigName"))
            facts = self._facts(endpoint, described, config)
            components = tasks.create_task(self._components(facts))
            variants = tasks.create_task(self._with_models(facts.variants, config))
        found = components.result()
        return replace(
            facts,
            variants=variants.result(),
            components=found,
            hosts_components=True if found else facts.hosts_components,
            jumpstart_model=jumpstart.result(),
            denied=tuple(self._denied),
        )

    def _facts(self, endpoint: str, described: Members, config: Members | None) -> EndpointFacts:
        asynchronous = described.get("AsyncInferenceConfig") or {}
        return EndpointFacts(
            name=endpoint,
            status=str(described.get("EndpointStatus") or "unknown"),
            region=self._plane.region,
            failure_reason=_text(described.get("FailureReason")),
            arn=described.get("EndpointArn"),
            config_name=described.get("EndpointConfigName"),
            created=_number(described.get("CreationTime")),
            last_modified=_number(described.get("LastModifiedTime")),
            variants=_variants(described.get("ProductionVariants") or [], _by_name(config)),
            is_async=bool(asynchronous or (config or {}).get("AsyncInferenceConfig")),
            async_output=(asynchronous.get("OutputConfig") or {}).get("S3OutputPath"),
            hosts_components=_hosts_components(described, config),
            data_capture=bool((described.get("DataCaptureConfig") or {}).get("EnableCapture")),
            denied=tuple(self._denied),
        )

    async def _config(self, name: str | None) -> Members | None:
        return await self._part("DescribeEndpointConfig", {"EndpointConfigName": name}) if name else None

    async def _components(self, facts: EndpointFacts) -> tuple[ComponentFacts, ...] | None:
        """None where they are not known; an endpoint that hosts none, or none yet, has ()."""
        if facts.hosts_components is False:
            return ()
        listed = await self._or_none(
            "ListInferenceComponents",
            lambda: self._plane.items(
                "ListInferenceComponents", {"EndpointNameEquals": facts.name}, "InferenceComponents"
            ),
        )
        if listed is None:
            return None
        known = [self._component(member) for member in listed[:_MOST_COMPONENTS]]
        return (*await asyncio.gather(*known), *map(_listed_component, listed[_MOST_COMPONENTS:]))

    async def _component(self, listed: Members) -> ComponentFacts:
        known = _listed_component(listed)
        described = await self._part("DescribeInferenceComponent", {"InferenceComponentName": known.name})
        if described is None:
            return known
        several = described.get("Specifications") or [{}]
        specification = described.get("Specification") or several[0]
        return replace(
            known,
            status=_text(described.get("InferenceComponentStatus")) or known.status,
            copies=(described.get("RuntimeConfig") or {}).get("CurrentCopyCount"),
            failure_reason=_text(described.get("FailureReason")),
            base=specification.get("BaseInferenceComponentName"),
            model=await self._component_model(specification),
        )

    async def _component_model(self, specification: Members) -> ModelFacts | None:
        container = specification.get("Container") or {}
        name = specification.get("ModelName")
        model = await self._model(name) if name else None
        if not container:
            return model
        model = model or ModelFacts(name=name)
        return replace(
            model,
            image=_image(container.get("DeployedImage") or {}) or model.image,
            environment={**model.environment, **(container.get("Environment") or {})},
            artifact=container.get("ArtifactUrl") or model.artifact,
        )

    async def _with_models(self, variants: Iterable[VariantFacts], config: Members | None) -> tuple[VariantFacts, ...]:
        configured = _by_name(config)

        async def with_model(variant: VariantFacts) -> VariantFacts:
            name = configured.get(variant.name, {}).get("ModelName")
            known = await self._model(name) if name else None
            if known is None:
                return variant
            deployed = variant.model or known
            return replace(variant, model=replace(known, image=known.image or deployed.image))

        return tuple(await asyncio.gather(*map(with_model, variants)))

    async def _model(self, name: str) -> ModelFacts | None:
        """The model of that name, described once however many parts of the endpoint it is behind."""
        if name not in self._models:
            self._models[name] = asyncio.create_task(self._described_model(name))
        return await self._models[name]

    async def _described_model(self, name: str) -> ModelFacts | None:
        described = await self._part("DescribeModel", {"ModelName": name})
        return None if described is None else _model(name, described)

    async def _jumpstart_model(self, arn: str | None) -> str | None:
        tags = (await self._part("ListTags", {"ResourceArn": arn}) or {}).get("Tags") if arn else None
        return next((tag.get("Value") for tag in tags or [] if tag.get("Key") == JUMPSTART_TAG), None)

    async def _part(self, operation: str, payload: Members) -> dict[str, Json] | None:
        return await self._or_none(operation, lambda: self._plane.call(operation, payload))

    async def _or_none(self, operation: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        async with self._turns:
            try:
                return await ask()
            except SagevalError as error:
                if isinstance(error, ServiceFault) and error.trouble is Trouble.DENIED:
                    self._denied[operation] = None
                log.debug("not known of the endpoint: %s: %s", operation, error.message)
                return None


def _by_name(config: Members | None) -> dict[str, Members]:
    return {variant.get("VariantName", ""): variant for variant in (config or {}).get("ProductionVariants") or []}


def _hosts_components(described: Members, config: Members | None) -> bool | None:
    """A variant whose configuration names no model is there for components; None where that cannot be seen."""
    if config is not None:
        return not any(variant.get("ModelName") for variant in _by_name(config).values())
    running = described.get("ProductionVariants") or []
    told = any(variant.get("DeployedImages") or variant.get("CurrentServerlessConfig") for variant in running)
    return False if told else None


def _variants(running: Iterable[Members], configured: Mapping[str, Members]) -> tuple[VariantFacts, ...]:
    """The running variants; those of the configuration where none runs yet."""
    states = {str(variant.get("VariantName")): variant for variant in running}
    return tuple(_variant(name, states.get(name, {}), configured.get(name, {})) for name in states or configured)


def _variant(name: str, running: Members, configured: Members) -> VariantFacts:
    serverless = running.get("CurrentServerlessConfig") or configured.get("ServerlessConfig") or {}
    pools = (
        (pool.get("InstanceType"), pool.get("CurrentInstanceCount")) for pool in running.get("InstancePools") or []
    )
    image = _image(next(iter(running.get("DeployedImages") or []), {}))
    weight = running.get("CurrentWeight")
    return VariantFacts(
        name=name,
        weight=_number(configured.get("InitialVariantWeight") if weight is None else weight),
        instance_type=configured.get("InstanceType"),
        instances=running.get("CurrentInstanceCount"),
        pools=tuple((kind, count) for kind, count in pools if kind and count),
        serverless_concurrency=serverless.get("MaxConcurrency"),
        image=next((deployed.get("ResolvedImage") for deployed in running.get("DeployedImages") or []), None),
        model=ModelFacts(image=image) if image else None,
    )


def _listed_component(listed: Members) -> ComponentFacts:
    return ComponentFacts(
        name=str(listed.get("InferenceComponentName")),
        variant=listed.get("VariantName"),
        status=_text(listed.get("InferenceComponentStatus")),
    )


def _model(name: str, described: Members) -> ModelFacts:
    """The container that answers: the only one, else the first of a pipeline."""
    containers = described.get("Containers") or [described.get("PrimaryContainer") or {}]
    direct = (described.get("InferenceExecutionConfig") or {}).get("Mode") == "Direct"
    first = containers[0]
    source = (first.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return ModelFacts(
        name=name,
        image=first.get("Image"),
        environment=first.get("Environment") or {},
        artifact=first.get("ModelDataUrl") or source.get("S3Uri"),
        multi_model=first.get("Mode") == "MultiModel",
        hostnames=tuple(each["ContainerHostname"] for each in containers if each.get("ContainerHostname"))
        if direct
        else (),
    )


def _image(deployed: Members) -> str | None:
    """The image as it was asked for: names have tags that digests lack."""
    return deployed.get("SpecifiedImage") or deployed.get("ResolvedImage")


def _text(value: Json) -> str | None:
    return None if value is None else str(value)


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None
