from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

DELAY_MS = 30
LATENESS_MS = 60
"""A request is seen when it has arrived, which is some time after it was started."""


class Arrivals:
    """When requests arrived, in milliseconds."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def __call__(self, request: LoggedRequest) -> None:
        self.times.append(time.monotonic() * 1000)

    @property
    def span(self) -> float:
        return self.times[-1] - self.times[0]


@pytest.fixture
def arrivals(serve: Callable[..., Sandbox]) -> Arrivals:
    """A sandbox that takes its time, so that calls overlap unless they are spaced."""
    arrivals = Arrivals()
    serve("endpoints: {'*': {latency: 100}}", on_request=arrivals)
    return arrivals


def config(provider: str) -> str:
    return f"prompts: ['{{{{x}}}}']\nproviders: [{provider}]\ntests: [{{vars: {{x: [a, b, c, d, e, f, g, h, i]}}}}]\n"


@pytest.mark.parametrize(
    ("provider", "options"),
    [
        (f"{{id: 'sagemaker:e', delay: {DELAY_MS}}}", ()),
        (f"{{id: 'sagemaker:e', config: {{delay: {DELAY_MS}}}}}", ()),
        (f"{{id: 'sagemaker:e', delay: {DELAY_MS}, config: {{delay: 60000}}}}", ()),
        ("sagemaker:e", ("--delay", str(DELAY_MS))),
        (f"{{id: 'sagemaker:e', delay: {DELAY_MS}}}", ("--delay", "60000")),
    ],
    ids=["provider", "config", "provider beats config", "flag", "provider beats flag"],
)
def test_a_delay_spaces_the_starts_of_calls_whatever_the_concurrency(
    cli: Cli, arrivals: Arrivals, provider: str, options: tuple[str, ...]
) -> None:
    cli.write("run.yaml", config(provider))
    assert cli.eval("-c", "run.yaml", "-j", "8", *options).code == 0
    assert len(arrivals.times) == 9
    assert arrivals.span >= 8 * DELAY_MS - LATENESS_MS


def test_answers_from_the_cache_wait_for_nothing(cli: Cli, arrivals: Arrivals) -> None:
    """Nine cases at a minute's distance would outlast the limit of any test."""
    cli.write("run.yaml", config("sagemaker:e"))
    assert cli.eval("-c", "run.yaml").code == 0
    assert cli.eval("-c", "run.yaml", "--delay", "60000", "-o", "out.json").code == 0
    assert all(row["response"]["cached"] for row in cli.rows())
    assert len(arrivals.times) == 9
