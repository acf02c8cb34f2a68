"""docs/assertions.md has every kind of assertion, and the outputs that its examples say pass or fail do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from sagemaker_eval.assertions.base import ASSERTIONS, COMPARISONS, GRADER_ROLES, Subject
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.assertions.sql_dialects import DATABASES
from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.config.assertion_specs import SET, AssertionContext, build_assertions
from sagemaker_eval.config.grader_choice import ROLES
from sagemaker_eval.config.keys import PROMPTFOO_ASSERTION_TYPES
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.model import AssertionSpec, Json, Place, Prompt, ProviderSpec, Response, TestCase
from sagemaker_eval.providers.python_answers import AnswerReader
from sagemaker_eval.text.templating.templates import Templates
from tests.docs.conftest import ROOT, Block, blocks_of
from tests.docs.test_configuration_page import first_column, missing_from, section

PAGE = ROOT / "docs" / "assertions.md"
ELSEWHERE = {"webhook"}
"""Kinds that ask somebody, though no grader: their examples are not executed."""

Example = tuple[Block, dict[str, Any]]


def examples() -> Iterator[Example]:
    """Each `assert` of the page, with the outputs that pass and fail where it says so."""
    for block in blocks_of(PAGE):
        if block.language == "yaml":
            yield from ((block, example) for example in parse_yaml(block.text, block.name))


def specs_of(example: dict[str, Any]) -> tuple[AssertionSpec, ...]:
    written = example["assert"]
    refuse_graders = partial(pytest.fail, "an example names a grader")
    context = AssertionContext(known_names().assertions, ".", lambda raw, where: refuse_graders())
    return build_assertions(written if isinstance(written, list) else [written], Place(PAGE.name), context)


def is_deterministic(kind: str) -> bool:
    return kind not in GRADER_ROLES and kind not in COMPARISONS and kind not in ELSEWHERE


def verdict(specs: tuple[AssertionSpec, ...], output: Json) -> bool:
    """Whether an output, text or what a provider in Python would return, passes."""
    told = output if isinstance(output, dict) else {"output": output}
    response: Response = AnswerReader("example", pytest.fail).read(told, queue=0.0, took=0.0)
    test, prompt, provider = TestCase(assertions=specs), Prompt("p", "p", "p"), ProviderSpec("echo", "echo")
    subject = Subject(response.text, None, "p", {}, test, prompt, provider, response)
    judge = Judge(Templates())
    assert judge.prepare(specs) == []
    return asyncio.run(judge.grade(test, subject)).passed


EXAMPLES = [
    pytest.param(block, example, id=f"{block.line}-{specs_of(example)[0].type}") for block, example in examples()
]


@pytest.mark.parametrize(("block", "example"), EXAMPLES)
def test_an_example_does_what_it_says(block: Block, example: dict[str, Any]) -> None:
    specs = specs_of(example)
    if not all(is_deterministic(spec.kind) for spec in specs):
        assert Judge(Templates()).prepare(specs) == []
        return
    assert example["passes"] and example["fails"]
    assert [output for output in example["passes"] if not verdict(specs, output)] == []
    assert [output for output in example["fails"] if verdict(specs, output)] == []


def test_every_kind_has_an_example() -> None:
    shown = {spec.kind for _, example in examples() for spec in specs_of(example)}
    assert shown == {*ASSERTIONS.names(), *COMPARISONS.names(), SET}


def test_every_kind_has_its_row_and_no_other_has() -> None:
    tables = re.sub(r"\A.*?^## ", "## ", PAGE.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert first_column(tables) == set(known_names().assertions)


def test_types_of_promptfoo_that_are_refused_are_listed_and_no_others() -> None:
    listed = set(re.findall(r"`([\w:-]+)`", section("assertions", "Not yet supported")))
    assert listed == PROMPTFOO_ASSERTION_TYPES - set(known_names().assertions)


def test_every_database_type_of_sql_is_named() -> None:
    assert missing_from(section("assertions", "Structure"), list(DATABASES)) == []


def test_every_role_of_a_grader_has_its_row() -> None:
    assert first_column(section("graders", "Who judges")) == set(ROLES)


def test_every_kind_that_asks_a_grader_for_words_has_its_prompts_variables() -> None:
    kinds = {kind for kind, roles in GRADER_ROLES.items() if roles != ("embedding",)} - {"model-graded-factuality"}
    assert missing_from(section("graders", "Prompts of your own"), sorted(kinds)) == []
