"""Secrets out of whatever is written: rows, logs, messages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sagemaker_eval.cli.logs import LoggedBug, written_down
from sagemaker_eval.errors import ConfigError, SagevalError

MASK = "***"
_SHORTEST = 8
_SHORTEST_CREDENTIAL = 16
"""IAM issues no shorter access key id. Placeholders such as `testing` are shorter, and are words of ordinary text."""


class Scrubber:
    """Replaces secret values by `***` wherever they stand. Values learnt later (resolved credentials) can be added."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._pairs: list[tuple[str, bytes]] = []
        self.add(secrets)

    def add(self, secrets: Iterable[str | None], shortest: int = _SHORTEST) -> None:
        """Learn more values, but for those of fewer than `shortest` characters, which would garble ordinary text."""
        known = dict(self._pairs)
        for secret in secrets:
            if secret and len(secret) >= shortest:
                once = _escaped(secret)
                known |= {text: text.encode("utf-8", "surrogatepass") for text in (secret, once, _escaped(once))}
        self._pairs = sorted(known.items(), key=lambda pair: -len(pair[0]))

    def add_credentials(self, secrets: Iterable[str | None]) -> None:
        """Learn AWS credentials."""
        self.add(secrets, _SHORTEST_CREDENTIAL)

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

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Errors leave the block without the secrets; a bug leaves it as a `LoggedBug`, its traceback written down."""
        try:
            yield
        except ConfigError as error:
            raise ConfigError(
                replace(problem, message=self.text(problem.message), hint=problem.hint and self.text(problem.hint))
                for problem in error.problems
            ) from None
        except SagevalError as error:
            error.message, error.hint = self.text(error.message), error.hint and self.text(error.hint)
            raise
        except LoggedBug:
            raise
        except Exception as bug:
            raise written_down(bug, self.text) from bug


def _escaped(text: str) -> str:
    """`text` as it stands in JSON. A row holds bodies that are JSON themselves, so a secret may be escaped twice."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
