"""What the command line says instead of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overrides:
    """The options of the command line that the suite depends on; None and empty mean: as the configuration says.

    Paths among `prompts` and `tests` are relative to the working folder. Each of `providers` is the id, the label or
    the end of an id of a configured provider, or the id of one to add. `tests` replace scenarios too. `vars` win over
    every test's own values; `tags` go over those of the configuration. `env_files` have been read already.
    """

    prompts: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    tests: str | None = None
    outputs: tuple[str, ...] = ()
    vars: Mapping[str, str] | None = None
    delay_ms: int | None = None
    repeat: int | None = None
    max_concurrency: int | None = None
    description: str | None = None
    cache: bool | None = None
    grader: str | None = None
    """The id or label of who judges where neither the test nor the assertion says."""
    tags: Mapping[str, str] | None = None
    env_files: tuple[str, ...] = ()
