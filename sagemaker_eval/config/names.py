"""The names that the registries of higher floors know, handed down to the configuration that checks against them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sagemaker_eval.model import UserCode


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What a configuration may name. Each tuple is sorted."""

    formats: tuple[str, ...]
    embedding_formats: tuple[str, ...]
    assertions: tuple[str, ...]
    outputs: tuple[str, ...]
    """Endings of output files, with their dots, longest first: `.junit.xml`, `.json`."""
    with_plugins: Callable[[Sequence[UserCode]], KnownNames] | None = None
    """Loads the plugins of a configuration: the names that are known then. Raises `ConfigError`."""

    def extended(self, plugins: Sequence[UserCode]) -> KnownNames:
        """The names that are known with these plugins. Raises `ConfigError` for one that cannot be loaded."""
        return self.with_plugins(plugins) if plugins and self.with_plugins else self
