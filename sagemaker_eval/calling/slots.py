"""A line for places whose number changes while people stand in it."""

from __future__ import annotations

import asyncio
from collections import deque


class Slots:
    """Lets as many be inside as `width` says, in order of arrival. Used within one event loop.

    Where the width falls below the number inside, nobody is put out; the next gets in when enough have left.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._line: deque[asyncio.Future[None]] = deque()
        self.inside = 0

    @property
    def width(self) -> int:
        """How many may be inside."""
        return self._width

    @width.setter
    def width(self, width: int) -> None:
        self._width = width
        self._admit()

    @property
    def is_free(self) -> bool:
        """Whether whoever comes now gets in at once."""
        return self.inside < self._width and not self._line

    async def enter(self) -> None:
        """Returns inside. Who is cancelled in line leaves it without a trace."""
        if self.is_free:
            self.inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._line.remove(turn)
            else:
                self.leave()
            raise

    def leave(self) -> None:
        """To be called once by each who got in."""
        self.inside -= 1
        self._admit()

    def _admit(self) -> None:
        while self._line and self.inside < self._width:
            turn = self._line.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)
