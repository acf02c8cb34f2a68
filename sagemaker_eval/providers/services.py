"""What the providers of one run share: the connection pool, the cache, and what is known of each endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.calling.cassette_player import Player
from sagemaker_eval.calling.cassette_recorder import Recorder
from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.calling.retrying import Patience
from sagemaker_eval.calling.single_flight import SingleFlight
from sagemaker_eval.model import AwsSettings, ProviderSpec
from sagemaker_eval.providers.endpoints import Endpoints
from sagemaker_eval.providers.preflight import Preflight
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.session import Target, Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool
from sagemaker_eval.text.templating.templates import Templates


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
    cassette: Recorder | Player | None = None
    """What the run is recorded on, or answered from."""
    offline: bool = False
    """Whether nothing is to be sent, not even a question about an endpoint."""
    refresh: bool = False
    sandbox: Target | None = None
    patience: Patience = field(default_factory=Patience)
    sleep: Sleep = asyncio.sleep
    """How calls wait for their turn and before they are made again."""
    flights: SingleFlight = field(default_factory=SingleFlight)
    endpoints: Endpoints = field(default_factory=Endpoints)
    templates: Templates | None = None
    """What renders the members of calls that are templates."""
    concurrency: Callable[[ProviderSpec], int | None] = lambda spec: None
    """How many calls of a provider may be in flight; None where that is not settled."""
    sandbox_deploys: Callable[[str], bool] = lambda endpoint: False
    """Whether the sandbox's script says how an endpoint is deployed, so that there is something to describe."""
    _preflights: dict[str, Preflight] = field(default_factory=dict)

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

    def is_described(self, target: Target, endpoint: str) -> bool:
        """Whether an endpoint can be described before it is called."""
        if target is self.sandbox:
            return self.sandbox_deploys(endpoint)
        return target.control_url is not None

    def waiting_for(self, spec: ProviderSpec) -> str | None:
        """What the calls of a provider are waiting for, in words; None where it is nothing but answers."""
        if (told := self.endpoints.waiting_for(spec)) is not None:
            return told
        endpoint = getattr(spec.options, "endpoint", None)
        if self.store is not None and endpoint is not None and self.store.claims.are_waited_for(endpoint):
            return "waiting for another process that is asking the same"
        return None

    def preflight(self, target: Target) -> Preflight:
        """What describes the endpoints of a target, each once."""
        key = f"{target.control_url} {target.region} {target.identity}"
        if key not in self._preflights:
            self._preflights[key] = Preflight(ControlPlane(target, self.pool))
        return self._preflights[key]
