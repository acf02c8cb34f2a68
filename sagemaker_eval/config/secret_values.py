"""The secrets within a value: the parts of an `Authorization` header, of a URL, of several lines, of JSON."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from sagemaker_eval.config.secret_names import SHORTEST, is_secret, looks_random
from sagemaker_eval.model import Json

_SCHEME = re.compile(r"(Basic|Bearer|Digest|Token|ApiKey)\s+(\S+)", re.IGNORECASE)
_PAIR = re.compile(r"([\w.-]+)\s*[=:]\s*\"?([^\s;,&\"]+)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def secrets_named(name: str, value: str) -> Iterator[str]:
    """The secrets in the value of a name: itself where the name says so, and whatever of it may be shown alone."""
    if is_url(value):
        yield from secrets_in_url(value)
        return
    if not is_secret(name, value.strip()):
        return
    yield value.strip()
    yield from _parts(value.strip())


def is_url(value: str) -> bool:
    """Whether a value is a URL and nothing else."""
    return "://" in value and _URL.fullmatch(value.strip()) is not None


def secrets_in_url(url: str) -> Iterator[str]:
    """The password in a URL, a user that is a key, and the values of parameters that are named like secrets."""
    try:
        parts = urlsplit(url.strip())
        password, user = parts.password, parts.username
    except ValueError:
        return
    if password:
        yield from _as_written(password, "password")
    elif user and looks_random(user):
        yield user
    for name, value in parse_qsl(parts.query):
        if is_secret(name, value):
            yield value


def secrets_in_pairs(text: str) -> Iterator[str]:
    """The secrets in a text of `name=value` pairs, such as custom attributes."""
    for name, value in _PAIR.findall(text):
        if is_secret(name, value):
            yield value


def _parts(secret: str) -> Iterator[str]:
    if scheme := _SCHEME.fullmatch(secret):
        yield scheme[2]
        if scheme[1].lower() == "basic":
            yield from _of_basic(scheme[2])
    if "\n" in secret:
        yield from (line for each in secret.splitlines() if len(line := each.strip()) >= 2 * SHORTEST)
    if secret.startswith("{"):
        yield from _of_json(secret)


def _of_basic(encoded: str) -> Iterator[str]:
    """The password in the `user:password` of basic authentication (RFC 7617)."""
    try:
        _, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return
    yield from _as_written(password, "password")


def _of_json(text: str) -> Iterator[str]:
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(document, Mapping):
        for name, value in document.items():
            if isinstance(value, str):
                yield from secrets_named(name, value)


def _as_written(secret: str, name: str) -> Iterator[str]:
    """A secret of a URL, encoded and decoded."""
    yield from (form for form in {secret, unquote(secret)} if is_secret(name, form))
