"""The whole line to an endpoint, from the cache to the socket, without a run around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sagemaker_eval.model import Operation, ProviderSpec, SageMakerOptions
from sagemaker_eval.providers.line import Line
from sagemaker_eval.providers.services import Services
from sagemaker_eval.providers.ways import way_of
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Targets, static_target
from sagemaker_eval.sandbox.server import REGION, Sandbox
from tests.bench.suites import ENDPOINT


@asynccontextmanager
async def line_to(
    url: str, operation: Operation = Operation.INVOKE, *, in_flight: int = 1, delay_ms: int = 0
) -> AsyncIterator[Line]:
    """The line of a provider to the sandbox at `url`."""
    pool = ConnectionPool(in_flight)
    target = static_target(url, REGION, "bench", Sandbox.access_key_id, Sandbox.secret_access_key)
    services = Services(pool, Targets({}, lambda notice: None), sandbox=target)
    options = SageMakerOptions(ENDPOINT, operation=operation)
    spec = ProviderSpec(f"sagemaker:{ENDPOINT}", "sagemaker", options=options, delay_ms=delay_ms)
    line = Line(partial(way_of, spec, services), lambda answer: None, spec, services)
    try:
        yield line
    finally:
        await line.close()
        await pool.close()
