"""The ways to a SageMaker endpoint, by how it is asked: at once, as a stream, through S3, on its OpenAI path."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from functools import partial

from sagemaker_eval.calling.cache_origin import Keys
from sagemaker_eval.config.places import within
from sagemaker_eval.config.routing_members import MEMBERS, is_templated
from sagemaker_eval.errors import ConfigError, SagevalError, SetupError
from sagemaker_eval.formats.streams import StreamDecoder
from sagemaker_eval.model import Answer, Operation, ProviderSpec, Request, SageMakerOptions
from sagemaker_eval.providers.endpoints import EndpointState
from sagemaker_eval.providers.line import Transport, Way
from sagemaker_eval.providers.preflight import COMPONENT
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.async_transport import AsyncTransport
from sagemaker_eval.sagemaker.bearer_token import BearerTokens
from sagemaker_eval.sagemaker.connections import Sender
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts
from sagemaker_eval.sagemaker.objects import Objects
from sagemaker_eval.sagemaker.openai_transport import OpenAiTransport
from sagemaker_eval.sagemaker.prices import PriceList
from sagemaker_eval.sagemaker.session import Target
from sagemaker_eval.sagemaker.signed_calls import SignedCalls, check_serverless_payload
from sagemaker_eval.sagemaker.stream_transport import StreamTransport
from sagemaker_eval.sagemaker.transport import Transport as PlainTransport
from sagemaker_eval.sagemaker.wire import Wire
from sagemaker_eval.text.templating.templates import Templates

_PATHS = {
    Operation.INVOKE: "invocations",
    Operation.STREAM: "invocations-response-stream",
    Operation.ASYNC: "async-invocations",
    Operation.OPENAI: "openai/v1/chat/completions",
}


def way_of(spec: ProviderSpec, services: Services) -> Way:
    """The way of a `sagemaker` provider. Raises `SetupError` where region, profile or URL cannot be settled."""
    options: SageMakerOptions = spec.options
    target = services.target(options.aws)
    address = services.address(target)
    place = (target.url, target.region, target.identity)
    state = services.endpoints.of(place, options.endpoint, options.routing)
    state.shared.rates.limit(options.rates)
    state.specs.append(spec)
    keys = Keys(target.identity, address, target.region, options.revision, lambda: state.fingerprint)
    state.price = partial(settle_price, target, state, services)
    state.gate.preflight = partial(look_ahead, target, state, services)
    transport = ToComponent(_transport(target, options, services), state)
    return Way(
        transport,
        state,
        key=keys,
        url=lambda request: target.url + invocations_path(request),
        settle=None if options.revision else partial(settle_fingerprint, target, state, services, keys),
    )


async def settle_fingerprint(target: Target, state: EndpointState, services: Services, keys: Keys) -> None:
    """Find out what is deployed, so that a redeploy is a miss; what was known last, where nobody may tell."""
    store, endpoint = services.store, state.shared.meter.endpoint
    if store is None:
        return
    component = next((name for spec in state.specs if (name := spec.options.routing.get(COMPONENT))), "")
    key = keys.endpoint_key(f"{endpoint}/{component}" if component else endpoint)
    facts = None
    if services.is_described(target, endpoint) and not services.offline:
        with suppress(SagevalError):
            facts = await services.preflight(target).facts(endpoint)
    if facts is None:
        state.fingerprint = store.last_known(key) or ""
        return
    state.fingerprint = facts.fingerprint(component or None)
    store.remember(key, state.fingerprint)


def check_routing(spec: ProviderSpec, templates: Templates | None) -> None:
    """Compile the members of the call that are templates. Raises `ConfigError` with the place of what cannot be."""
    for name, text in spec.options.routing.items():
        if templates is not None and is_templated(text):
            place = spec.where and within(spec.where, "config", MEMBERS[name].key)
            try:
                templates.prompt(text, place)
            except ConfigError as error:
                raise ConfigError(
                    replace(problem, where=place or problem.where) for problem in error.problems
                ) from None


def _transport(target: Target, options: SageMakerOptions, services: Services) -> Transport:
    wire, credentials, pool = Wire(target), target.credentials, services.pool
    if options.operation is Operation.INVOKE:
        return PlainTransport(wire, credentials, pool, options.timeout_ms)
    signed = SignedCalls(wire, credentials, options.timeout_ms)
    if options.operation is Operation.STREAM:
        return StreamTransport(signed, pool, StreamDecoder, ca_bundle=target.ca_bundle, timeout_ms=options.timeout_ms)
    sender = Sender(pool, options.timeout_ms, ca_bundle=target.ca_bundle)
    if options.operation is Operation.ASYNC:
        objects = Objects(partial(target.boto3_client, "s3"), services.notice)
        return AsyncTransport(signed, sender, options.asynchronous, objects, sleep=services.sleep)
    tokens = BearerTokens(credentials, target.region, learn=services.learn_secrets)
    return OpenAiTransport(signed, sender, tokens, StreamDecoder)


async def look_ahead(target: Target, state: EndpointState, services: Services) -> SetupError | None:
    """Describe the endpoint before the first call to it, tell what is worth knowing; why no call can succeed."""
    is_priced = services.endpoints.budget.max_cost is not None
    if services.is_described(target, state.shared.meter.endpoint):
        for spec in state.specs:
            facts, findings = await services.preflight(target).examine(spec.options, spec, services.concurrency(spec))
            if facts is not None:
                state.shared.facts = facts
                state.shared.fleet.instances = fleet_of(facts)
            for note in findings.notes:
                services.notice(note)
            if findings.refusal is not None:
                return findings.refusal
            state.component = findings.component
    if is_priced and await settle_price(target, state, services) is None:
        return SetupError(
            f"`--max-cost` needs the price of endpoint `{state.shared.meter.endpoint}`, and it is not known",
            "set `instanceHourlyUsd` in the config of the provider",
        )
    return None


def fleet_of(facts: EndpointFacts) -> tuple[tuple[str, int], ...]:
    """The instances of all variants, by type."""
    numbers: Counter[str] = Counter()
    for variant in facts.variants:
        for kind, count in variant.fleet:
            numbers[kind] += count
    return tuple(numbers.items())


async def settle_price(target: Target, state: EndpointState, services: Services) -> float | None:
    """What an hour of the endpoint costs: by the configuration, else by AWS's price list; None: nobody knows."""
    fleet = state.shared.fleet
    told = next((usd for spec in state.specs if (usd := spec.options.instance_hourly_usd) is not None), None)
    if told is not None:
        fleet.configured(told)
    elif fleet.instances:
        prices = PriceList.of(target, services.pool)
        fleet.listed({kind: await prices.hourly(kind, target.region) for kind, _ in fleet.instances})
    state.shared.meter.hourly_usd = fleet.hourly_usd
    return fleet.hourly_usd


