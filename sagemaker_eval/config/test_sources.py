"""`tests`: inline lists, files and mixtures of both, as the tests of a suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby

from sagemaker_eval.config.datasets import ConcatenatedTests, ListedTests, Source, open_tests
from sagemaker_eval.config.explaining import check, misshapen
from sagemaker_eval.config.file_values import assertion_value
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import is_reference
from sagemaker_eval.config.schema import TestEntry, TestGeneratorEntry
from sagemaker_eval.config.slips import nearest_key
from sagemaker_eval.config.test_cases import TestContext, build_test, merged
from sagemaker_eval.config.test_columns import TableOptions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase, Tests

_NO_TESTS_HINT = "leave `tests` out to send each prompt once, without variables"

_TEST_KEYS = frozenset(TestEntry.known_keys())

BuildTest = Callable[[Json, Place, TestContext], TestCase]


def single_test(context: TestContext) -> Tests:
    """What is run where a configuration has no `tests`: one test without variables of its own."""
    return ListedTests((merged(TestCase(), context),))


def build_tests(source: Json, where: Place, context: TestContext, build: BuildTest = build_test) -> Tests:
    """The tests of a path, a glob, a script or a list of tests and paths, each made by `build`.

    Raises `ConfigError`, also where there are none.
    """
    if isinstance(source, str) or _is_generator(source):
        tests = _open(source, where, context, build, alone=True)
    elif isinstance(source, list):
        tests = _listed(source, where, context, build)
    elif source is None:
        tests = ListedTests(())
    else:
        raise misshapen("a path or a list of tests", source, where)
    if not len(tests):
        raise ConfigError.of("there are no tests", where, _NO_TESTS_HINT)
    return tests


def _listed(source: list[Json], where: Place, context: TestContext, build: BuildTest) -> Tests:
    problems = Problems()

    def inline(item: tuple[int, Json]) -> TestCase:
        index, raw = item
        return build(raw, within(where, index), context)

    def from_file(item: tuple[int, Json]) -> Tests:
        index, raw = item
        return _open(raw, within(where, index), context, build, alone=False)

    parts: list[Tests] = []
    for is_source, items in groupby(enumerate(source), lambda item: _is_source(item[1])):
        if is_source:
            parts += problems.attempt_each(items, from_file)
        else:
            parts.append(ListedTests(tuple(problems.attempt_each(items, inline))))
    tests = parts[0] if len(parts) == 1 else ConcatenatedTests(tuple(parts))
    problems.check(tests)
    return tests


def _open(source: Json, where: Place, context: TestContext, build: BuildTest, alone: bool) -> Tests:
    """The tests of a path, or of a script with its `config`. `alone`: nothing else stands in `tests`."""
    table = TableOptions(context.csv_delimiter, context.assertion_types, context.notice)

    def build_entry(raw: Mapping[str, Json], place: Place) -> TestCase:
        return build(raw, place, context)

    if isinstance(source, str):
        return open_tests(Source(source, context.base_path, where, table, numbered=alone), build_entry)
    source = _with_config_read(source, where, context.base_path)
    entry = check(TestGeneratorEntry, source, where)
    if not isinstance(entry.config, Mapping | None):
        raise misshapen("a map", entry.config, within(where, "config"))
    return open_tests(Source(entry.path, context.base_path, where, table, entry.config, alone), build_entry)


def _with_config_read(source: Json, where: Place, base_path: str) -> Json:
    """The source with the file in place of a `config` that names one."""
    config = source.get("config")
    if not is_reference(config):
        return source
    return {**source, "config": assertion_value(config, base_path, within(where, "config"))}


def _is_source(value: Json) -> bool:
    return isinstance(value, str) or _is_generator(value)


def _is_generator(value: Json) -> bool:
    """Whether a map names a script by its `path`, or wants to and is mistaken in that key."""
    if not isinstance(value, Mapping) or "path" in value:
        return isinstance(value, Mapping)
    return value.keys().isdisjoint(_TEST_KEYS) and any(nearest_key(key, ["path"]) for key in value)
