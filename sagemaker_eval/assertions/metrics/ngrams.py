"""N-grams: how often each run of n tokens occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

Counts = Counter[tuple[str, ...]]


def ngrams(tokens: Sequence[str], n: int) -> Counts:
    """Each run of `n` tokens with its count; none where there are fewer tokens."""
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


def overlap(one: Counts, other: Counts) -> int:
    """How many n-grams two texts share, each counted as often as both have it."""
    return (one & other).total()


def f1(shared: int, candidate: int, reference: int) -> float:
    """The harmonic mean of precision (shared of candidate) and recall (shared of reference)."""
    return 2 * shared / (candidate + reference) if shared else 0.0
