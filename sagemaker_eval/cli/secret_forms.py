"""How a secret may stand in what is written: as it is, escaped, encoded, or cut off at an ellipsis."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_ELLIPSIS = re.compile(r"…|\.{3,}")
SHORTEST_PIECE = 8
"""Characters of a cut secret from which on it tells something; fewer may be the end of any word."""


def forms_of(secret: str) -> frozenset[str]:
    """The texts that give `secret` away.

    They are itself; how it stands in a URL, in HTML, in Python's `repr`; each of these as JSON has it, once and twice;
    and what of it stays the same in base64 whatever precedes and follows, as in the header of basic authentication.
    """
    plain = {secret, repr(secret)[1:-1], html.escape(secret), html.escape(secret, quote=False)}
    for quoted in (quote(secret, safe="", errors="replace"), quote(secret, errors="replace"), quote_plus(secret)):
        plain |= {quoted, _ESCAPE.sub(lambda escape: escape[0].lower(), quoted)}
    once = {escaped for text in plain for escaped in in_json(text)}
    twice = {escaped for text in once for escaped in in_json(text)}
    return frozenset(plain | once | twice | _in_base64(secret.encode("utf-8", "surrogatepass")))


def without_pieces(text: str, secrets: Iterable[str], mask: str) -> str:
    """`text` with the pieces of secrets masked that a shortened text ends or begins with, next to its ellipsis."""
    if _ELLIPSIS.search(text) is None:
        return text
    known = tuple(secrets)
    made, position = [], 0
    for ellipsis in _ELLIPSIS.finditer(text):
        made += [_between(text[position : ellipsis.start()], known, mask, first=position == 0), ellipsis[0]]
        position = ellipsis.end()
    return "".join(made) + _without_end(text[position:], known, mask)


def _between(text: str, secrets: tuple[str, ...], mask: str, *, first: bool) -> str:
    shown = text if first else _without_end(text, secrets, mask)
    return _without_beginning(shown, secrets, mask)


def _without_beginning(text: str, secrets: tuple[str, ...], mask: str) -> str:
    """`text`, which an ellipsis follows, without the beginning of a secret at its end."""
    kept = text.rstrip()
    for secret in secrets:
        if secret[:SHORTEST_PIECE] in kept:
            for length in range(len(secret), SHORTEST_PIECE - 1, -1):
                if kept.endswith(secret[:length]):
                    return kept[:-length] + mask + text[len(kept) :]
    return text


def _without_end(text: str, secrets: tuple[str, ...], mask: str) -> str:
    """`text`, which an ellipsis precedes, without the end of a secret at its beginning."""
    kept = text.lstrip()
    for secret in secrets:
        if secret[-SHORTEST_PIECE:] in kept:
            for length in range(len(secret), SHORTEST_PIECE - 1, -1):
                if kept.startswith(secret[-length:]):
                    return text[: len(text) - len(kept)] + mask + kept[length:]
    return text


def in_json(text: str) -> set[str]:
    """`text` as it stands within JSON, where some writers escape whatever is not ASCII, and some the slash."""
    escaped = {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return escaped | {each.replace("/", "\\/") for each in escaped}


def _in_base64(secret: bytes) -> set[str]:
    """What base64 makes of the bytes behind 0, 1 and 2 others: the characters that depend on the secret alone."""
    cores = set()
    for before in range(3):
        begin, end = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        padded = bytes(before) + secret
        cores |= {encode(padded).decode()[begin:end] for encode in (base64.b64encode, base64.urlsafe_b64encode)}
    return cores
