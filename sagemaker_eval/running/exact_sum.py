"""Sums of floats that do not depend on the order in which their parts come."""

from __future__ import annotations

import math
from collections.abc import Iterable


class ExactSum:
    """A running sum without rounding errors, kept as floats that do not overlap.

    J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates (1997), section 2;
    the value is rounded once, by `math.fsum`. What is not finite is left out.
    """

    __slots__ = ("parts",)

    def __init__(self) -> None:
        self.parts: list[float] = []

    def add(self, value: float) -> None:
        """Add one value."""
        if not math.isfinite(value):
            return
        kept = []
        for part in self.parts:
            larger, smaller = (value, part) if abs(value) >= abs(part) else (part, value)
            value = larger + smaller
            if rest := smaller - (value - larger):
                kept.append(rest)
        kept.append(value)
        self.parts = kept

    @property
    def value(self) -> float:
        """The sum, correctly rounded."""
        return math.fsum(self.parts)


def total(sums: Iterable[ExactSum]) -> float:
    """Several sums as one, correctly rounded."""
    return math.fsum(part for each in sums for part in each.parts)