class ToComponent:
    """Does with a call what the endpoint was found to need: the component that it has, the limit that it sets."""

    def __init__(self, inner: Transport, state: EndpointState) -> None:
        self._inner = inner
        self._state = state

    async def __call__(self, request: Request) -> Answer:
        facts = self._state.shared.facts
        if facts is not None and facts.serverless_concurrency is not None:
            check_serverless_payload(request)
        return await self._inner(self._routed(request) if self._state.component else request)

    async def make_ready(self, request: Request) -> None:
        await self._inner.make_ready(self._routed(request) if self._state.component else request)

    async def close(self) -> None:
        """Give back what the transport holds beside connections."""
        close = getattr(self._inner, "close", None)
        if close is not None:
            await close()

    def _routed(self, request: Request) -> Request:
        if any(name == COMPONENT for name, _ in request.routing):
            return request
        return replace(request, routing=tuple(sorted((*request.routing, (COMPONENT, str(self._state.component))))))


def invocations_path(request: Request) -> str:
    """The path that a request goes to."""
    component = next((f"/inference-components/{value}" for name, value in request.routing if name == COMPONENT), "")
    within = component if request.operation is Operation.OPENAI else ""
    return f"/endpoints/{request.endpoint}{within}/{_PATHS[request.operation]}"
