"""What the providers of one run share: the connection pool, the cache, and what is known of each endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.calling.first_alone import UNREACHABLE, Gate
from sagemaker_eval.calling.retrying import Patience
from sagemaker_eval.calling.single_flight import SingleFlight
from sagemaker_eval.model import AwsSettings
from sagemaker_eval.sagemaker.container_faults import HOPELESS
from sagemaker_eval.sagemaker.session import Target, Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool


@dataclass(slots=True)
class Services:
    """One for each run. `sandbox`, where set, is the target of every provider, whatever its settings say."""

    pool: ConnectionPool
    targets: Targets
    notice: Callable[[str], None] = lambda message: None
    learn_secrets: Callable[[list[str | None]], None] = lambda secrets: None
    """Told the credentials that AWS calls are signed with, so that they can be kept out of everything written."""
    scrub: Callable[[bytes], bytes] = bytes
    """Takes the secrets that are known by now out of a body."""
    store: CacheStore | None = None
    refresh: bool = False
    sandbox: Target | None = None
    patience: Patience = field(default_factory=Patience)
    sleep: Sleep = asyncio.sleep
    """How calls wait for their turn and before they are made again."""
    flights: SingleFlight = field(default_factory=SingleFlight)
    _gates: dict[tuple[str, ...], Gate] = field(default_factory=dict)

    def target(self, settings: AwsSettings) -> Target:
        """Where and as whom to call; one target for equal settings. Raises `SetupError`."""
        if self.sandbox is not None:
            return self.sandbox
        target = self.targets.resolve(settings)
        target.credentials.tell(self.learn_secrets)
        return target

    def address(self, target: Target) -> str:
        """What of a target's URL tells answers apart: all of it, but nothing of the sandbox's.

        The sandbox listens on another port in each run, and its identity says all that its answers depend on.
        """
        return "" if target is self.sandbox else target.url

    def gate(self, target: Target, endpoint: str) -> Gate:
        """The gate of an endpoint, shared by all providers that call it as the same identity."""
        return self._gates.setdefault((target.url, target.region, target.identity, endpoint), Gate())

    def container_gate(self, url: str) -> Gate:
        """The gate of a container, shared by all providers that call it at the same URL."""
        return self._gates.setdefault((url,), Gate(UNREACHABLE | HOPELESS))
