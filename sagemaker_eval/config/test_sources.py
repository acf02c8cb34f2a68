"""`tests`: inline lists, files and mixtures of both, as the tests of a suite."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from itertools import groupby

from sagemaker_eval.config.datasets import ConcatenatedTests, ListedTests, open_tests
from sagemaker_eval.config.explaining import misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.test_cases import TestContext, build_test, merged
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase, Tests

_NO_TESTS_HINT = "leave `tests` out to send each prompt once, without variables"


def single_test(context: TestContext) -> Tests:
    """What is run where a configuration has no `tests`: one test without variables of its own."""
    return ListedTests((merged(TestCase(), context),))


def build_tests(source: Json, where: Place, context: TestContext) -> Tests:
    """The tests of a path, a glob or a list of tests and paths. Raises `ConfigError`, also where there are none."""
    if isinstance(source, Mapping) and "path" in source:
        raise _configured_source(where)
    if isinstance(source, str):
        tests = _open(source, where, context)
    elif isinstance(source, list):
        tests = _listed(source, where, context)
    elif source is None:
        tests = ListedTests(())
    else:
        raise misshapen("a path or a list of tests", source, where)
    if not len(tests):
        raise ConfigError.of("there are no tests", where, _NO_TESTS_HINT)
    return tests


def _listed(source: list[Json], where: Place, context: TestContext) -> Tests:
    problems = Problems()

    def inline(item: tuple[int, Json]) -> TestCase:
        index, raw = item
        place = within(where, index)
        if isinstance(raw, Mapping) and "path" in raw:
            raise _configured_source(place)
        return build_test(raw, place, context)

    def from_file(item: tuple[int, Json]) -> Tests:
        index, raw = item
        return _open(raw, within(where, index), context)

    parts: list[Tests] = []
    for is_path, items in groupby(enumerate(source), lambda item: isinstance(item[1], str)):
        if is_path:
            parts += problems.attempt_each(items, from_file)
        else:
            parts.append(ListedTests(tuple(problems.attempt_each(items, inline))))
    problems.check()
    return parts[0] if len(parts) == 1 else ConcatenatedTests(tuple(parts))


def _open(source: str, where: Place, context: TestContext) -> Tests:
    build = functools.partial(_build, context)
    return open_tests(source, context.base_path, build, where, delimiter=context.csv_delimiter)


def _build(context: TestContext, raw: Mapping[str, Json], where: Place) -> TestCase:
    return build_test(raw, where, context)


def _configured_source(where: Place) -> ConfigError:
    return ConfigError.of("tests as `{path, config}` are not yet supported", where, "give the path alone")
