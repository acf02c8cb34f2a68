"""Turns of a conversation: what later cases see of earlier ones, and in which order."""

from __future__ import annotations

import asyncio

import pytest

from sagemaker_eval.model import Case, Column, Json, Prompt, ProviderSpec, Response, Row, TestCase
from sagemaker_eval.running.conversations import Conversations, turn_of


def case(index: int, conversation: str) -> Case:
    test = TestCase(metadata={"conversationId": conversation})
    return Case(index, Row(index, test, 0, {}), Column(0, ProviderSpec("echo", "echo"), Prompt("p", "p", "p")))


@pytest.mark.parametrize(
    ("prompt", "asked", "said"),
    [
        ("Why?", "Why?", "Why?"),
        ('[{"role": "system", "content": "Be brief"}, {"role": "user", "content": "Why?"}]', None, "Why?"),
        ('{"question": "Why?"}', {"question": "Why?"}, {"question": "Why?"}),
        ("[not json", "[not json", "[not json"),
    ],
)
def test_a_turn_has_the_last_message_as_its_input(prompt: str, asked: Json, said: Json) -> None:
    turn = turn_of(prompt, Response("Because", metadata={"m": 1}))
    assert turn["input"] == said
    assert asked is None or turn["prompt"] == asked
    assert (turn["output"], turn["metadata"]) == ("Because", {"m": 1})


def test_cases_of_one_conversation_wait_for_each_other_and_others_do_not() -> None:
    conversations = Conversations()
    order: list[str] = []
    gate = asyncio.Event()

    async def speak(index: int, name: str, wait: bool) -> None:
        async with conversations.turn(case(index, name)) as turns:
            if wait:
                await gate.wait()
            turns.append(f"{name}{index}")
            order.append(f"{name}{index}: {len(turns)}")

    async def all_at_once() -> None:
        first = asyncio.create_task(speak(0, "a", wait=True))
        second = asyncio.create_task(speak(1, "a", wait=False))
        await asyncio.create_task(speak(2, "b", wait=False))
        gate.set()
        await asyncio.gather(first, second)

    asyncio.run(all_at_once())
    assert order == ["b2: 1", "a0: 1", "a1: 2"]
