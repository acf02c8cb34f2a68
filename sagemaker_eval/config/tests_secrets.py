"""The secrets in the settings of tests: those of graders and of scripts, and in the URLs of webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from sagemaker_eval.config.datasets import ConcatenatedTests, ListedTests
from sagemaker_eval.config.masking import secrets_in
from sagemaker_eval.config.providers import provider_secrets
from sagemaker_eval.model import AssertionSpec, Json, ProviderSpec, TestCase, Tests


def secrets_of_tests(tests: Tests | None) -> frozenset[str]:
    """The secrets of all tests that are held in memory; tables and JSON Lines hold no settings worth a pass."""
    return frozenset(secret for test in _listed(tests) for secret in _of_test(test))


def _listed(tests: Tests | None) -> Iterator[TestCase]:
    if isinstance(tests, ListedTests):
        yield from tests
    elif isinstance(tests, ConcatenatedTests):
        for part in tests.parts:
            yield from _listed(part)


def _of_test(test: TestCase) -> Iterator[str]:
    if test.options:
        yield from _of_settings(dict(test.options))
    if test.provider is not None:
        yield from provider_secrets([test.provider])
    for spec in test.assertions:
        yield from _of_assertion(spec)


def _of_assertion(spec: AssertionSpec) -> Iterator[str]:
    if spec.config or spec.kind == "webhook":
        yield from secrets_in({"config": dict(spec.config), "assert": [{"type": spec.kind, "value": spec.value}]})
    yield from provider_secrets(spec.graders.values())
    for member in spec.members:
        yield from _of_assertion(member)


def _of_settings(options: dict[str, Json]) -> Iterator[str]:
    graders = [value for value in options.values() if isinstance(value, ProviderSpec)]
    yield from provider_secrets(graders)
    yield from secrets_in({name: value for name, value in options.items() if not isinstance(value, ProviderSpec)})
