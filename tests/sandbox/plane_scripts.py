"""Scripts of nothing but deployments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sagemaker_eval.sandbox.deployments import Deployment


@dataclass(frozen=True)
class Deployed:
    """A rule of a script."""

    glob: str
    deployment: Deployment | None


@dataclass(frozen=True)
class DeploymentsOnly:
    """A script; `missing` are globs."""

    rules: tuple[Deployed, ...]
    missing: tuple[str, ...]

    def rule_for(self, endpoint: str) -> Deployed:
        fitting = (rule for rule in self.rules if fnmatchcase(endpoint, rule.glob))
        return next(fitting, Deployed("*", None))

    def lacks(self, endpoint: str) -> bool:
        return any(fnmatchcase(endpoint, glob) for glob in self.missing)


def script(deployments: Mapping[str, Deployment | None] | None = None, missing: Sequence[str] = ()) -> DeploymentsOnly:
    """The script in which each glob has its deployment."""
    return DeploymentsOnly(tuple(Deployed(glob, each) for glob, each in (deployments or {}).items()), tuple(missing))
