"""A provider that repeats what it hears."""

from __future__ import annotations

from typing import Any


def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The prompt in quotes."""
    return {"output": f"“{prompt}”"}
