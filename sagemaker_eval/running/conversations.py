"""What earlier cases leave to later ones: the turns of a conversation, and outputs that are stored as variables."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from sagemaker_eval.model import Case, Json, Response

_Key: TypeAlias = tuple[int, str]
_OF_ORIGIN = frozenset({"variant", "requestId", "customAttributes", "newSessionId", "closedSessionId"})
"""What a row tells of an answer beyond its metadata."""


class Conversations:
    """The turns so far, one list for each column and `metadata.conversationId`.

    Cases of one conversation take their turns in the order in which they came to `turn`; different conversations go
    on side by side.
    """

    def __init__(self) -> None:
        self._turns: dict[_Key, list[Json]] = {}
        self._locks: dict[_Key, asyncio.Lock] = {}

    @asynccontextmanager
    async def turn(self, case: Case) -> AsyncIterator[list[Json]]:
        """Wait for the conversation's earlier cases; the turns so far, as `_conversation` has them."""
        key = (case.column.index, str(case.row.test.metadata.get("conversationId", "")))
        async with self._locks.setdefault(key, asyncio.Lock()):
            yield self._turns.setdefault(key, [])


def turn_of(prompt: str, response: Response) -> Json:
    """One turn: the prompt, parsed where it is JSON; its last message or the prompt as `input`; the output.

    The output is the provider's own, before transforms, as promptfoo has it.
    """
    return _turn(prompt, response.stages[0] if response.stages else response.output, response.metadata)


def recorded_turn(row: Mapping[str, Any]) -> Json | None:
    """The turn that a finished case of an earlier run was, from its row; None where it got no answer."""
    response = row["response"]
    if response is None:
        return None
    output = response.get("providerOutput", response["output"])
    metadata = {name: value for name, value in response["metadata"].items() if name not in _OF_ORIGIN}
    return _turn(row["prompt"]["raw"], output, metadata)


def _turn(prompt: str, output: Json, metadata: Mapping[str, Json]) -> Json:
    try:
        asked = json.loads(prompt) if prompt.lstrip()[:1] in ("[", "{") else prompt
    except ValueError:
        asked = prompt
    last = asked[-1] if isinstance(asked, list) and asked else None
    said = last.get("content") if isinstance(last, dict) else None
    return {
        "prompt": asked,
        "input": asked if said is None else said,
        "output": output,
        "metadata": dict(metadata),
    }
