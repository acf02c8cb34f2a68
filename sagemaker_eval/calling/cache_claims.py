"""Which answers a process is asking for, told to all that share its cache, so that none is paid for twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from hashlib import blake2b
from pathlib import Path

from sagemaker_eval.calling.cache_database import make_private

if sys.platform != "win32":
    import fcntl

LONGEST_WAIT = 900.0
"""Seconds after which a process that is stopped, and not dead, is waited for no longer."""

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.25
_GROWTH = 1.5
_OFFSET_BYTES = 7  # which keeps offsets below those that the system's off_t can hold


class Claims:
    """A lock on one byte of an empty file for each key that is being asked for, at the offset that its digest gives.

    Locks belong to processes (https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html): they exclude
    other processes alone, and the system lifts them when their process ends, however that comes. Never raises: where
    the file cannot be made or locked, every claim is granted.
    """

    def __init__(self, path: Path) -> None:
        self._held: set[str] = set()
        self._waiting: Counter[str] = Counter()
        self._file = _opened(path)

    def take(self, key: str) -> bool:
        """Whether this process may ask; False while another one does."""
        if self._file is None:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(key))
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return True
        self._held.add(key)
        return True

    def release(self, key: str) -> None:
        """Let others ask, where this process holds the claim. May be called on any thread."""
        if key not in self._held:
            return
        self._held.discard(key)
        if self._file is not None:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _offset(key))

    async def wait(self, key: str, endpoint: str) -> bool:
        """Take the claim as soon as no other process holds it; False where one has held it for 15 minutes."""
        if self.take(key):
            return True
        self._waiting[endpoint] += 1
        try:
            return await self._polled(key)
        finally:
            self._waiting[endpoint] -= 1

    async def _polled(self, key: str) -> bool:
        pause, waited = _FIRST_PAUSE, 0.0
        while waited < LONGEST_WAIT:
            await asyncio.sleep(pause)
            if self.take(key):
                return True
            waited += pause
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)
        return False

    def are_waited_for(self, endpoint: str) -> bool:
        """Whether calls to an endpoint wait for what another process is asking it."""
        return self._waiting[endpoint] > 0

    def close(self) -> None:
        """Give up all claims."""
        file, self._file = self._file, None
        self._held.clear()
        if file is not None:
            os.close(file)


def _opened(path: Path) -> int | None:
    """The file to lock; None where there is none to be had."""
    if sys.platform == "win32":
        return None
    try:
        make_private(path)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None


def _offset(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=_OFFSET_BYTES).digest())
