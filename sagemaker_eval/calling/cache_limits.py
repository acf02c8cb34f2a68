"""How large and how old the cache may become: sizes and times as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.errors import ConfigError

SIZE_VARIABLE = "SAGEVAL_CACHE_MAX_SIZE"
AGE_VARIABLE = "SAGEVAL_CACHE_MAX_AGE"
DEFAULT_BYTES = 1_000_000_000

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE)
_BYTES = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_NONE = ("none", "off")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is dropped on its own: the least recently used beyond `max_bytes`, all older than `max_age_s`."""

    max_bytes: int | None = DEFAULT_BYTES
    max_age_s: float | None = None


def limits_of(environ: Mapping[str, str]) -> Limits:
    """The limits that the environment sets; `none` lifts one. Raises `ConfigError` for what is no size or time."""
    size, age = (environ.get(name, "").strip() for name in (SIZE_VARIABLE, AGE_VARIABLE))
    max_bytes: int | None = DEFAULT_BYTES
    if size:
        max_bytes = None if size.lower() in _NONE else size_of(size, SIZE_VARIABLE)
    return Limits(max_bytes, None if not age or age.lower() in _NONE else seconds_of(age, AGE_VARIABLE))


def size_of(text: str, where: str) -> int:
    """Bytes of `500MB` (1 MB = 1,000,000 bytes, 1 MiB = 1,048,576). Raises `ConfigError`, which names `where`."""
    match = _NUMBER.fullmatch(text.strip())
    factor = match and _BYTES.get(match[2].lower())
    if match is None or factor is None:
        raise ConfigError.of(f"{where} takes a size, not `{text}`", hint="for example `500MB` or `2GB`")
    return int(float(match[1]) * factor)


def seconds_of(text: str, where: str) -> float:
    """Seconds of `30d`, `12h`, `90m`. Raises `ConfigError`, which names `where`."""
    match = _NUMBER.fullmatch(text.strip())
    factor = match and _SECONDS.get(match[2].lower())
    if match is None or factor is None:
        raise ConfigError.of(f"{where} takes a time, not `{text}`", hint="for example `30d`, `12h` or `90m`")
    return float(match[1]) * factor
