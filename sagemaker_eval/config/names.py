"""The names that the registries of higher floors know, handed down to the configuration that checks against them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What a configuration may name. Each tuple is sorted."""

    formats: tuple[str, ...]
    embedding_formats: tuple[str, ...]
    assertions: tuple[str, ...]
    outputs: tuple[str, ...]
    """Endings of output files, with their dots, longest first: `.junit.xml`, `.json`."""
