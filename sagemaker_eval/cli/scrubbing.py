"""Secrets out of whatever is written: rows, logs, messages."""

from __future__ import annotations

import json
from collections.abc import Iterable

MASK = "***"
_SHORTEST = 6


class Scrubber:
    """Replaces secret values by `***` wherever they stand. Values learnt later (resolved credentials) can be added."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._pairs: list[tuple[str, bytes]] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str | None]) -> None:
        """Learn more values. Ones that are too short to be secrets, and would garble ordinary text, are left."""
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST:
                escaped = json.dumps(secret, ensure_ascii=False)[1:-1]
                self._pairs += [(text, text.encode()) for text in dict.fromkeys((secret, escaped))]
        self._pairs.sort(key=lambda pair: -len(pair[0]))

    def text(self, text: str) -> str:
        """`text` without the secrets."""
        for secret, _ in self._pairs:
            text = text.replace(secret, MASK)
        return text

    def bytes(self, data: bytes) -> bytes:
        """`data`, UTF-8 text or JSON, without the secrets."""
        for _, secret in self._pairs:
            if secret in data:
                data = data.replace(secret, MASK.encode())
        return data
