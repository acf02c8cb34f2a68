"""What was received: a bounded record of requests and an exact count of all of them, safe to read from any thread."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

MAX_ENTRIES = 10_000
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request and the status it was answered with; 0 where the connection was cut or nothing was answered.

    `path` is as sent, header names are in lower case, `endpoint` is None where the path names none.
    """

    method: str
    path: str
    endpoint: str | None
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int


class RequestLog:
    """Keeps the newest requests, at most `MAX_ENTRIES` of them and at most `MAX_BYTES` of bodies."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[LoggedRequest] = deque()
        self._bytes = 0
        self._total = 0
        self._by_endpoint: Counter[str] = Counter()

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._entries.append(entry)
            self._bytes += len(entry.body)
            while len(self._entries) > MAX_ENTRIES or (self._bytes > MAX_BYTES and len(self._entries) > 1):
                self._bytes -= len(self._entries.popleft().body)
            self._total += 1
            if entry.endpoint is not None:
                self._by_endpoint[entry.endpoint] += 1

    def entries(self) -> tuple[LoggedRequest, ...]:
        """The requests that are kept, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def count(self, endpoint: str | None = None) -> int:
        """All requests so far, or those to one endpoint, whatever became of them."""
        with self._lock:
            return self._total if endpoint is None else self._by_endpoint[endpoint]
