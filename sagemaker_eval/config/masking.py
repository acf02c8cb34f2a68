"""Finding the secrets of a configuration, and keeping them out of what is shown and stored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from sagemaker_eval.model import Json

MASK = "***"

_CREDENTIAL = re.compile(
    r"accesskey|secret|password|passwd|passphrase|credential|privatekey|apikey|authorization|token$"
)
_SHORTEST = 8
"""Characters of the shortest value that is looked for by value: shorter ones occur in ordinary text."""


def is_credential(key: str) -> bool:
    """Whether a key is named like one that holds a credential, in any spelling: `secretAccessKey`, `API_KEY`."""
    return bool(_CREDENTIAL.search(re.sub(r"[^a-z0-9]", "", key.lower())))


def secrets_in(document: Mapping[str, Json]) -> frozenset[str]:
    """The secret values written in the providers and in `env`, but for those too short to be recognised."""
    parts = (document.get(key) for key in ("providers", "targets", "env"))
    return frozenset(value for part in parts for value in _credentials(part) if len(value) >= _SHORTEST)


def masked(document: Mapping[str, Json], secrets: Collection[str]) -> dict[str, Json]:
    """A copy of the document that gives nothing away.

    In providers and `env` whatever is named like a credential is masked; everywhere else the secret values are.
    Elsewhere names prove nothing: a test variable called `token` stays.
    """
    hidden = re.compile("|".join(map(re.escape, sorted(secrets, key=len, reverse=True)))) if secrets else None
    return {
        key: _masked(value, hidden, by_name=key in {"providers", "targets", "env"}) for key, value in document.items()
    }


def _credentials(value: Json) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if is_credential(key) and isinstance(inner, str | int):
                yield str(inner)
            else:
                yield from _credentials(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _credentials(inner)


def _masked(value: Json, hidden: re.Pattern[str] | None, *, by_name: bool) -> Json:
    if isinstance(value, str):
        return hidden.sub(MASK, value) if hidden else value
    if isinstance(value, list):
        return [_masked(inner, hidden, by_name=by_name) for inner in value]
    if isinstance(value, Mapping):
        return {
            key: MASK
            if by_name and is_credential(key) and inner is not None
            else _masked(inner, hidden, by_name=by_name)
            for key, inner in value.items()
        }
    return value
