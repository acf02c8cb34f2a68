"""Judges outputs in a process of its own and prints the processor seconds that it took."""

from __future__ import annotations

import asyncio
import sys
import time

from sagemaker_eval import assertions
from sagemaker_eval.assertions.base import Subject
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.model import AssertionSpec, Prompt, ProviderSpec, Response, TestCase
from sagemaker_eval.text.templating.templates import Templates

assert assertions.__all__

TEXT = (
    AssertionSpec("contains", "Paris"),
    AssertionSpec("icontains-any", ["{{expected}}", "capital"]),
    AssertionSpec("regex", r"\bas a language model\b", negated=True),
)
SUITES = {"text": (100_000, TEXT), "python": (10_000, (AssertionSpec("python", "len(output) > 3"),))}


def main() -> None:
    """Judge what the argument names: `text` or `python`."""
    cases, specs = SUITES[sys.argv[1]]
    test = TestCase(vars={"expected": "paris"}, assertions=specs)
    judge = Judge(Templates())
    assert not judge.prepare(specs)
    began = time.process_time()
    asyncio.run(_judged(judge, test, cases))
    print(time.process_time() - began)  # noqa: T201


async def _judged(judge: Judge, test: TestCase, cases: int) -> None:
    prompt, provider = Prompt("What is the capital?", "p", "p"), ProviderSpec("echo", "echo")
    for number in range(cases):
        response = Response(f"The capital of France is Paris, says answer {number}.")
        subject = Subject(response.text, None, prompt.raw, test.vars, test, prompt, provider, response)
        grade = await judge.grade(test, subject)
        assert grade.passed


if __name__ == "__main__":
    main()
