"""How the wrappers of this floor tell and spend time, so that another time can be put in their place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]
"""Seconds since some fixed moment, never going back: `time.monotonic`."""

Sleep: TypeAlias = Callable[[float], Awaitable[object]]
"""Waits so many seconds without holding up the event loop: `asyncio.sleep`."""
