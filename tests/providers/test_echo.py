from __future__ import annotations

import asyncio

from sagemaker_eval.model import Call
from sagemaker_eval.providers.echo import Echo


def test_the_answer_is_the_prompt_and_nothing_was_called() -> None:
    response = asyncio.run(Echo().answer(Call("Hi")))
    assert (response.output, response.raw, response.attempts, response.latency_ms) == ("Hi", "Hi", 0, None)
