"""Words to translate."""

from __future__ import annotations

from typing import Any


def translations(config: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Each word in all languages of the configuration."""
    languages = (config or {}).get("languages", [])
    return [{"vars": {"word": word, "language": languages}} for word in ("bread", "snow")]
