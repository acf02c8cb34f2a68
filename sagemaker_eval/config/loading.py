"""From the paths of a configuration and the options of the command line to a checked `Suite`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sagemaker_eval.config.config_file import ConfigFile, find_default, read_config
from sagemaker_eval.config.csv_tests import csv_delimiter
from sagemaker_eval.config.environment import config_env, render_env
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.masking import masked, secrets_in
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.config.places import within
from sagemaker_eval.config.prompts import build_prompts, check_references
from sagemaker_eval.config.providers import ProviderContext, build_providers, choose
from sagemaker_eval.config.sagemaker_options import read_environment
from sagemaker_eval.config.schema import ConfigEntry, SageMakerEnvironment
from sagemaker_eval.config.test_cases import TestContext, forced_variables, read_default_test
from sagemaker_eval.config.test_sources import build_tests, single_test
from sagemaker_eval.config.top_level import named_providers, output_paths, read_top_level, setting
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, Prompt, ProviderSpec, Suite, TestCase, Tests

__all__ = ["Overrides", "find_default", "load"]

_NO_PROVIDERS_HINT = "name at least one, for example `providers: [sagemaker:my-endpoint]`"
_NO_CONFIG_HINT = "give `--config`, or at least `--providers`; `sageval.yaml` in the working folder is found by itself"


def load(
    paths: Sequence[str],
    overrides: Overrides,
    environ: Mapping[str, str],
    names: KnownNames,
    notice: Callable[[str], None],
) -> Suite:
    """The suite that a configuration asks for, with the command line's overrides applied.

    Without `paths` the working folder's own configuration counts; where there is none the overrides have to say what
    to run. `environ` is the process environment with `.env` files. `notice` hears, once each, of settings without
    effect and of choices taken. Raises `ConfigError` with every problem found; the tests of CSV and JSONL files are
    only checked as far as counting them needs.
    """
    written = read_config(paths)
    env = {**environ, **config_env(written.document, environ, written.path)}
    document = render_env(written.document, env, written.path)
    return _Loading(written, document, env, overrides, names, _once(notice)).suite()


@dataclass(frozen=True, slots=True)
class _Loading:
    """One configuration on its way; `document` is that of `written` with its environment templates rendered."""

    written: ConfigFile
    document: Mapping[str, Json]
    env: Mapping[str, str]
    overrides: Overrides
    names: KnownNames
    notice: Callable[[str], None]

    def suite(self) -> Suite:
        problems = Problems()
        entry = problems.attempt(lambda: read_top_level(self.document, self.written, self.notice)) or ConfigEntry()
        prompts = problems.attempt(self._prompts) or ()
        providers = problems.attempt(lambda: self._providers(entry)) or ()
        tests = problems.attempt(lambda: self._tests(entry))
        outputs = problems.attempt(self._outputs) or ()
        if prompts:
            problems.attempt(lambda: check_references(providers, prompts))
        problems.check()
        assert tests is not None
        return self._assembled(entry, prompts, providers, tests, outputs)

    def _assembled(
        self,
        entry: ConfigEntry,
        prompts: tuple[Prompt, ...],
        providers: tuple[ProviderSpec, ...],
        tests: Tests,
        outputs: tuple[str, ...],
    ) -> Suite:
        overrides, secrets = self.overrides, secrets_in(self.document)
        cache = entry.cache if overrides.cache is None else overrides.cache
        return Suite(
            prompts=prompts,
            providers=providers,
            tests=tests,
            description=overrides.description or entry.description,
            env=self.env,
            cache=setting("cache", cache, entry, True),
            repeat=setting("repeat", overrides.repeat, entry, 1),
            max_concurrency=setting("max_concurrency", overrides.max_concurrency, entry, 4),
            max_error_rate=entry.max_error_rate or 0.0,
            output_paths=outputs,
            document=masked({**self.written.document, **self._replaced()}, secrets),
            base_path=self.written.base_path,
            secrets=secrets,
        )

    def _replaced(self) -> dict[str, Json]:
        """The parts of the document that the command line replaces."""
        overrides = self.overrides
        parts: dict[str, Json] = {
            "description": overrides.description,
            "prompts": list(overrides.prompts),
            "tests": overrides.tests,
            "providers": [] if self._configured_providers()[0] else list(overrides.providers),
        }
        return {key: value for key, value in parts.items() if value}

    def _prompts(self) -> tuple[Prompt, ...]:
        if self.overrides.prompts:
            return build_prompts(list(self.overrides.prompts), Place("--prompts"), ".", self.notice)
        where = within(self.written.where, "prompts")
        return build_prompts(self.document.get("prompts"), where, self.written.base_path, self.notice)

    def _configured_providers(self) -> tuple[Json, Place]:
        return named_providers(self.document, self.written.where)

    def _providers(self, entry: ConfigEntry) -> tuple[ProviderSpec, ...]:
        source, where = self._configured_providers()
        wanted = self.overrides.providers
        if not source and not wanted:
            if not self.written.path:
                raise ConfigError.of(
                    "there is nothing to run: no configuration and no providers", None, _NO_CONFIG_HINT
                )
            raise ConfigError.of("there are no providers", where, _NO_PROVIDERS_HINT)
        context = ProviderContext(
            self.names,
            read_environment(self.env) if _mentions_sagemaker(source, wanted) else SageMakerEnvironment(),
            self.written.base_path,
            setting("delay", self.overrides.delay_ms, entry, None),
            self.notice,
        )
        configured = build_providers(source, where, context) if source else ()
        return choose(configured, wanted, context) if wanted else configured

    def _tests(self, entry: ConfigEntry) -> Tests:
        problems = Problems()
        default = problems.attempt(lambda: self._default_test(entry)) or TestCase()
        forced = problems.attempt(lambda: forced_variables(self.overrides.vars or {})) or {}
        tests = problems.attempt(lambda: self._chosen_tests(default, forced))
        problems.check()
        assert tests is not None
        return tests

    def _default_test(self, entry: ConfigEntry) -> TestCase:
        context = TestContext(self.names.assertions, self.written.base_path)
        where = within(self.written.where, "defaultTest")
        return read_default_test(self.document.get("defaultTest"), where, context, entry.metadata or {}, self.notice)

    def _chosen_tests(self, default: TestCase, forced: Mapping[str, Json]) -> Tests:
        delimiter = csv_delimiter(self.env.get("PROMPTFOO_CSV_DELIMITER", ","), Place("PROMPTFOO_CSV_DELIMITER"))
        if self.overrides.tests is not None:
            context = TestContext(self.names.assertions, ".", default, forced, delimiter)
            return build_tests(self.overrides.tests, Place("--tests"), context)
        context = TestContext(self.names.assertions, self.written.base_path, default, forced, delimiter)
        if "tests" not in self.document:
            return single_test(context)
        return build_tests(self.document["tests"], within(self.written.where, "tests"), context)

    def _outputs(self) -> tuple[str, ...]:
        where = within(self.written.where, "outputPath")
        return output_paths(self.document.get("outputPath"), where, self.overrides, self.names)


def _mentions_sagemaker(source: Json, wanted: Sequence[str]) -> bool:
    return "sagemaker:" in f"{source}{wanted}"


def _once(notice: Callable[[str], None]) -> Callable[[str], None]:
    told: set[str] = set()

    def tell(message: str) -> None:
        if message not in told:
            told.add(message)
            notice(message)

    return tell
