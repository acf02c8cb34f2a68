"""What the run knows of each endpoint, shared by all providers and graders that call it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sagemaker_eval.calling.adaptive import AdaptiveLimit
from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.calling.first_alone import UNREACHABLE, Gate
from sagemaker_eval.calling.health import Health
from sagemaker_eval.calling.metering import Budget, Meter
from sagemaker_eval.calling.rates import EndpointRates
from sagemaker_eval.calling.warm_up import Readiness
from sagemaker_eval.model import EndpointUse, ProviderSpec
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts
from sagemaker_eval.sagemaker.prices import Price

_APART = ("InferenceComponentName", "TargetContainerHostname", "TargetModel", "TargetVariant")
"""Members of a call that lead to another model behind the same endpoint: one may be down, or loading, alone."""


@dataclass(slots=True)
class Fleet:
    """The instances of one endpoint, as far as anybody told: their number by type, and what an hour of each costs."""

    instances: tuple[tuple[str, int], ...] = ()
    hourly_usd: float | None = None
    """What an hour of all of them costs."""
    source: str = ""

    def configured(self, hourly_usd: float) -> None:
        """Take the price of an instance-hour from the configuration, where it wins."""
        number = sum(count for _, count in self.instances)
        counted = "" if number else "1 instance assumed, "
        self.hourly_usd = hourly_usd * (number or 1)
        self.source = f"{counted}price from `instanceHourlyUsd`"

    def listed(self, prices: Mapping[str, Price]) -> None:
        """Take the prices of AWS's list, where all of them are known."""
        told = [(prices[kind].hourly_usd, count) for kind, count in self.instances]
        if self.instances and all(price is not None for price, _ in told):
            self.hourly_usd = sum((price or 0.0) * count for price, count in told)
            self.source = "on-demand list price"

    @property
    def words(self) -> str:
        """`2 x ml.g5.xlarge`; empty where nothing is known."""
        return " + ".join(f"{count} x {kind}" for kind, count in self.instances)


@dataclass(slots=True)
class Shared:
    """One endpoint, whatever stands behind it."""

    rates: EndpointRates
    meter: Meter
    fleet: Fleet = field(default_factory=Fleet)
    facts: EndpointFacts | None = None

    def use(self) -> EndpointUse:
        """What the run took of it."""
        meter, fleet = self.meter, self.fleet
        return EndpointUse(meter.endpoint, meter.calls, meter.seconds, fleet.words, fleet.hourly_usd, fleet.source)


@dataclass(slots=True)
class EndpointState:
    """One endpoint, or one of the models behind it that calls can name. `component` is chosen where they name none."""

    shared: Shared
    gate: Gate
    health: Health
    readiness: Readiness
    component: str | None = None
    fingerprint: str = ""
    """Another text for each deployment; empty where nobody knows."""
    limit: AdaptiveLimit | None = None
    specs: list[ProviderSpec] = field(default_factory=list)
    """Those who call it, graders among them."""
    price: Callable[[], Awaitable[float | None]] | None = None
    """Finds out what an hour of it costs."""

    def adaptive(self, most: int, clock: Clock) -> AdaptiveLimit:
        """The limit that is found while running; the first provider that asks says how far it may go."""
        if self.limit is None:
            self.limit = AdaptiveLimit(most, clock)
        return self.limit


class Endpoints:
    """The endpoints of a run, each made when it is first asked for. `sleep` is how calls wait."""

    def __init__(
        self, budget: Budget | None = None, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self.budget = budget or Budget()
        self.clock = clock
        self._sleep = sleep
        self._shared: dict[tuple[str, ...], Shared] = {}
        self._states: dict[tuple[str, ...], EndpointState] = {}

    def of(
        self,
        place: tuple[str, ...],
        endpoint: str,
        routing: Mapping[str, str] | None = None,
        unreachable: frozenset[str] = UNREACHABLE,
    ) -> EndpointState:
        """The state of what calls with `routing` get to; `place` tells endpoints of one name apart."""
        whole = (*place, endpoint)
        part = tuple(f"{name}={value}" for name in _APART if (value := (routing or {}).get(name)))
        state = self._states.get((*whole, *part))
        if state is None:
            state = EndpointState(
                shared=self._shared_by(whole),
                gate=Gate(unreachable),
                health=Health(self.clock, self._sleep),
                readiness=Readiness(self.clock, self._sleep),
            )
            self._states[(*whole, *part)] = state
        return state

    def _shared_by(self, whole: tuple[str, ...]) -> Shared:
        shared = self._shared.get(whole)
        if shared is None:
            shared = self._shared[whole] = Shared(EndpointRates(self.clock, self._sleep), Meter(whole[-1]))
            self.budget.meters.append(shared.meter)
        return shared

    async def used(self, *, ask: bool = True) -> list[tuple[Shared, EndpointUse]]:
        """What the run took of the endpoints that were called, in the order of their first calls.

        With `ask`, prices that are not known yet are looked up.
        """
        for state in self._states.values():
            if ask and state.price is not None and state.shared.meter.calls and state.shared.meter.hourly_usd is None:
                await state.price()
        called = [shared for shared in self._shared.values() if shared.meter.began is not None]
        return [(shared, shared.use()) for shared in sorted(called, key=lambda shared: shared.meter.began or 0.0)]

    def shared_by(self, spec: ProviderSpec) -> Shared | None:
        """The endpoint that a provider calls, once it is known."""
        return next((state.shared for state in self._states.values() if spec in state.specs), None)

    def waiting_for(self, spec: ProviderSpec) -> str | None:
        """What the calls of a provider are waiting for, in words; None where it is nothing but answers."""
        for state in self._states.values():
            if spec in state.specs:
                if state.readiness.fault is not None:
                    return "waiting for the endpoint to be ready"
                if state.health.outage.fault is not None:
                    return "waiting for the endpoint to answer again"
        return None

    def reports(self) -> list[str]:
        """What adaptive limits have learned of their endpoints, in plain words."""
        return [
            f"endpoint `{state.shared.meter.endpoint}`: {words}"
            for state in self._states.values()
            if state.limit is not None and (words := state.limit.report()) is not None
        ]
