"""Two providers that do as they are told."""

from __future__ import annotations

from typing import Any


def call_api(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The prompt, how the provider is configured, and the variable."""
    config = options["config"]
    return {"output": f"{prompt}{config['punctuation']} ({config['mood']['calm']}, {context['vars']['word']})"}


def backwards(prompt: str, options: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """The last word from its end to its beginning."""
    return {"output": prompt.split()[-1][::-1]}
