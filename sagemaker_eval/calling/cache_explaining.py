"""Why an answer was in the cache or was not: the entry that is nearest to a request, and where the two differ."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, fields

from sagemaker_eval.calling.cache_origin import Origin
from sagemaker_eval.calling.cache_sketch import changed_paths, text_length, values_at
from sagemaker_eval.model import Json

MOST_COMPARED = 20_000
"""Entries, the newest first, among which the nearest is looked for."""

_BY_KEY = "SELECT created, endpoint, origin FROM answers WHERE key = ?"
_BY_BODY = "SELECT created, endpoint, origin FROM answers WHERE instr(origin, ?) ORDER BY rowid DESC LIMIT ?"
_BY_ENDPOINT = "SELECT created, endpoint, origin FROM answers WHERE endpoint = ? ORDER BY rowid DESC LIMIT ?"

_WITHOUT_SKETCH = 1_000
"""How far apart bodies count of which nothing but their digests can be compared."""

_SHOWN_PATHS = 5
_SHOWN_VALUE = 60
_WORDS = {
    "identity": "it was asked as `{kept}`, and is now asked as `{asked}`",
    "url": "other URL: `{kept}` -> `{asked}`",
    "region": "other region: `{kept}` -> `{asked}`",
    "endpoint": "other endpoint: `{kept}` -> `{asked}`",
    "content_type": "other content type: `{kept}` -> `{asked}`",
    "accept": "other accept type: `{kept}` -> `{asked}`",
    "operation": "other way of asking: `{kept}` -> `{asked}`",
    "revision": "other `revision`: `{kept}` -> `{asked}`",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the cache: when it was stored (Unix time), and of what; None where that was not written down."""

    created: float
    origin: Origin | None


def entry(connection: sqlite3.Connection, key: str, oldest: float = 0.0) -> Kept | None:
    """The entry of a key, unless it is older than `oldest`. Raises `sqlite3.Error`."""
    found = connection.execute(_BY_KEY, (key,)).fetchone()
    return None if found is None or found[0] < oldest else _kept(*found)


def nearest(connection: sqlite3.Connection, asked: Origin) -> Kept | None:
    """The entry that differs least from what is asked, of equal ones the newest; None where nothing is near.

    Entries with the very body come first, wherever they were asked; then those of the endpoint. Raises `sqlite3.Error`.
    """
    for statement, value in ((_BY_BODY, asked.body), (_BY_ENDPOINT, asked.endpoint)):
        best: tuple[tuple[int, int, int], Kept] | None = None
        for row in connection.execute(statement, (value, MOST_COMPARED)):
            kept = _kept(*row)
            if kept.origin is None:
                continue
            distance = _distance(kept.origin, asked)
            if best is None or distance < best[0]:
                best = (distance, kept)
        if best is not None:
            return best[1]
    return None


def differences(kept: Origin, asked: Origin, body: bytes) -> list[str]:
    """In what an entry differs from a request with this body, one line for each part of the key that does."""
    told = list(_parts(kept, asked))
    if kept.body != asked.body:
        told.append(_bodies(kept, asked, body))
    return told or ["it differs in what was not written down when it was stored: account, URL or region"]


def _kept(created: float, endpoint: str, written: str) -> Kept:
    try:
        return Kept(created, Origin.read(endpoint, written))
    except ValueError:
        return Kept(created, None)


def _distance(kept: Origin, asked: Origin) -> tuple[int, int, int]:
    """(values of the body that differ, other parts of the key that do, repetitions in between)."""
    parts = sum(1 for name in _names(kept, asked))
    bodies = 0
    if kept.body != asked.body:
        both = kept.sketch is not None and asked.sketch is not None
        bodies = len(changed_paths(kept.sketch or {}, asked.sketch or {})) or 1 if both else _WITHOUT_SKETCH
    return bodies, parts, abs(kept.repeat - asked.repeat)


def _names(kept: Origin, asked: Origin) -> Iterator[str]:
    """The parts, the body aside, that are known of both and differ."""
    for part in fields(Origin):
        if not part.compare or part.name in ("body", "body_bytes"):
            continue
        one, other = getattr(kept, part.name), getattr(asked, part.name)
        if one != other and one is not None and other is not None:
            yield part.name


def _parts(kept: Origin, asked: Origin) -> Iterator[str]:
    for name in _names(kept, asked):
        if name == "repeat":
            yield f"repetition {asked.repeat + 1} was never asked; the nearest is repetition {kept.repeat + 1}"
        elif name == "fingerprint":
            yield _deployments(kept.fingerprint, asked.fingerprint)
        elif name == "routing":
            yield from _members(dict(kept.routing), dict(asked.routing))
        else:
            yield _WORDS[name].format(kept=getattr(kept, name), asked=getattr(asked, name))


def _deployments(kept: str, asked: str) -> str:
    if not kept:
        return f"which deployment answered was not known then; now it is: fingerprint `{asked}`"
    if not asked:
        return f"which deployment would answer is not known now; then it was: fingerprint `{kept}`"
    return f"the endpoint was redeployed: fingerprint `{kept}` -> `{asked}`"


def _members(kept: dict[str, str], asked: dict[str, str]) -> Iterator[str]:
    for name in sorted({*kept, *asked}):
        before, now = kept.get(name), asked.get(name)
        if before == now:
            continue
        if before is None:
            yield f"{name} was not given, and now is"
        elif now is None:
            yield f"{name} was given, and now is not"
        elif now.startswith("#"):
            yield f"{name} has another value"
        else:
            yield f"other {name}: `{before}` -> `{now}`"


def _bodies(kept: Origin, asked: Origin, body: bytes) -> str:
    if kept.sketch is None or asked.sketch is None:
        return f"the body differs: {kept.body_bytes:,} -> {asked.body_bytes:,} bytes"
    paths = changed_paths(kept.sketch, asked.sketch)
    if not paths:
        return "the body differs in how its JSON is written, or further on than is kept for comparing"
    values, missing = values_at(body), object()
    told = [
        f"{path or 'the whole'} {_change(kept.sketch.get(path, missing), values.get(path, missing), missing)}"
        for path in paths[:_SHOWN_PATHS]
    ]
    rest = f", and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    return f"the body differs at: {', '.join(told)}{rest}"


def _change(before: object, now: object, missing: object) -> str:
    if now is missing:
        return "(gone)"
    if before is missing:
        return f"(new) {_shown(now)}"
    length = text_length(before)
    return f"{_shown(before) if length is None else f'(another text of {length:,} characters)'} -> {_shown(now)}"


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}…"
