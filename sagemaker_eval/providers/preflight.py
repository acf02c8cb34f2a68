"""What is checked of an endpoint before the first call: whether the provider's settings fit what is deployed.

`findings` judges facts and asks nobody. What stops a run is certain to fail; all else is a note.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sagemaker_eval.errors import Retry, SetupError
from sagemaker_eval.model import Operation, ProviderSpec, SageMakerOptions
from sagemaker_eval.providers.preflight_notes import VARIANT, notes_on
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.sagemaker import hints
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.describing import describe
from sagemaker_eval.sagemaker.endpoint_facts import ComponentFacts, EndpointFacts
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble

COMPONENT = "InferenceComponentName"
MODEL = "TargetModel"
CONTAINER = "TargetContainerHostname"

_COMPONENT_ANSWERS = frozenset({"InService", "Updating"})
_MOST_NAMED = 20

PATIENCE_S = 15.0
"""How long a run waits for what the control plane tells of one endpoint, however many calls that takes."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Findings:
    """`refusal` is why no call can succeed; `component` is what calls go to where the settings name none."""

    refusal: SetupError | None = None
    notes: tuple[str, ...] = ()
    component: str | None = None


class Preflight:
    """Checks providers over one control plane. Each endpoint is described once, however many providers call it."""

    def __init__(self, plane: ControlPlane, patience_s: float = PATIENCE_S) -> None:
        self._plane = plane
        self._patience_s = patience_s
        self._known: dict[str, EndpointFacts | ServiceFault] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def examine(
        self, options: SageMakerOptions, spec: ProviderSpec, concurrency: int | None = None
    ) -> tuple[EndpointFacts | None, Findings]:
        """Describes the endpoint of a provider and judges what comes back. `concurrency` is as in `findings`.

        Facts are None where the endpoint cannot be described; that alone stops nothing, unless it does not exist.
        Raises `SetupError` where there are no credentials.
        """
        known = await self._described(options.endpoint)
        if isinstance(known, ServiceFault):
            return None, await self._undescribed(known, options)
        return known, findings(known, options, spec, concurrency)

    async def facts(self, endpoint: str) -> EndpointFacts | None:
        """What is known of an endpoint; None where it cannot be described. Raises `SetupError` without credentials."""
        known = await self._described(endpoint)
        return None if isinstance(known, ServiceFault) else known

    async def _described(self, endpoint: str) -> EndpointFacts | ServiceFault:
        async with self._turns[endpoint]:
            if endpoint not in self._known:
                try:
                    async with _patient(self._patience_s):
                        self._known[endpoint] = await describe(self._plane, endpoint)
                except ServiceFault as fault:
                    self._known[endpoint] = fault
            return self._known[endpoint]

    async def _undescribed(self, fault: ServiceFault, options: SageMakerOptions) -> Findings:
        """What it means that the endpoint itself could not be described."""
        endpoint = options.endpoint
        if fault.trouble is Trouble.NOT_FOUND:
            return Findings(refusal=await self._not_found(endpoint))
        if fault.trouble is Trouble.DENIED:
            log.debug("%s; %s", fault.message, fault.hint)
            told = "is not checked before the run: the caller may not `sagemaker:DescribeEndpoint`"
            return Findings(notes=(f"endpoint `{endpoint}` {told}",))
        log.debug("endpoint %s is not checked before the run: %s", endpoint, fault.message)
        return Findings()

    async def _not_found(self, endpoint: str) -> SetupError:
        hint = hints.endpoint_not_found(self._plane.region)
        try:
            async with _patient(self._patience_s):
                listed = await self._plane.items("ListEndpoints", {}, "Endpoints")
        except ServiceFault as fault:
            log.debug("no endpoint to suggest: %s", fault.message)
        else:
            meant = nearest_name(endpoint, [str(each.get("EndpointName")) for each in listed])
            hint = f"did you mean `{meant}`? {hint}" if meant else hint
        return SetupError(f"endpoint `{endpoint}` not found in {self._plane.region}", hint)


