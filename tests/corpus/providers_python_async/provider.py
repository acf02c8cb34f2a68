"""A provider that takes its time."""

from __future__ import annotations

import asyncio
from typing import Any


async def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """A tune, and what it cost."""
    await asyncio.sleep(0)
    tokens = {"total": 12, "prompt": 8, "completion": 4}
    return {"output": "mmm " + prompt.removeprefix("Hum "), "tokenUsage": tokens, "metadata": {"key": "G"}}
