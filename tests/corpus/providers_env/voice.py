"""A provider that says how it was configured."""

from __future__ import annotations

from typing import Any


def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The prompt after the tone and size of the configuration."""
    config = options["config"]
    return {"output": f"[{config.get('tone')}/{config.get('size')}] {prompt}"}
