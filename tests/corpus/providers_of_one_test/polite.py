"""A provider with manners."""

from __future__ import annotations

from typing import Any


def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """A greeting instead of the order to greet."""
    return {"output": prompt.replace("Greet", "Dear")}
