"""What a provider is, and the registry of the kinds there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sagemaker_eval.model import Call, ProviderSpec, Request, Response
from sagemaker_eval.registry import Registry


class Provider(Protocol):
    """Turns a rendered prompt into a response.

    Building one needs no AWS environment: what a run needs of it is looked up by `prepare`, or else by the first
    answer.
    """

    def prepare(self) -> None:
        """Find out where calls go and as whom, without making one. Raises `SetupError` where that cannot be known."""
        ...

    async def answer(self, call: Call) -> Response:
        """The response to one call. Raises `CaseError` for this case alone, `SetupError` to stop the run."""
        ...

    async def request(self, call: Call) -> Request | None:
        """What would be sent for a call, or None where nothing is sent at all. Raises `CaseError`."""
        ...

    def address(self, request: Request) -> str:
        """The URL that a request of this provider goes to; its path alone where an offline check cannot tell more."""
        ...

    async def close(self) -> None:
        """Give back connections; called once, after the last answer."""
        ...


class Local:
    """What providers have in common that send no requests of their own."""

    def prepare(self) -> None:
        """There is nothing to find out."""

    async def request(self, call: Call) -> None:
        """Nothing is sent."""

    def address(self, request: Request) -> str:
        """Nowhere."""
        return ""

    async def close(self) -> None:
        """There is nothing to give back."""


ProviderFactory = Callable[[ProviderSpec, Any], Provider]
"""Builds the provider of a spec; the second argument is the `Services` of the run (`providers/services.py`)."""

PROVIDERS: Registry[ProviderFactory] = Registry("provider")
