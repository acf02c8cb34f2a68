"""Secrets out of whatever is written: rows, logs, messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from sagemaker_eval.cli.logs import LoggedBug, written_down
from sagemaker_eval.cli.secret_forms import SHORTEST_PIECE, forms_of, in_json, without_pieces
from sagemaker_eval.config.masking import MASK, secrets_of_environment
from sagemaker_eval.config.secret_names import SHORTEST
from sagemaker_eval.errors import ConfigError, Problem, SagevalError

_SHORTEST_CREDENTIAL = 16
"""IAM issues no shorter access key id. Placeholders such as `testing` are shorter, and are words of ordinary text."""

_SIGNATURE = re.compile(r"(?<=Signature=)[0-9a-f]{64}")
"""Of AWS's signature version 4, in a header or in a presigned URL."""


class Scrubber:
    """Replaces secret values by `***` wherever they stand. Values learnt later (resolved credentials) can be added."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._cuttable: tuple[str, ...] = ()
        self._ends: tuple[bytes, ...] = ()
        self._pairs: list[tuple[str, bytes]] = []
        self.add(secrets)

    @classmethod
    def of_environment(cls, environ: Mapping[str, str]) -> Scrubber:
        """One that knows the secrets of an environment."""
        return cls(secrets_of_environment(environ))

    def add(self, secrets: Iterable[str | None], shortest: int = SHORTEST) -> None:
        """Learn more values, but for those of fewer than `shortest` characters, which would garble ordinary text."""
        new = {secret for secret in secrets if secret and len(secret) >= shortest} - self._secrets
        if not new:
            return
        known = dict(self._pairs)
        known |= {form: form.encode("utf-8", "surrogatepass") for secret in new for form in forms_of(secret)}
        self._pairs = sorted(known.items(), key=lambda pair: -len(pair[0]))
        self._secrets |= new
        self._cuttable = tuple({form for secret in self._secrets for form in {secret, *in_json(secret)}})
        ends = {end for form in self._cuttable for end in (form[:SHORTEST_PIECE], form[-SHORTEST_PIECE:])}
        self._ends = tuple(end.encode("utf-8", "surrogatepass") for end in ends)

    def add_credentials(self, secrets: Iterable[str | None]) -> None:
        """Learn AWS credentials."""
        self.add(secrets, _SHORTEST_CREDENTIAL)

    def text(self, text: str) -> str:
        """`text` without the secrets."""
        for secret, _ in self._pairs:
            if secret in text:
                text = text.replace(secret, MASK)
        return self._without_rest(text)

    def bytes(self, data: bytes) -> bytes:
        """`data`, UTF-8 text or JSON, without the secrets; the very object where there is nothing to take out."""
        for _, secret in self._pairs:
            if secret in data:
                data = data.replace(secret, MASK.encode())
        if b"Signature=" in data or any(end in data for end in self._ends):
            return _through_text(data, self._without_rest)
        return data

    def _without_rest(self, text: str) -> str:
        """`text` without signatures, and without the pieces of secrets that were cut off at an ellipsis."""
        if "Signature=" in text:
            text = _SIGNATURE.sub(MASK, text)
        return without_pieces(text, self._cuttable, MASK) if "…" in text or "..." in text else text

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Errors leave the block without the secrets; a bug leaves it as a `LoggedBug`, its traceback written down."""
        try:
            yield
        except ConfigError as error:
            raise ConfigError(map(self._shown, error.problems)) from None
        except SagevalError as error:
            error.message, error.hint = self.text(error.message), error.hint and self.text(error.hint)
            raise
        except LoggedBug:
            raise
        except Exception as bug:
            raise written_down(bug, self.text) from bug

    def _shown(self, problem: Problem) -> Problem:
        return replace(problem, message=self.text(problem.message), hint=problem.hint and self.text(problem.hint))


def _through_text(data: bytes, scrub: Callable[[str], str]) -> bytes:
    """`data` without what is looked for in text alone: signatures and cut secrets."""
    text = data.decode("utf-8", "surrogateescape")
    shown = scrub(text)
    return data if shown == text else shown.encode("utf-8", "surrogateescape")
