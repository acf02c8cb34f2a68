"""From the paths of configurations and the options of the command line to a checked `Suite`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sagemaker_eval.config.config_environment import environment_of
from sagemaker_eval.config.config_file import find_default, read_configs
from sagemaker_eval.config.configuration import Configuration, Part
from sagemaker_eval.config.datasets import ListedTests
from sagemaker_eval.config.explaining import check, misshapen
from sagemaker_eval.config.folder_tree import rendered_within
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.masking import masked, secrets_in, secrets_of_environment
from sagemaker_eval.config.merging import merged_documents, merged_entries
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.config.places import within
from sagemaker_eval.config.prompts import check_references
from sagemaker_eval.config.providers import provider_secrets
from sagemaker_eval.config.schema import CommandLineOptions, ConfigEntry, DerivedMetricEntry, EvaluateOptions
from sagemaker_eval.config.suite_columns import suite_prompts, suite_providers
from sagemaker_eval.config.suite_tests import suite_tests
from sagemaker_eval.config.template_filters import build_filters
from sagemaker_eval.config.tests_secrets import secrets_of_tests
from sagemaker_eval.config.top_level import output_paths, placed_paths, read_top_level
from sagemaker_eval.model import DerivedMetric, Json, Place, Suite, UserCode

__all__ = ["Loaded", "Overrides", "find_default", "load", "load_with_options"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A suite, and what its configuration says of the options that only the command line carries out."""

    suite: Suite
    options: CommandLineOptions
    """`commandLineOptions` of all files, completed by their `evaluateOptions`."""


def load(
    paths: Sequence[str],
    overrides: Overrides,
    environ: Mapping[str, str],
    names: KnownNames,
    notice: Callable[[str], None],
) -> Suite:
    """The suite that configurations ask for, with the command line's overrides applied.

    Without `paths` the working folder's own configuration counts; where there is none the overrides have to say what
    to run. `environ` is the process environment with `.env` files. `notice` hears, once each, of settings without
    effect and of choices taken. Raises `ConfigError` with every problem found; the tests of CSV and JSONL files are
    only checked as far as counting them needs.
    """
    return load_with_options(paths, overrides, environ, names, notice).suite


def load_with_options(
    paths: Sequence[str],
    overrides: Overrides,
    environ: Mapping[str, str],
    names: KnownNames,
    notice: Callable[[str], None],
    learn_secrets: Callable[[frozenset[str]], None] = lambda secrets: None,
) -> Loaded:
    """As `load`, with what the files say of the display and the filters.

    `learn_secrets` is told the secrets that the files hold as soon as they are read, before anything is refused.
    """
    tell = _once(notice)
    files = read_configs(paths, tell)
    env = environment_of(files, environ, read_env_paths=not overrides.env_files)
    learn_secrets(secrets_of_environment(env))
    problems = Problems()
    rendered = problems.attempt_each(
        files, lambda file: (file, rendered_within(file.document, env, file.base_path, file.path))
    )
    for _, document in rendered:
        learn_secrets(secrets_in(document))
    problems.check()
    entries = [problems.attempt(partial(read_top_level, document, file, tell)) for file, document in rendered]
    parts = tuple(Part(*pair, entry or ConfigEntry()) for pair, entry in zip(rendered, entries, strict=True))
    entry = merged_entries([part.entry for part in parts])
    plugins = [code for part in parts for code in _plugins(part)]
    known = problems.attempt(lambda: names.extended(plugins)) or names
    configuration = Configuration(parts, entry, env, overrides, known, tell)
    suite = problems.attempt(lambda: _suite(configuration))
    problems.check(None if suite is None else Loaded(suite, _options(configuration.entry)))
    assert suite is not None
    return Loaded(suite, _options(configuration.entry))


def _suite(configuration: Configuration) -> Suite:
    problems = Problems()
    prompts = problems.attempt(lambda: suite_prompts(configuration)) or ()
    providers = problems.attempt(lambda: suite_providers(configuration)) or ()
    tests = problems.attempt(lambda: suite_tests(configuration, providers))
    outputs = problems.attempt(lambda: _outputs(configuration)) or ()
    filters = problems.attempt(lambda: _filters(configuration)) or {}
    derived = problems.attempt(lambda: _derived_metrics(configuration)) or ()
    if prompts and not problems:
        problems.attempt(lambda: check_references(providers, prompts))
    overrides, entry = configuration.overrides, configuration.entry
    written = frozenset(secret for part in configuration.parts for secret in secrets_in(part.document))
    secrets = written | provider_secrets(providers) | secrets_of_tests(tests)
    cache = entry.cache if overrides.cache is None else overrides.cache
    suite = Suite(
        prompts=prompts,
        providers=providers,
        tests=ListedTests(()) if tests is None else tests,
        description=_description(configuration),
        env=configuration.env,
        cache=configuration.setting("cache", cache, True),
        repeat=configuration.setting("repeat", overrides.repeat, 1),
        max_concurrency=configuration.setting("max_concurrency", overrides.max_concurrency, 4),
        adaptive_most=configuration.setting("max_concurrency", overrides.max_concurrency, 128),
        max_error_rate=entry.max_error_rate or 0.0,
        timeout_ms=configuration.setting("timeout_ms", None, None),
        max_eval_time_ms=configuration.setting("max_eval_time_ms", None, None),
        output_paths=outputs,
        document=masked(_document(configuration), secrets),
        base_path=configuration.parts[0].base_path,
        filters=filters,
        derived_metrics=derived,
        secrets=secrets,
    )
    problems.check(suite)
    return suite


