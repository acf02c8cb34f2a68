"""Finding the secrets of a configuration and of an environment, and keeping them out of what is shown and stored."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Collection, Iterator, Mapping

from sagemaker_eval.config.secret_names import SHORTEST, is_credential
from sagemaker_eval.config.secret_values import is_url, secrets_in_pairs, secrets_in_url, secrets_named
from sagemaker_eval.model import Json

__all__ = ["MASK", "is_credential", "masked", "secrets_in", "secrets_of_environment", "secrets_of_profiles"]

MASK = "***"

_NAMES_PROVE_NOTHING = frozenset({"vars", "prompts", "metadata", "tags", "value", "description", "providerOutput"})
"""Below these keys a name is the user's own word: a test variable called `token` is ordinary text."""

_REFERENCE = re.compile(r"\s*\{\{-?\s*env(?:\.\w+|\[['\"]\w+['\"]\])\s*-?\}\}\s*")
_PAIRED = "customattributes"
_AWS_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def secrets_in(document: Mapping[str, Json]) -> frozenset[str]:
    """The secret values written in a configuration, but for those too short to be recognised.

    They are the values of keys and headers that are named like credentials, passwords and tokens within URLs, and what
    custom attributes hold. Test variables, prompts, metadata and the values of assertions are not searched.
    """
    return frozenset(secret for secret in _secrets("", document) if len(secret) >= SHORTEST)


def secrets_of_environment(environ: Mapping[str, str]) -> frozenset[str]:
    """The values of the variables that are named like secrets, and the passwords within those that are URLs."""
    return frozenset(
        secret
        for name, value in environ.items()
        if len(value) >= SHORTEST
        for secret in secrets_named(name, value)
        if len(secret) >= SHORTEST
    )


def secrets_of_profiles(environ: Mapping[str, str]) -> frozenset[str]:
    """The keys in AWS's file of shared credentials; none where there is no such file, or none that can be read."""
    path = environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(os.path.expanduser(path), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return frozenset()
    found = (parser[section].get(name) for section in parser.sections() for name in _AWS_KEYS)
    return frozenset(secret for secret in found if secret)


def masked(document: Mapping[str, Json], secrets: Collection[str]) -> dict[str, Json]:
    """A copy of the document that gives nothing away.

    What is named like a credential is masked, unless it only names a variable (`{{env.KEY}}`); everywhere else the
    secret values are. Where names prove nothing, a test variable called `token` stays.
    """
    hidden = re.compile("|".join(map(re.escape, sorted(secrets, key=len, reverse=True)))) if secrets else None
    return {
        key: _masked(key, value, hidden, by_name=key not in _NAMES_PROVE_NOTHING) for key, value in document.items()
    }


def _secrets(name: str, value: Json) -> Iterator[str]:
    """The secrets in a value; `name` is the nearest key above it."""
    if isinstance(value, Mapping):
        yield from _of_webhook(value)
        for key, inner in value.items():
            if key not in _NAMES_PROVE_NOTHING:
                yield from _secrets(str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(name, inner)
    elif isinstance(value, str):
        yield from secrets_named(name, value)
        if name.replace("_", "").lower() == _PAIRED:
            yield from secrets_in_pairs(value)
    elif isinstance(value, int) and not isinstance(value, bool) and is_credential(name):
        yield str(value)


def _of_webhook(entry: Mapping[str, Json]) -> Iterator[str]:
    """The secrets in the URL of a webhook assertion."""
    kind, url = entry.get("type"), entry.get("value")
    if isinstance(kind, str) and kind.removeprefix("not-") == "webhook" and isinstance(url, str) and is_url(url):
        yield from secrets_in_url(url)


def _masked(name: str, value: Json, hidden: re.Pattern[str] | None, *, by_name: bool) -> Json:
    if isinstance(value, Mapping):
        return {
            key: _masked(str(key), inner, hidden, by_name=by_name and key not in _NAMES_PROVE_NOTHING)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_masked(name, inner, hidden, by_name=by_name) for inner in value]
    if by_name and value is not None and not isinstance(value, bool) and is_credential(name):
        return value if isinstance(value, str) and _REFERENCE.fullmatch(value) else MASK
    return hidden.sub(MASK, value) if hidden and isinstance(value, str) else value
