"""One test: checked, merged with `defaultTest` and the command line, its files read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from sagemaker_eval.config.assertion_specs import AssertionContext, build_assertions
from sagemaker_eval.config.explaining import check, listed, misshapen, not_yet_supported
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import TestEntry
from sagemaker_eval.config.test_columns import ignore
from sagemaker_eval.config.test_options import read_options
from sagemaker_eval.config.variables import VariableTransforms, forced_variables, read_variables
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EMPTY, Json, Place, ProviderSpec, TestCase, UserCode, compact_json

T = TypeVar("T")

__all__ = ["TestContext", "build_test", "forced_variables", "merged", "overlaid", "read_default_test", "read_test"]

_TELLING = ("assert", "vars", "options", "metadata", "provider", "providerOutput", "threshold")
"""What a test must have at least one of, as in promptfoo."""


@dataclass(frozen=True, slots=True)
class TestContext:
    """What all tests of a suite share. `default` has the config's metadata; `forced` variables win over a test's.

    `scenario_numbers` counts the data sets of scenarios, over all files of one configuration where they share it.
    """

    __test__ = False

    assertion_types: tuple[str, ...]
    base_path: str
    default: TestCase = field(default_factory=TestCase)
    forced: Mapping[str, Json] = field(default_factory=dict)
    csv_delimiter: str = ","
    build_provider: Callable[[Json, Place], ProviderSpec] | None = None
    notice: Callable[[str], None] = ignore
    scenario_numbers: Iterator[int] = field(default_factory=itertools.count)
    transforms: VariableTransforms = field(default_factory=VariableTransforms)
    built_providers: dict[str, ProviderSpec] = field(default_factory=dict)
    """The providers of tests, by what was written, so that tests that name the same one share it."""


def build_test(raw: Json, where: Place, context: TestContext) -> TestCase:
    """The test that `raw` describes, merged as promptfoo merges (defaults first).

    Raises `ConfigError`; where only assertions are wrong, the test with the others is usable.
    """
    problems = Problems()
    own = problems.attempt(lambda: read_test(raw, where, context))
    if own is None:
        problems.check()
    assert own is not None
    problems.attempt(lambda: check_telling(raw, where))
    test = problems.attempt(lambda: merged(own, context))
    problems.check(test)
    assert test is not None
    return test


def check_telling(raw: Mapping[str, Json], where: Place) -> None:
    """Raises `ConfigError` for a test that asks and judges nothing of its own."""
    if not raw:
        raise ConfigError.of("the test is empty", where, "give it `vars`, `assert` or both")
    if all(raw.get(key) is None for key in _TELLING):
        raise ConfigError.of(f"the test has none of {listed(_TELLING)}", where, "give it one of them, or remove it")


def merged(own: TestCase, context: TestContext) -> TestCase:
    """A test over what all tests start from, under the variables of the command line, its variables transformed.

    Raises `ConfigError` where `transformVars` fails.
    """
    default = context.default
    inherited = () if own.options.get("disableDefaultAsserts") else default.assertions
    options = {**default.options, **_telling_options(own.options)}
    variables: Mapping[str, Json] = {**default.vars, **own.vars, **context.forced}
    if "transformVars" in options:
        variables = context.transforms.applied(options["transformVars"], variables, own.where)
    return TestCase(
        description=own.description,
        vars=variables,
        assertions=inherited + own.assertions,
        threshold=default.threshold if own.threshold is None else own.threshold,
        metadata={**default.metadata, **own.metadata},
        options=options,
        providers=default.providers if own.providers is None else own.providers,
        prompts=default.prompts if own.prompts is None else own.prompts,
        provider=own.provider or default.provider,
        provider_output=own.provider_output,
        scoring=own.scoring or default.scoring,
        where=own.where,
    )


def _telling_options(options: Mapping[str, Json]) -> Mapping[str, Json]:
    """The options without an empty `prefix` or `suffix`: as in promptfoo, those of the defaults stand then."""
    if "" not in (options.get("prefix"), options.get("suffix")):
        return options
    return {key: value for key, value in options.items() if value != "" or key not in ("prefix", "suffix")}


def overlaid(lower: TestCase, upper: TestCase) -> TestCase:
    """One test over another, neither merged with the defaults: what scenarios are made of."""
    return TestCase(
        description=upper.description or lower.description,
        vars={**lower.vars, **upper.vars},
        assertions=lower.assertions + upper.assertions,
        threshold=lower.threshold if upper.threshold is None else upper.threshold,
        metadata={**lower.metadata, **upper.metadata},
        options={**lower.options, **upper.options},
        providers=lower.providers if upper.providers is None else upper.providers,
        prompts=lower.prompts if upper.prompts is None else upper.prompts,
        provider=upper.provider or lower.provider,
        provider_output=lower.provider_output if upper.provider_output is None else upper.provider_output,
        scoring=upper.scoring or lower.scoring,
        where=upper.where,
    )


def read_test(raw: Json, where: Place, context: TestContext) -> TestCase:
    """A test, or `defaultTest`, by itself. Raises `ConfigError` as `build_test` does."""
    if not isinstance(raw, Mapping):
        raise misshapen("a map", raw, where)
    base_path, problems = context.base_path, Problems()
    entry = problems.attempt(lambda: check(TestEntry, raw, where))

    def part(key: str, read: Callable[[Json, Place], T]) -> T | None:
        value = raw.get(key)
        return None if value is None else problems.attempt(lambda: read(value, within(where, key)))

    variables = part("vars", lambda value, place: read_variables(value, place, base_path))
    grader = partial(_provider, context=context)
    options = part("options", lambda value, place: read_options(value, place, base_path, grader, context.notice))
    provider = part("provider", lambda value, place: _provider(value, place, context))
    output = part("providerOutput", _output)
    sound = not problems
    asserted = AssertionContext(context.assertion_types, base_path, grader)
    assertions = part("assert", lambda value, place: build_assertions(value, place, asserted))
    if not sound:
        problems.check()
    assert entry is not None
    scoring = entry.assert_scoring_function
    test = TestCase(
        description=entry.description,
        vars=variables or EMPTY,
        assertions=assertions or (),
        threshold=entry.threshold,
        metadata=entry.metadata or EMPTY,
        options=options or EMPTY,
        providers=None if entry.providers is None else tuple(entry.providers),
        prompts=None if entry.prompts is None else tuple(entry.prompts),
        provider=provider,
        provider_output=output,
        scoring=UserCode(scoring, base_path, within(where, "assertScoringFunction")) if scoring else None,
        where=where,
    )
    problems.check(test)
    return test


def read_default_test(
    raw: Json, where: Place, context: TestContext, metadata: Mapping[str, Json], notice: Callable[[str], None]
) -> TestCase:
    """`defaultTest` (None where absent) over the config's own metadata: what every test starts from."""
    if raw is None:
        return TestCase(metadata=dict(metadata))
    test = read_test(raw, where, context)
    if test.description is not None:
        notice("`description` has no effect in `defaultTest`: tests do not inherit it")
    if test.provider_output is not None:
        notice("`providerOutput` has no effect in `defaultTest`: tests do not inherit it")
    if "disableDefaultAsserts" in test.options:
        notice("`disableDefaultAsserts` has no effect in `defaultTest`: it is for the tests that do without them")
    return replace(test, description=None, provider_output=None, metadata={**metadata, **test.metadata})


def _provider(raw: Json, where: Place, context: TestContext) -> ProviderSpec:
    if not isinstance(raw, str | Mapping):
        raise misshapen("the id of a provider, or a map", raw, where)
    if context.build_provider is None:
        raise ConfigError([not_yet_supported("provider", where)])
    written = compact_json(raw)
    if written not in context.built_providers:
        context.built_providers[written] = context.build_provider(raw, where)
    return context.built_providers[written]


def _output(raw: Json, where: Place) -> Json:
    """The output given in advance; an empty text is none, as in promptfoo, where a blank cell of a table means it."""
    if raw == "":
        return None
    if not isinstance(raw, str | Mapping):
        raise misshapen("text or a map", raw, where)
    return raw
