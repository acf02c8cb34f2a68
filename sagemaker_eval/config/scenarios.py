"""`scenarios`: every data set of a scenario's `config` put to every one of its `tests`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sagemaker_eval.config.datasets import ConcatenatedTests, ListedTests
from sagemaker_eval.config.explaining import check, describe, misshapen
from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import pointer_name, within
from sagemaker_eval.config.references import display_path, expand_glob, is_reference
from sagemaker_eval.config.schema import ScenarioEntry
from sagemaker_eval.config.streamed_tests import MOST_KEPT
from sagemaker_eval.config.test_cases import TestContext, merged, overlaid, read_test
from sagemaker_eval.config.test_sources import build_tests
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase, Tests

_FILE_HINT = "for example `file://scenarios.yaml`"


def build_scenarios(source: Json, where: Place, context: TestContext) -> Tests:
    """The tests of all scenarios, data set by data set.

    Each test lies over its data set and both over `defaultTest`; assertions add up in the order default, data, test.
    The cases of a data set are one conversation, `__scenario_0__` and so on, unless their metadata name another.
    Raises `ConfigError`, also where there is nothing to expand.
    """
    problems = Problems()
    written = problems.attempt(lambda: _written(source, where, context.base_path)) or []
    expanded = problems.attempt_each(written, lambda item: _expanded(item[1], item[0], context))
    problems.check()
    if not expanded:
        raise ConfigError.of("there are no scenarios", where, "remove `scenarios`, or give it at least one")
    return expanded[0] if len(expanded) == 1 else ConcatenatedTests(tuple(expanded))


@dataclass(frozen=True, slots=True)
class _ScenarioTests:
    """The tests of one scenario, made anew by each pass; `data` has the conversation of each data set."""

    data: Sequence[TestCase]
    tests: Tests
    context: TestContext

    def __len__(self) -> int:
        return len(self.data) * len(self.tests)

    def __iter__(self) -> Iterator[TestCase]:
        for data in self.data:
            for test in self.tests:
                yield merged(overlaid(data, test), self.context)


def _written(source: Json, where: Place, base_path: str) -> list[tuple[Place, Json]]:
    """The scenarios as written, files read, each with its place."""
    if isinstance(source, str):
        return _from_files(source, where, base_path)
    if not isinstance(source, list):
        raise misshapen("a list of scenarios, or a path after `file://`", source, where)
    problems = Problems()
    parts = problems.attempt_each(
        enumerate(source),
        lambda item: (
            _from_files(item[1], within(where, item[0]), base_path)
            if isinstance(item[1], str)
            else [(within(where, item[0]), item[1])]
        ),
    )
    problems.check()
    return [scenario for part in parts for scenario in part]


def _from_files(reference: str, where: Place, base_path: str) -> list[tuple[Place, Json]]:
    if not is_reference(reference):
        raise misshapen("a scenario, or a path after `file://`", reference, where, _FILE_HINT)
    files = expand_glob(reference, base_path)
    if not files:
        raise no_file(reference, base_path, where)
    return [scenario for file in files for scenario in _from_file(display_path(file), where)]


def _from_file(path: str, where: Place) -> list[tuple[Place, Json]]:
    if not path.lower().endswith((".yaml", ".yml", ".json")):
        raise ConfigError.of(f"`{path}` ends neither in `.yaml`, `.yml` nor in `.json`", where, _FILE_HINT)
    document = (parse_json if path.lower().endswith(".json") else parse_yaml)(read_text(path), path)
    if isinstance(document, list):
        return [(Place(path, pointer=(index,)), scenario) for index, scenario in enumerate(document)]
    return [(Place(path), document)]


def _expanded(raw: Json, where: Place, context: TestContext) -> Tests:
    if not isinstance(raw, dict):
        raise ConfigError.of(f"a scenario must be a map, not {describe(raw)}", where, "its keys are `config`, `tests`")
    problems = Problems()
    problems.attempt(lambda: check(ScenarioEntry, raw, where))
    if raw.get("config") is None:
        problems.add("`config` is missing in a scenario", where, "give it a list of data sets, for example of `vars`")
    data = problems.attempt(lambda: _parts(raw.get("config"), within(where, "config"), context))
    tests = problems.attempt(lambda: _parts(raw.get("tests"), within(where, "tests"), context))
    problems.check()
    assert data is not None and tests is not None
    numbered = tuple(_conversation(one, next(context.scenario_numbers), context) for one in data)
    expanded = _ScenarioTests(numbered, tests, context)
    return ListedTests(tuple(expanded)) if len(expanded) <= MOST_KEPT else expanded


def _parts(raw: Json, where: Place, context: TestContext) -> Tests:
    """The data sets or tests of a scenario, not yet merged with anything; a single empty one where there are none."""
    if raw is None:
        return ListedTests((TestCase(where=where),))
    if raw == []:
        message = f"`{pointer_name(where.pointer)}` is empty in a scenario"
        raise ConfigError.of(message, where, "a scenario puts each of its tests to each data set of its `config`")
    return build_tests([raw] if isinstance(raw, str) else raw, where, context, read_test)


def _conversation(data: TestCase, number: int, context: TestContext) -> TestCase:
    """The data set with a conversation of its own, unless it or `defaultTest` names one."""
    if any(metadata.get("conversationId") is not None for metadata in (data.metadata, context.default.metadata)):
        return data
    return replace(data, metadata={**data.metadata, "conversationId": f"__scenario_{number}__"})
