"""The providers of a run, each built once: those of the columns, and those that tests name for themselves."""

from __future__ import annotations

from dataclasses import replace

from sagemaker_eval.model import ProviderSpec
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.replaying import built
from sagemaker_eval.providers.services import Services


class ProviderPool:
    """Builds providers when they are first asked for; equal specs share one."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._by_spec: dict[int, tuple[ProviderSpec, Provider]] = {}
        self._built: list[tuple[ProviderSpec, Provider]] = []

    def of(self, spec: ProviderSpec) -> Provider:
        """The provider of a spec. Raises `ConfigError` for what can never work, `SetupError`."""
        known = self._by_spec.get(id(spec))
        if known is None or known[0] is not spec:
            known = self._by_spec[id(spec)] = (spec, self._equal(spec))
        return known[1]

    def _equal(self, spec: ProviderSpec) -> Provider:
        for other, provider in self._built:
            if replace(other, where=spec.where) == spec:
                return provider
        provider = built(spec, self._services)
        self._built.append((spec, provider))
        return provider

    def widen(self, calls: int) -> None:
        """Have connections for so many calls in flight more than those of the columns; only before the first call."""
        self._services.pool.size += calls

    def prepare(self) -> None:
        """Have every provider that was built find out where its calls go. Raises `SetupError`."""
        for _, provider in self._built:
            provider.prepare()

    async def close(self) -> None:
        """Close every provider that was built."""
        for _, provider in self._built:
            await provider.close()
