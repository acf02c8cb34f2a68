"""Equal calls that are under way at the same time are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sagemaker_eval.model import Answer

End: TypeAlias = Answer | Exception | None
"""How a call ended for those who joined it; None where it was cancelled, which is nobody's business but its own."""


class SingleFlight:
    """Lets the first call of a key fly and hands its answer or its error to all that ask for the same meanwhile."""

    def __init__(self) -> None:
        self._flights: dict[str, asyncio.Future[End]] = {}

    async def run(self, key: str, call: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """The answer, and whether another's call brought it. Raises what that call or `call` raises.

        Where the call that flies is cancelled, the first of those who joined it makes theirs for the rest.
        """
        while (flight := self._flights.get(key)) is not None:
            end = await asyncio.shield(flight)
            if isinstance(end, Exception):
                raise end
            if end is not None:
                return end, True
        return await self._lead(key, call), False

    async def _lead(self, key: str, call: Callable[[], Awaitable[Answer]]) -> Answer:
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        end: End = None
        try:
            end = await call()
            return end
        except Exception as error:
            end = error
            raise
        finally:
            del self._flights[key]
            flight.set_result(end)
