"""What is wrong with a plan is said before the first call, all at once."""

from __future__ import annotations

import pytest

from sagemaker_eval import assertions
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.running.checking import MOST_CASES, checked_plan
from sagemaker_eval.text.templating.templates import Templates

assert assertions.__all__
ECHO = (ProviderSpec("echo", "echo"),)


def problems(suite: Suite) -> list[str]:
    templates = Templates()
    with pytest.raises(ConfigError) as caught:
        checked_plan(suite, templates, Judge(templates))
    return [problem.message for problem in caught.value.problems]


def test_templates_and_assertions_are_reported_together() -> None:
    test = TestCase(assertions=(AssertionSpec("regex", "("), AssertionSpec("latency")))
    found = problems(Suite(prompts=(Prompt("{{ x | nope }}", "p", "1"),), providers=ECHO, tests=[test]))
    assert len(found) == 3
    assert "nope" in found[0]
    assert "regex" in found[1]
    assert "latency" in found[2]


def test_a_plan_without_columns_is_an_error() -> None:
    provider = ProviderSpec("echo", "echo", prompts=("other",))
    suite = Suite(prompts=(Prompt("p", "p", "1"),), providers=(provider,), tests=[TestCase()])
    assert problems(suite) == ["no provider is allowed any of the prompts"]


def test_a_plan_that_no_machine_could_carry_out_is_refused_with_its_size() -> None:
    suite = Suite(prompts=(Prompt("p", "p", "1"),), providers=ECHO, tests=[TestCase()], repeat=10**20)
    assert problems(suite) == [
        f"the plan has 100,000,000,000,000,000,000 cases, and a run takes at most {MOST_CASES:,}"
    ]