def _description(configuration: Configuration) -> str | None:
    options = configuration.entry.command_line_options
    chosen = configuration.overrides.description or (options and options.description)
    return chosen or configuration.entry.description


def _document(configuration: Configuration) -> dict[str, Json]:
    """The configuration as written, with the parts that the command line replaces."""
    overrides, entry = configuration.overrides, configuration.entry
    document = merged_documents([part.written.document for part in configuration.parts])
    options = entry.command_line_options or CommandLineOptions()
    configured = any(part.document.get(key) for part in configuration.parts for key in ("providers", "targets"))
    replaced: dict[str, Json] = {
        "description": overrides.description or options.description,
        "tags": {**(entry.tags or {}), **(options.tags or {}), **(overrides.tags or {})},
        "prompts": list(overrides.prompts),
        "tests": overrides.tests,
        "providers": [] if configured else list(overrides.providers),
    }
    if overrides.tests is not None:
        document.pop("scenarios", None)
    return {**document, **{key: value for key, value in replaced.items() if value}}


def _outputs(configuration: Configuration) -> tuple[str, ...]:
    """The files to write: those of the command line, else of `commandLineOptions`, else every `outputPath`."""
    if configuration.overrides.outputs:
        placed: list[tuple[Json, Place]] = [(path, Place("--output")) for path in configuration.overrides.outputs]
    elif (option := configuration.option("output")) is not None:
        placed = placed_paths(option[1], option[2])
    else:
        placed = [
            path for _, source, where in configuration.values("outputPath") for path in placed_paths(source, where)
        ]
    return output_paths(placed, configuration.names)


def _filters(configuration: Configuration) -> dict[str, UserCode]:
    """The template filters of all files; of one name the last counts."""
    problems = Problems()
    found = problems.attempt_each(
        configuration.parts, lambda part: build_filters(part.document, part.written.where, part.base_path)
    )
    problems.check()
    return {name: code for filters in found for name, code in filters.items()}


def _derived_metrics(configuration: Configuration) -> tuple[DerivedMetric, ...]:
    """The derived metrics of all files, one after the other: each may use those before it."""
    problems = Problems()
    written = problems.attempt_each(configuration.values("derivedMetrics"), _placed_metrics)
    found = problems.attempt_each((item for items in written for item in items), lambda item: _derived_metric(*item))
    problems.check()
    return tuple(found)


def _placed_metrics(value: tuple[Part, Json, Place]) -> list[tuple[Json, Place, Part]]:
    part, raw, where = value
    if not isinstance(raw, list):
        raise misshapen("a list of derived metrics", raw, where)
    return [(entry, within(where, index), part) for index, entry in enumerate(raw)]


def _derived_metric(raw: Json, where: Place, part: Part) -> DerivedMetric:
    entry = check(DerivedMetricEntry, raw, where)
    return DerivedMetric(entry.name, UserCode(entry.value, part.base_path, within(where, "value")))


def _plugins(part: Part) -> list[UserCode]:
    where = within(part.written.where, "plugins")
    return [UserCode(path, part.base_path, within(where, index)) for index, path in enumerate(part.entry.plugins or ())]


def _options(entry: ConfigEntry) -> CommandLineOptions:
    options = entry.command_line_options or CommandLineOptions()
    evaluation = entry.evaluate_options or EvaluateOptions()
    completed = {
        "filter_range": evaluation.filter_range if options.filter_range is None else options.filter_range,
        "progress_bar": evaluation.show_progress_bar if options.progress_bar is None else options.progress_bar,
    }
    return options.model_copy(update=completed)


def _once(notice: Callable[[str], None]) -> Callable[[str], None]:
    told: set[str] = set()

    def tell(message: str) -> None:
        if message not in told:
            told.add(message)
            notice(message)

    return tell
