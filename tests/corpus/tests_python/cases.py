"""Multiplications to ask for."""

from __future__ import annotations

from typing import Any


def generate_tests() -> list[dict[str, Any]]:
    """The function that is called when none is named."""
    return [{"vars": {"a": 6, "b": 7}, "assert": [{"type": "contains", "value": "6 times 7"}]}]


def table_of() -> list[dict[str, Any]]:
    """Part of the table of three."""
    return [{"description": f"3x{n}", "vars": {"a": 3, "b": n}} for n in (1, 2)]


def squares(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Squares as far as the configuration says."""
    return [{"vars": {"a": n, "b": n}} for n in range(1, config["upTo"] + 1)]