@asynccontextmanager
async def _patient(seconds: float) -> AsyncIterator[None]:
    """Makes a fault of what takes longer: nothing that is told here is worth holding up a run."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        told = f"the control plane did not tell all within {seconds:g} s"
        fault = ServiceFault(Trouble.UNREACHABLE, told, code="ReadTimeout", hint=None, retry=Retry.NEVER)
        raise fault from error


def findings(
    facts: EndpointFacts, options: SageMakerOptions, spec: ProviderSpec, concurrency: int | None = None
) -> Findings:
    """What a provider has to know of its endpoint.

    `concurrency` is how many calls of the provider may be in flight, None where that is not settled yet.
    """
    try:
        _check_status(facts)
        _check_operation(facts, options)
        component = _component(facts, options)
        _check_variant(facts, options)
        called = component or options.routing.get(COMPONENT)
        _check_model(facts, options, called)
    except SetupError as refusal:
        return Findings(refusal=refusal)
    chosen = (
        (f"endpoint `{facts.name}` hosts one inference component, and calls go to it: `{component}`",)
        if component
        else ()
    )
    in_flight = None if spec.adaptive else spec.max_concurrency or concurrency
    return Findings(notes=(*chosen, *notes_on(facts, options, spec, called, in_flight)), component=component)


def _check_status(facts: EndpointFacts) -> None:
    if facts.takes_traffic:
        return
    reason = f": {hints.one_line(facts.failure_reason)}" if facts.failure_reason else ""
    waiting = f"aws sagemaker wait endpoint-in-service --endpoint-name {facts.name} --region {facts.region}"
    advice = {
        "Creating": f"wait until it is in service (`{waiting}`), then start the run again",
        "Deleting": "deploy the model again",
        "Failed": f"delete the endpoint and deploy it again; {hints.container_log(None, facts.name, facts.region)}",
    }
    raise SetupError(
        f"endpoint `{facts.name}` takes no calls: its status is {facts.status}{reason}",
        advice.get(facts.status, f"look at the endpoint in the SageMaker console of {facts.region}"),
    )


def _check_operation(facts: EndpointFacts, options: SageMakerOptions) -> None:
    asks_async = options.operation is Operation.ASYNC
    if facts.is_async and not asks_async:
        raise SetupError(
            f"endpoint `{facts.name}` takes asynchronous invocations only",
            "set `async: true` in the provider's `config`, or `async: {bucket: …}` for requests above 128,000 bytes",
        )
    if asks_async and not facts.is_async:
        raise SetupError(
            f"endpoint `{facts.name}` takes no asynchronous invocations",
            "remove `async` from the provider's `config`, or deploy the model on an asynchronous endpoint",
        )


def _component(facts: EndpointFacts, options: SageMakerOptions) -> str | None:
    """The component to call where the settings name none and there is just one. Raises `SetupError`."""
    named = options.routing.get(COMPONENT)
    if facts.hosts_components is False:
        if named:
            raise SetupError(
                f"endpoint `{facts.name}` hosts no inference components",
                "remove `inferenceComponentName` from the provider's `config`",
            )
        return None
    if not facts.components:
        if facts.hosts_components and facts.components is not None:
            raise SetupError(
                f"endpoint `{facts.name}` hosts inference components, and none is deployed on it",
                "deploy a model on it as an inference component",
            )
        return None
    if named is None:
        if len(facts.components) > 1:
            raise _several(facts)
        _check_component(facts.components[0])
        return facts.components[0].name
    if _is_literal(named):
        known = facts.component(named)
        if known is None:
            names = [component.name for component in facts.components]
            raise _unknown("inference component", named, facts.name, names)
        _check_component(known)
    return None


def _several(facts: EndpointFacts) -> SetupError:
    names = [component.name for component in facts.components or ()]
    return SetupError(
        f"endpoint `{facts.name}` hosts {len(names)} inference components, and the provider names none",
        f"set `inferenceComponentName` in its `config` to one of {_listed(names)}",
    )


def _check_component(component: ComponentFacts) -> None:
    if component.status is None or component.status in _COMPONENT_ANSWERS:
        return
    reason = f": {hints.one_line(component.failure_reason)}" if component.failure_reason else ""
    raise SetupError(
        f"inference component `{component.name}` takes no calls: its status is {component.status}{reason}",
        "wait until it is in service, or deploy it again",
    )


def _check_variant(facts: EndpointFacts, options: SageMakerOptions) -> None:
    named = options.routing.get(VARIANT)
    names = [variant.name for variant in facts.variants]
    if named and names and _is_literal(named) and named not in names:
        raise _unknown("variant", named, facts.name, names)


def _check_model(facts: EndpointFacts, options: SageMakerOptions, component: str | None) -> None:
    model = facts.model(component, options.routing.get(VARIANT))
    if model is None:
        return
    if model.multi_model and MODEL not in options.routing:
        raise SetupError(
            f"endpoint `{facts.name}` hosts many models, and the provider does not say which to call",
            "set `targetModel` in its `config` to the model's file, such as `model.tar.gz`",
        )
    named = options.routing.get(CONTAINER)
    if not model.hostnames or (named and not _is_literal(named)):
        return
    if named is None:
        raise SetupError(
            f"endpoint `{facts.name}` has several containers, and the provider does not say which to call",
            f"set `targetContainerHostname` in its `config` to one of {_listed(model.hostnames)}",
        )
    if named not in model.hostnames:
        raise _unknown("container", named, facts.name, model.hostnames)


def _unknown(what: str, name: str, endpoint: str, known: Sequence[str]) -> SetupError:
    nearest = nearest_name(name, list(known))
    meant = f"did you mean `{nearest}`? " if nearest else ""
    return SetupError(f"endpoint `{endpoint}` has no {what} `{name}`", f"{meant}there are: {_listed(known)}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown


def _is_literal(value: str) -> bool:
    """Whether a value is what is sent: templates are rendered with the variables of each case."""
    return "{{" not in value and "{%" not in value
