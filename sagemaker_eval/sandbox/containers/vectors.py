"""Embeddings without a model: a unit vector of the words and letter groups of a text, hashed into fixed dimensions.

Feature hashing (Weinberger et al., 2009): the hash of a feature names the dimension that it counts in, and its sign.
Texts that share words point in similar directions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b

DIMENSIONS = 64
_WORD = re.compile(r"\w+")
_LETTERS = 3
_LETTERS_WEIGHT = 0.3
_DIGITS = 8


def embed(text: str, dimensions: int = DIMENSIONS, space: str = "") -> list[float]:
    """A vector of length 1 for `text`. Vectors of different spaces (models) have nothing to do with each other."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text):
        number = _hash(space, feature)
        vector[number % dimensions] += weight if number >> 63 else -weight
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0.0:
        return [1.0] + [0.0] * (dimensions - 1)
    return [round(value / length, _DIGITS) for value in vector]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(text.lower()):
        yield word, 1.0
        padded = f"<{word}>"
        for start in range(len(padded) - _LETTERS + 1):
            yield padded[start : start + _LETTERS], _LETTERS_WEIGHT


@lru_cache(maxsize=8192)
def _hash(space: str, feature: str) -> int:
    return int.from_bytes(blake2b(f"{space}\0{feature}".encode(), digest_size=8).digest())
