"""In which order cases are started, and how many at once.

Each provider has its own lane, so that a slow endpoint holds up nobody else. Tests with `runSerially` come before all
others, one case at a time. Where a test stores its output for later ones (`storeOutputAs`), the whole run goes one
case at a time in plan order, as otherwise nobody could say what a later case sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_eval.model import Case, ProviderSpec, Suite
from sagemaker_eval.running.plan import Plan, runs_alone


@dataclass(frozen=True, slots=True)
class Lane:
    """Cases for up to `workers` at once, who share the iterator."""

    cases: Iterator[Case]
    workers: int


def phases(plan: Plan) -> Iterator[tuple[Lane, ...]]:
    """The lanes of each phase; a phase begins when the one before it is over."""
    if plan.runs_alone:
        yield (Lane(plan.cases(accept=runs_alone), 1),)
    accept = (lambda test: not runs_alone(test)) if plan.runs_alone else None
    if plan.stores:
        yield (Lane(plan.cases(accept=accept), 1),)
        return
    yield tuple(
        Lane(plan.cases(spec, accept), min(concurrency(spec, plan.suite), plan.total)) for spec in plan.suite.providers
    )


def concurrency(spec: ProviderSpec, suite: Suite) -> int:
    """How many cases of a provider may be in flight: the run's cap for each provider, or its own lower one.

    Where the number is found while running, the cap holds if the user set one.
    """
    if spec.adaptive:
        return suite.adaptive_most
    return min(suite.max_concurrency, spec.max_concurrency or suite.max_concurrency)
