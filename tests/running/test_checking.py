"""What is wrong with a plan is said before the first call, all at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sagemaker_eval import assertions, providers
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Prompt, ProviderSpec, Suite, TestCase, UserCode
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.checking import MOST_CASES, Checker
from sagemaker_eval.running.rendering import Renderer
from sagemaker_eval.sagemaker.session import Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool
from sagemaker_eval.text.templating.templates import Templates

assert assertions.__all__ and providers.__all__
ECHO = (ProviderSpec("echo", "echo"),)


def problems(suite: Suite, whole: Suite | None = None) -> list[str]:
    templates = Templates()
    pool = ProviderPool(Services(ConnectionPool(1), Targets({}, lambda message: None)))
    checker = Checker(suite, whole or suite, Renderer(templates), Answering(pool), Judge(templates))
    with pytest.raises(ConfigError) as caught:
        checker.plan()
    return [problem.message for problem in caught.value.problems]


def test_templates_and_assertions_are_reported_together() -> None:
    test = TestCase(assertions=(AssertionSpec("regex", "("), AssertionSpec("latency")))
    found = problems(Suite(prompts=(Prompt("{{ x | nope }}", "p", "1"),), providers=ECHO, tests=[test]))
    assert len(found) == 3
    assert "nope" in found[0]
    assert "regex" in found[1]
    assert "latency" in found[2]


def test_tests_that_end_with_an_error_leave_what_was_found_before() -> None:
    def tests() -> Iterator[TestCase]:
        yield TestCase(assertions=(AssertionSpec("latency"),))
        raise ConfigError.of("the second row is no test")

    class Tests:
        def __len__(self) -> int:
            return 2

        def __iter__(self) -> Iterator[TestCase]:
            return tests()

    found = problems(Suite(prompts=(Prompt("p", "p", "1"),), providers=ECHO, tests=Tests()))
    assert found == ["`latency` needs a `threshold` in milliseconds", "the second row is no test"]


def test_a_plan_without_columns_is_an_error() -> None:
    provider = ProviderSpec("echo", "echo", prompts=("other",))
    suite = Suite(prompts=(Prompt("p", "p", "1"),), providers=(provider,), tests=[TestCase()])
    assert problems(suite) == ["no provider is allowed any of the prompts"]


def test_a_plan_that_no_machine_could_carry_out_is_refused_with_its_size() -> None:
    suite = Suite(prompts=(Prompt("p", "p", "1"),), providers=ECHO, tests=[TestCase()], repeat=10**20)
    assert problems(suite) == [
        f"the plan has 100,000,000,000,000,000,000 cases, and a run takes at most {MOST_CASES:,}"
    ]


def test_a_test_may_only_name_what_there_is() -> None:
    test = TestCase(providers=("ekho",), prompts=("p", "q"))
    suite = Suite(prompts=(Prompt("text", "p", "1"),), providers=ECHO, tests=[test])
    assert problems(suite) == [
        "unknown provider `ekho`",
        "unknown prompt `q`",
        "no test is left any column of the table",
    ]


def test_a_filter_does_not_make_a_reference_unknown() -> None:
    whole = Suite(prompts=(Prompt("text", "p", "1"), Prompt("other", "q", "2")), providers=ECHO, tests=[])
    filtered = Suite(prompts=whole.prompts[:1], providers=ECHO, tests=[TestCase(prompts=("q",))])
    assert problems(filtered, whole) == ["no test is left any column of the table"]


def test_code_of_a_test_is_compiled_before_the_first_call() -> None:
    test = TestCase(
        vars={"a": UserCode("file://none.py"), "b": [UserCode("file://none.js")]},
        options={"transform": UserCode("output +")},
        scoring=UserCode("file://score.py"),
    )
    found = problems(Suite(prompts=(Prompt("text", "p", "1"),), providers=ECHO, tests=[test]))
    assert len(found) == 4
    assert "none.py" in found[0]
    assert "none.js" in found[1]
    assert "not valid JavaScript" in found[2]
    assert "score.py" in found[3]
