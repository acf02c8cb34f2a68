"""Looks up what belongs to a question."""

from __future__ import annotations

from typing import Any


def get_var(name: str, prompt: str, other_vars: dict[str, Any]) -> dict[str, str]:
    """The name of the variable, the names of the others, and the length of the question."""
    others = ", ".join(sorted(key for key in other_vars if key != name and not key.startswith("_")))
    return {"output": f"  {name}: {others}; {len(other_vars['question'])} letters; {prompt[:12]}\n"}
