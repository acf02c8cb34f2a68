"""The line to an endpoint: one `Invoke` out of the wrappers of `calling/`, put together when it is first needed.

From the outside in: cache, scrubbing, first call alone, retries, warm-up, circuit breaker, slots that are found while
running, delay, rates, meter, check of HTTP 200 errors, transport. What a provider does not ask for is not in its line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sagemaker_eval.calling.adaptive import Limited
from sagemaker_eval.calling.cache import Cached
from sagemaker_eval.calling.checked import Checked
from sagemaker_eval.calling.first_alone import FirstAlone
from sagemaker_eval.calling.health import Guarded
from sagemaker_eval.calling.metering import Counted
from sagemaker_eval.calling.pacing import Pace, Paced
from sagemaker_eval.calling.rates import Rated
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.calling.warm_up import WarmUp
from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import Answer, Invoke, ProviderSpec, Request, SageMakerOptions, TokenUsage
from sagemaker_eval.providers.endpoints import EndpointState
from sagemaker_eval.providers.scrubbed import Scrubbed
from sagemaker_eval.providers.services import Services

_BYTES_PER_TOKEN = 4
_MOST_IN_FLIGHT = 128
"""Calls of an adaptive provider where the run has no cap to tell."""


class Transport(Protocol):
    """An `Invoke` that sends once, and that can be made ready so that nothing keeps a request from going out."""

    async def __call__(self, request: Request) -> Answer: ...

    def make_ready(self, request: Request) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """How requests get to an endpoint: over which transport, what is known of it, and what names them in the cache."""

    transport: Transport
    state: EndpointState
    key: Callable[[Request], str]
    url: Callable[[Request], str]
    """Where a request goes."""
    settle: Callable[[], Awaitable[None]] | None = None
    """Finds out what keys need beside the request; once, before the first."""


class Endpoint(Protocol):
    """An `Invoke` that may have to find out where it leads. Each method raises `SetupError` where it cannot."""

    def prepare(self) -> None: ...

    def address(self, request: Request) -> str: ...

    async def __call__(self, request: Request) -> Answer: ...

    async def settle(self) -> None:
        """Find out what the cache has to know; before `stored` and `keep`."""
        ...

    def stored(self, request: Request) -> Answer | None:
        """The answer that the cache has."""
        ...

    def keep(self, request: Request, answer: Answer) -> None:
        """Put an answer into the cache."""
        ...

    def refused(self, request: Request, error: CaseError) -> None:
        """Hear that a request, which was made as a part of a batch, came to nothing."""
        ...

    async def fresh(self, request: Request) -> Answer:
        """The answer to a request, past the cache."""
        ...

    async def close(self) -> None:
        """Give back what the way holds beside connections."""
        ...


class Line:
    """An `Endpoint` whose way is looked up once, by whoever needs it first."""

    def __init__(
        self,
        find: Callable[[], Way],
        check: Callable[[Answer], TokenUsage | None],
        spec: ProviderSpec,
        services: Services,
    ) -> None:
        self._find = find
        self._check = check
        self._spec = spec
        self._services = services
        self._way: Way | None = None
        self._cached: Cached | None = None
        self._settled = False
        self._settling = asyncio.Lock()

    def prepare(self) -> None:
        """Look up the way; all rates that an endpoint is given are known before the first call. Raises `SetupError`."""
        self._found()

    def address(self, request: Request) -> str:
        """The URL that a request goes to. Raises `SetupError`."""
        return self._found().url(request)

    async def __call__(self, request: Request) -> Answer:
        if not self._settled:
            await self.settle()
        return await (self._cached or self._ready())(request)

    async def settle(self) -> None:
        async with self._settling:
            if not self._settled and (settle := self._found().settle) is not None:
                await settle()
            self._settled = True

    def stored(self, request: Request) -> Answer | None:
        return self._ready().stored(request)

    def keep(self, request: Request, answer: Answer) -> None:
        self._ready().keep(request, answer)

    def refused(self, request: Request, error: CaseError) -> None:
        """Errors are not kept."""

    async def fresh(self, request: Request) -> Answer:
        return await self._ready().fresh(request)

    async def close(self) -> None:
        close = getattr(self._way and self._way.transport, "close", None)
        if close is not None:
            await close()

    def _ready(self) -> Cached:
        if self._cached is None:
            self._cached = self._composed(self._found())
        return self._cached

    def _found(self) -> Way:
        if self._way is None:
            self._way = self._find()
        return self._way

    def _composed(self, way: Way) -> Cached:
        services, options, state = self._services, self._spec.options, way.state
        assert isinstance(options, SageMakerOptions)
        guarded = Guarded(self._paced(way, options), state.health)
        warmed = WarmUp(guarded, state.readiness, options.warm_up_s, services.notice)
        clock = services.endpoints.clock
        retrying = Retrying(warmed, options.max_retries, services.patience, services.sleep, clock, health=state.health)
        return Cached(
            Scrubbed(FirstAlone(retrying, state.gate, clock, state.readiness), services.scrub),
            services.store,
            way.key,
            refresh=services.refresh,
            flights=services.flights,
        )

    def _paced(self, way: Way, options: SageMakerOptions) -> Invoke:
        """The part of the line that every attempt goes through by itself."""
        services, spec, state = self._services, self._spec, way.state
        endpoints, ready = services.endpoints, way.transport.make_ready
        checked = Checked(way.transport, self._check)
        invoke: Invoke = Counted(checked, state.shared.meter, endpoints.budget, endpoints.clock)
        if state.shared.rates.is_limited:
            invoke = Rated(invoke, state.shared.rates, partial(_expected_tokens, options), ready)
        if spec.delay_ms:
            invoke = Paced(invoke, Pace(spec.delay_ms, endpoints.clock, services.sleep), ready)
        if spec.adaptive:
            invoke = Limited(invoke, state.adaptive(services.concurrency(spec) or _MOST_IN_FLIGHT, endpoints.clock))
        return invoke


def _expected_tokens(options: SageMakerOptions, request: Request) -> int:
    """The tokens that a call may take: those of the prompt, estimated, and the most that the answer may have."""
    return len(request.body) // _BYTES_PER_TOKEN + (0 if options.embedding else options.sampling.max_tokens)
