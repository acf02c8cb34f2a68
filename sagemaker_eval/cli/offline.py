"""Keeping a process off the network, code of the user's own included."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sagemaker_eval.errors import CaseError

_REFUSED = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
    }
)
"""Events of Python's audit table that come before anything leaves the machine, or is looked up."""


class NetworkForbidden(CaseError):
    """Something wanted to open a connection while none may be."""

    kind = "replay"


class _Guard:
    """The hook, which Python keeps until the process ends; refusing is switched on and off."""

    def __init__(self) -> None:
        self.is_installed = False
        self.is_on = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and event in _REFUSED:
            raise NetworkForbidden(
                f"a replay opens no connections, and something asked for {_address(event, arguments)}",
                "take out what needs the network (webhooks, own code) with a filter, or run without `--replay`",
            )


_GUARD = _Guard()


@contextmanager
def offline() -> Iterator[None]:
    """A block in which every connection and every look-up of a host raises `NetworkForbidden`, in all threads.

    Other processes, which own code may start, are not seen.
    """
    if not _GUARD.is_installed:
        _GUARD.is_installed = True
        sys.addaudithook(_GUARD)
    before, _GUARD.is_on = _GUARD.is_on, True
    try:
        yield
    finally:
        _GUARD.is_on = before


def _address(event: str, arguments: tuple[Any, ...]) -> str:
    """What was asked for: the events of a socket have it in front, and then an address."""
    known = [each for each in arguments if isinstance(each, str | bytes | tuple)]
    if not known:
        return "one"
    first = known[0]
    parts = first[:2] if isinstance(first, tuple) else known[:1] + [each for each in arguments[1:2] if each]
    words = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts]
    return f"`{':'.join(words)}`"
