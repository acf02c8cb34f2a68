"""Which endpoints the stand-in has, and how they are deployed, as the planes beside the runtime see it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from sagemaker_eval.sandbox.deployments import Deployment

_PLAIN = Deployment()
_WILDCARDS = frozenset("*?[")


class DeploymentRule(Protocol):
    """A rule of a script."""

    @property
    def glob(self) -> str: ...
    @property
    def deployment(self) -> Deployment | None: ...


class DeploymentScript(Protocol):
    """A script, as far as deployments go."""

    @property
    def rules(self) -> Sequence[DeploymentRule]: ...
    def rule_for(self, endpoint: str) -> DeploymentRule: ...
    def lacks(self, endpoint: str) -> bool: ...


class Endpoints:
    """The endpoints of a script. Those that were met are remembered, since a glob does not tell their names."""

    def __init__(self, script: DeploymentScript) -> None:
        self._script = script
        named = (rule.glob for rule in script.rules if not _WILDCARDS & set(rule.glob))
        self._listed = tuple(dict.fromkeys(name for name in named if not script.lacks(name)))
        self._met: dict[str, None] = {}

    def find(self, endpoint: str) -> Deployment | None:
        """How an endpoint is deployed; None where it does not exist."""
        if self._script.lacks(endpoint):
            return None
        self._met[endpoint] = None
        return self.scripted(endpoint) or _PLAIN

    def scripted(self, endpoint: str) -> Deployment | None:
        """What the script says of an endpoint's deployment, which may be nothing."""
        return self._script.rule_for(endpoint).deployment

    def listed(self) -> tuple[str, ...]:
        """The endpoints that the script names without wildcards, in its order."""
        return self._listed

    def known(self) -> tuple[str, ...]:
        """The listed ones, then those that were met."""
        return tuple(dict.fromkeys(chain(self._listed, self._met)))

    def denied_anywhere(self) -> frozenset[str]:
        """What any rule denies: for operations that concern no single endpoint."""
        return frozenset(chain.from_iterable(each.denied for each in self._deployments()))

    def prices(self) -> dict[str, float]:
        """USD an hour by instance type; the first rule that names a type counts."""
        return {kind: usd for each in reversed(self._deployments()) for kind, usd in each.prices.items()}

    def _deployments(self) -> list[Deployment]:
        return [rule.deployment for rule in self._script.rules if rule.deployment is not None]
