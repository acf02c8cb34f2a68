"""A provider that shouts."""

from __future__ import annotations

from typing import Any


def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The prompt in capital letters."""
    return {"output": prompt.upper()}
