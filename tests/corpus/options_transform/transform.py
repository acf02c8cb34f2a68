"""Transforms of an output."""

from __future__ import annotations

import json
from typing import Any


def shout(output: str, context: dict[str, Any]) -> str:
    """The name of the pet in capital letters."""
    name: str = json.loads(output)["pet"]
    return name.upper()
