"""What a provider is, and the registry of the kinds there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sagemaker_eval.model import Call, ProviderSpec, Request, Response
from sagemaker_eval.registry import Registry


class Provider(Protocol):
    """Turns a rendered prompt into a response."""

    async def answer(self, call: Call) -> Response:
        """The response to one call. Raises `CaseError` for this case alone, `SetupError` to stop the run."""
        ...

    async def request(self, call: Call) -> Request | None:
        """What would be sent for a call, or None where nothing is sent at all. Raises `CaseError`."""
        ...

    async def close(self) -> None:
        """Give back connections; called once, after the last answer."""
        ...


ProviderFactory = Callable[[ProviderSpec, Any], Provider]
"""Builds the provider of a spec; the second argument is the `Services` of the run (`providers/services.py`)."""

PROVIDERS: Registry[ProviderFactory] = Registry("provider")
