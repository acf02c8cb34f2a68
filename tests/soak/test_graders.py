"""Graders under load: their own cap on calls in flight holds, whatever the run's is, and nothing is asked twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.soak.conftest import Workshop

pytestmark = pytest.mark.soak

IN_FLIGHT = 3


class Counting:
    """Takes the place of a slow endpoint's pause, and knows how many calls are in it at once."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    async def __call__(self, seconds: float) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.now -= 1


def suite(cases: int, assertions: list[Json], grader: Json) -> Json:
    return {
        "prompts": ["Describe {{n}}"],
        "providers": ["sagemaker:huggingface:one"],
        "defaultTest": {"options": {"provider": grader}, "assert": assertions},
        "tests": [{"vars": {"n": number}} for number in range(cases)],
    }


def judged_by(config: Json, role: str) -> Json:
    return {role: {"id": f"sagemaker:{config}:grader", "maxConcurrency": IN_FLIGHT, "config": {"modelType": "openai"}}}


SIMILAR = [{"type": "similar", "value": f"{word} {{{{n}}}}", "threshold": -1} for word in "abcde"]


@pytest.mark.parametrize("model_type", ["openai", "custom"], ids=["in batches", "one by one"])
def test_an_embedder_has_no_more_calls_in_flight_than_it_may(
    workshop: Workshop, scaled: Callable[..., int], model_type: str
) -> None:
    cases = scaled(1000, 20)
    grader = judged_by("embedding", "embedding")
    grader["embedding"]["config"]["modelType"] = model_type
    config = workshop.write(suite(cases, SIMILAR, grader))
    pause = Counting()
    sandbox = workshop.serve({"grader": {"shape": "embedding", "latency": 2}}, sleep=pause)
    environ = workshop.environ(sandbox)

    ended = workshop.run(config, environ, max_concurrency=32)
    sent = sandbox.count("grader")
    again = workshop.run(config, environ, max_concurrency=32)

    assert (ended.code, again.code) == (0, 0)
    assert pause.most <= IN_FLIGHT
    assert pause.most == IN_FLIGHT or model_type != "custom", "batches may leave a place free; single calls do not"
    texts = cases * len(SIMILAR) + len(set(ended.outputs))
    assert sent == texts if model_type == "custom" else sent < texts / 4
    assert sandbox.count("grader") == sent
    assert _scores(ended.rows) == _scores(again.rows)


def _scores(rows: list[dict[str, Json]]) -> Counter[float]:
    return Counter(part["score"] for row in rows for part in row["gradingResult"]["componentResults"])


def test_a_text_grader_has_no_more_calls_in_flight_than_it_may(workshop: Workshop, scaled: Callable[..., int]) -> None:
    cases = scaled(1000, 20)
    rubrics = [{"type": "llm-rubric", "value": f"is about {word} {{{{n}}}}"} for word in "abcde"]
    config = workshop.write(suite(cases, rubrics, judged_by("openai", "text")))
    pause = Counting()
    verdict = {"pattern": "is about", "answer": '{"reason": "it is", "pass": true, "score": 1}'}
    sandbox = workshop.serve({"grader": {"shape": "openai", "latency": 2, "answers": [verdict]}}, sleep=pause)
    environ = workshop.environ(sandbox)

    ended = workshop.run(config, environ, max_concurrency=32)
    again = workshop.run(config, environ, max_concurrency=32)

    assert (ended.code, again.code) == (0, 0)
    assert pause.most == IN_FLIGHT
    assert sandbox.count("grader") == cases * len(rubrics)
    assert ended.document["results"]["stats"]["tokenUsage"]["assertions"]["numRequests"] == cases * len(rubrics)
    assert again.document["results"]["stats"]["tokenUsage"]["assertions"]["numRequests"] == 0
