"""The line to an endpoint: one `Invoke` out of the wrappers of `calling/`, put together when it is first needed.

From the outside in: cache, scrubbing, first call alone, retries, delay, check of HTTP 200 errors, transport.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from sagemaker_eval.calling.cache import Cached
from sagemaker_eval.calling.checked import Checked
from sagemaker_eval.calling.first_alone import FirstAlone, Gate
from sagemaker_eval.calling.pacing import Pace, Paced
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.model import Answer, ProviderSpec, Request, SageMakerOptions, TokenUsage
from sagemaker_eval.providers.scrubbed import Scrubbed
from sagemaker_eval.providers.services import Services


class Transport(Protocol):
    """An `Invoke` that sends once, and that can be made ready so that nothing keeps a request from going out."""

    async def __call__(self, request: Request) -> Answer: ...

    def make_ready(self, request: Request) -> Awaitable[None]: ...


@dataclass(frozen=True, slots=True)
class Way:
    """How requests get to an endpoint: over which transport, past which gate, and what names them in the cache."""

    transport: Transport
    gate: Gate
    key: Callable[[Request], str]
    url: Callable[[Request], str]
    """Where a request goes."""


class Endpoint(Protocol):
    """An `Invoke` that may have to find out where it leads. Each method raises `SetupError` where it cannot."""

    def prepare(self) -> None: ...

    def address(self, request: Request) -> str: ...

    async def __call__(self, request: Request) -> Answer: ...

    def stored(self, request: Request) -> Answer | None:
        """The answer that the cache has."""
        ...

    def keep(self, request: Request, answer: Answer) -> None:
        """Put an answer into the cache."""
        ...

    async def fresh(self, request: Request) -> Answer:
        """The answer to a request, past the cache."""
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

    def prepare(self) -> None:
        """Look up the way and put the line together. Raises `SetupError`."""
        if self._cached is None:
            self._cached = self._composed(self._found())

    def address(self, request: Request) -> str:
        """The URL that a request goes to. Raises `SetupError`."""
        return self._found().url(request)

    async def __call__(self, request: Request) -> Answer:
        return await (self._cached or self._ready())(request)

    def stored(self, request: Request) -> Answer | None:
        return self._ready().stored(request)

    def keep(self, request: Request, answer: Answer) -> None:
        self._ready().keep(request, answer)

    async def fresh(self, request: Request) -> Answer:
        return await self._ready().fresh(request)

    def _ready(self) -> Cached:
        self.prepare()
        assert self._cached is not None
        return self._cached

    def _found(self) -> Way:
        if self._way is None:
            self._way = self._find()
        return self._way

    def _composed(self, way: Way) -> Cached:
        services, options = self._services, self._spec.options
        assert isinstance(options, SageMakerOptions)
        checked = Checked(way.transport, self._check)
        pace = Pace(self._spec.delay_ms or 0, sleep=services.sleep)
        paced = Paced(checked, pace, way.transport.make_ready)
        retrying = Retrying(paced, options.max_retries, services.patience, services.sleep)
        return Cached(
            Scrubbed(FirstAlone(retrying, way.gate), services.scrub),
            services.store,
            way.key,
            refresh=services.refresh,
            flights=services.flights,
        )
