"""How many requests an endpoint answers at a time.

A request that finds a place holds it until its answer is written. One that finds none waits for it, is throttled, or is
sent away by the container, as the script says.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

from sagemaker_eval.model import compact_json
from sagemaker_eval.sandbox.replies import Refusal, aws_error, model_error
from sagemaker_eval.sandbox.rules import Capacity, Overload

_BUSY = compact_json({"error": "Model is overloaded", "error_type": "overloaded"})
_BUSY_STATUS = 429


class Places:
    """The places of all endpoints. It belongs to one thread."""

    def __init__(self) -> None:
        self._of: dict[str, asyncio.Semaphore] = {}

    def place(self, endpoint: str, capacity: Capacity, region: str) -> AbstractAsyncContextManager[object]:
        """A place to be entered at once; entering waits only where the endpoint queues. Raises `Refusal`."""
        free = self._of.get(endpoint)
        if free is None:
            free = self._of[endpoint] = asyncio.Semaphore(capacity.in_flight)
        if capacity.overload is not Overload.QUEUE and free.locked():
            if capacity.overload is Overload.CONTAINER_BUSY:
                raise Refusal(model_error(endpoint, region, _BUSY_STATUS, _BUSY))
            raise Refusal(aws_error(400, "ThrottlingException", {"message": "Rate exceeded"}))
        return free
