"""Prompts made from the variables of a case."""

from __future__ import annotations

from typing import Any


def as_text(context: dict[str, Any]) -> str:
    """One sentence, with a template left in it."""
    label = context["provider"]["label"]
    return f"{label}, tell {len(context['vars']['facts'])} facts about {{{{ subject | upper }}}}."


def as_chat(context: dict[str, Any]) -> list[dict[str, str]]:
    """Two messages of a chat."""
    return [
        {"role": "system", "content": "You know plants."},
        {"role": "user", "content": f"What is {context['vars']['subject']}?"},
    ]


def with_config(context: dict[str, Any]) -> dict[str, Any]:
    """A prompt with settings of its own."""
    return {"prompt": "Draw " + context["vars"]["subject"], "config": {"temperature": 0}}
