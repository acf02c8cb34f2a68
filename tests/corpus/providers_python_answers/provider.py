"""A provider with an answer of every kind."""

from __future__ import annotations

from typing import Any

ANSWERS: dict[str, Any] = {
    "object": {"mood": "calm", "clouds": [1, 2]},
    "list": ["rain", "sun"],
    "number": 42,
    "empty": "",
}


def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The answer that the prompt names."""
    if prompt == "error":
        return {"error": "the oracle is closed"}
    return {"output": ANSWERS[prompt]}
