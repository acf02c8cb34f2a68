"""The tests of all files of a configuration, over what every test starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sagemaker_eval.config.configuration import Configuration, Part
from sagemaker_eval.config.csv_tests import csv_delimiter
from sagemaker_eval.config.datasets import ConcatenatedTests
from sagemaker_eval.config.default_test import build_default_test
from sagemaker_eval.config.file_values import variable_value
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.merging import merged_default_tests
from sagemaker_eval.config.places import within
from sagemaker_eval.config.providers import build_provider
from sagemaker_eval.config.scenarios import build_scenarios
from sagemaker_eval.config.suite_columns import provider_context
from sagemaker_eval.config.test_cases import TestContext, forced_variables
from sagemaker_eval.config.test_sources import build_tests, single_test
from sagemaker_eval.model import Json, Place, ProviderSpec, TestCase, Tests


def suite_tests(configuration: Configuration, providers: Sequence[ProviderSpec] = ()) -> Tests:
    """Those of the command line alone, else those under `tests` in all files, then those of their `scenarios`.

    One test without variables of its own where there is neither. `providers` are those of the suite, which tests and
    assertions may name by id or label. Raises `ConfigError`, also where there are no tests.
    """
    problems = Problems()
    forced = problems.attempt(lambda: _forced(configuration)) or {}
    plain = TestContext(
        configuration.names.assertions,
        ".",
        forced=forced,
        csv_delimiter=csv_delimiter(
            configuration.env.get("PROMPTFOO_CSV_DELIMITER", ","), Place("PROMPTFOO_CSV_DELIMITER")
        ),
        notice=configuration.notice,
    )
    maker = _Maker(configuration, plain, providers)
    default = problems.attempt(maker.default_test)
    tests = problems.attempt(_Maker(configuration, replace(plain, default=default or TestCase()), providers).tests)
    problems.check(tests)
    assert tests is not None
    return tests


@dataclass(frozen=True, slots=True)
class _Maker:
    """Builds tests; `shared` is what the tests of all files have in common."""

    configuration: Configuration
    shared: TestContext
    providers: Sequence[ProviderSpec]

    def tests(self) -> Tests:
        configuration, problems = self.configuration, Problems()
        if configuration.overrides.tests is not None:
            return build_tests(configuration.overrides.tests, Place("--tests"), self._context("."))
        sources = [item for item in configuration.values("tests") if item[1] != []]
        scenarios = [item for item in configuration.values("scenarios") if item[1] != []]
        if not sources and not scenarios:
            return self._without_sources()
        found = problems.attempt_each(sources, lambda item: build_tests(item[1], item[2], self._context_of(item[0])))
        found += problems.attempt_each(
            scenarios, lambda item: build_scenarios(item[1], item[2], self._context_of(item[0]))
        )
        tests = found[0] if len(found) == 1 else ConcatenatedTests(tuple(found))
        problems.check(tests)
        return tests

    def _without_sources(self) -> Tests:
        """One test where no file has the key; where one has, its value is refused for being empty."""
        for part in self.configuration.parts:
            if "tests" in part.document:
                return build_tests(part.document["tests"], within(part.written.where, "tests"), self._context_of(part))
        return single_test(self.shared)

    def default_test(self) -> TestCase:
        """`defaultTest` of all files over the config's metadata, with what `commandLineOptions` put round prompts."""
        configuration, problems = self.configuration, Problems()
        built = problems.attempt_each(self._default_tests(), lambda item: self._default_test(*item))
        problems.check()
        default = merged_default_tests(built)
        options = {
            key: found[1]
            for key, name in (("prefix", "prompt_prefix"), ("suffix", "prompt_suffix"))
            if (found := configuration.option(name)) is not None
        }
        if (grader := self._grader()) is not None:
            options["provider"] = {**default.options.get("provider", {}), "text": grader}
        metadata = {**(configuration.entry.metadata or {}), **default.metadata}
        return replace(default, metadata=metadata, options={**default.options, **options})

    def _grader(self) -> ProviderSpec | None:
        """Who judges by the command line, else by `commandLineOptions`."""
        if self.configuration.overrides.grader is not None:
            return self._builder(".")(self.configuration.overrides.grader, Place("--grader"))
        written = self.configuration.option("grader")
        return None if written is None else self._builder(written[0].base_path)(written[1], written[2])

    def _default_tests(self) -> list[tuple[Part, Json, Place]]:
        """What counts of the `defaultTest` of all files: all maps, or the last file name alone."""
        found = list(self.configuration.values("defaultTest"))
        names = [item for item in found if isinstance(item[1], str)]
        if not names:
            return found
        chosen = names[-1]
        for part, _, _ in found:
            if part is not chosen[0]:
                told = f"`defaultTest` of `{part.written.path}` has no effect"
                self.configuration.notice(f"{told}: that of `{chosen[0].written.path}` is a file, which replaces it")
        return [chosen]

    def _default_test(self, part: Part, raw: Json, where: Place) -> TestCase:
        return build_default_test(raw, where, self._context_of(part), self.configuration.env, self.configuration.notice)

    def _context_of(self, part: Part) -> TestContext:
        return self._context(part.base_path)

    def _context(self, base_path: str) -> TestContext:
        build = self._builder(base_path)
        return replace(self.shared, base_path=base_path, build_provider=build, built_providers={})

    def _builder(self, base_path: str) -> Callable[[Json, Place], ProviderSpec]:
        """Builds providers that tests, assertions and the command line name."""

        def build(raw: Json, where: Place) -> ProviderSpec:
            for spec in self.providers if isinstance(raw, str) else ():
                if raw in (spec.id, spec.label):
                    return spec
            return build_provider(raw, where, provider_context(self.configuration, base_path, raw))

        return build


def _forced(configuration: Configuration) -> Mapping[str, Json]:
    """The variables that win over those of every test: `commandLineOptions.var`, under those of the command line."""
    written = configuration.option("var")
    problems = Problems()
    configured: list[tuple[str, Json]] = []
    if written is not None:
        part, variables, where = written
        configured = problems.attempt_each(
            variables.items(), lambda item: (item[0], variable_value(item[1], part.base_path, within(where, item[0])))
        )
    given = problems.attempt(lambda: forced_variables(configuration.overrides.vars or {})) or {}
    problems.check()
    return {**dict(configured), **given}
