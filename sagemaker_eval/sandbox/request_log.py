"""What was received: a bounded record of requests and an exact count of all invocations, safe to read in any thread."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

MAX_ENTRIES = 10_000
MAX_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Moments:
    """When an answer began and when its first token was written, by `time.perf_counter`; None until then."""

    started: float | None = None
    first_token: float | None = None


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request and the status it was answered with; 0 where the connection was cut or nothing was answered.

    `path` is as sent, header names are in lower case; `endpoint` is the invoked one, None where nothing is invoked.
    """

    method: str
    path: str
    endpoint: str | None
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int
    moments: Moments = field(default_factory=Moments, repr=False, compare=False)

    @property
    def answer_started_at(self) -> float | None:
        """When the status of the answer was sent, by `time.perf_counter`; None before."""
        return self.moments.started

    @property
    def first_token_at(self) -> float | None:
        """When the first token of a stream was written, by `time.perf_counter`; None before, and without a stream."""
        return self.moments.first_token


class RequestLog:
    """Keeps the newest requests, at most `MAX_ENTRIES` of them and at most `MAX_BYTES` of bodies."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[LoggedRequest] = deque()
        self._bytes = 0
        self._invocations = 0
        self._by_endpoint: Counter[str] = Counter()

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._entries.append(entry)
            self._bytes += len(entry.body)
            while len(self._entries) > MAX_ENTRIES or (self._bytes > MAX_BYTES and len(self._entries) > 1):
                self._bytes -= len(self._entries.popleft().body)
            if entry.endpoint is not None:
                self._invocations += 1
                self._by_endpoint[entry.endpoint] += 1

    def entries(self) -> tuple[LoggedRequest, ...]:
        """The requests that are kept, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def count(self, endpoint: str | None = None) -> int:
        """All invocations so far, or those of one endpoint, whatever became of them."""
        with self._lock:
            return self._invocations if endpoint is None else self._by_endpoint[endpoint]
