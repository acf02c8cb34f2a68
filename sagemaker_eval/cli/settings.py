"""The options of the command line over those that a configuration has under `commandLineOptions`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from sagemaker_eval.cli.requests import EvalRequest, filters_of
from sagemaker_eval.config.schema import CommandLineOptions
from sagemaker_eval.running.selection import Filters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a run is shown and recorded."""

    table: bool
    table_cell_max_length: int
    progress_bar: bool
    write: bool
    verbose: bool


def settings_of(request: EvalRequest, options: CommandLineOptions) -> Settings:
    """What the flags say, else the configuration, else the defaults."""
    return Settings(
        table=_first(request.table, options.table, True),
        table_cell_max_length=_first(request.table_cell_max_length, options.table_cell_max_length, 250),
        progress_bar=_first(request.progress_bar, options.progress_bar, True),
        write=_first(request.write, options.write, True),
        verbose=_first(request.verbose, options.verbose, False),
    )


def with_filters(request: EvalRequest, options: CommandLineOptions) -> EvalRequest:
    """The request with the configuration's filters in place of those that no flag sets.

    Neither `filterFailing` nor `filterErrorsOnly` counts where a flag asks for either of them.
    """
    configured = filters_of(
        pattern=options.filter_pattern,
        first_n=options.filter_first_n,
        range_=options.filter_range,
        sample=options.filter_sample,
        sample_seed=options.filter_sample_seed,
        providers=options.filter_providers or options.filter_targets,
        prompts=options.filter_prompts,
        metadata=options.filter_metadata or (),
    )
    given = request.filters
    filters = Filters(
        pattern=_either(given.pattern, configured.pattern),
        first_n=_either(given.first_n, configured.first_n),
        range=_either(given.range, configured.range),
        sample=_either(given.sample, configured.sample),
        sample_seed=_either(given.sample_seed, configured.sample_seed),
        providers=_either(given.providers, configured.providers),
        prompts=_either(given.prompts, configured.prompts),
        metadata=given.metadata or configured.metadata,
    )
    if request.failing or request.errors_only:
        return replace(request, filters=filters)
    return replace(request, filters=filters, failing=options.filter_failing, errors_only=options.filter_errors_only)


def _first(given: T | None, configured: T | None, default: T) -> T:
    return next((value for value in (given, configured) if value is not None), default)


def _either(given: T | None, configured: T | None) -> T | None:
    return configured if given is None else given
