"""Where an endpoint saturates, read from how long calls took with how many of them in flight."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MEMORY = 300.0
"""So many of the last answers count in full; older ones fade. More where many are in flight:"""

_ROUNDS_REMEMBERED = 12

_LEVELS_PER_DOUBLING = 8
_LEAST_DEVIATION = 0.02
"""Deviations of logarithms below that are taken for this: no clock and no network is more even."""

_CLEARLY_BETTER = 6.0
"""How much better than a corner, in variances, a gradual rise has to fit: 98.5 % of a chi-squared variable."""

_LARGEST_BEND, _BENDS, _BEND_STEP = 4.0, 32, 0.8
"""The row that bends are searched in, downwards from so many times the highest level."""

_WORTH_IT = 2.0
"""So many times the bend of a gradual rise: two thirds of the highest throughput are reached there."""


@dataclass(slots=True)
class Level:
    """Answers to calls that were sent with about as many in flight: how many there were, and their means."""

    weight: float = 0.0
    in_flight: float = 0.0
    ms: float = 0.0
    log_ms: float = 0.0
    squares: float = 0.0
    """The squared deviations of the logarithms from their mean, summed up."""

    def add(self, in_flight: int, ms: float) -> None:
        """One more answer, by Welford's recurrence."""
        self.weight += 1
        share = 1 / self.weight
        self.in_flight += (in_flight - self.in_flight) * share
        self.ms += (ms - self.ms) * share
        log = math.log(ms)
        off = log - self.log_ms
        self.log_ms += off * share
        self.squares += off * (log - self.log_ms)

    def fade(self, share: float) -> None:
        """Let everything count less, by this factor."""
        self.weight *= share
        self.squares *= share

    @property
    def risen(self) -> float:
        """The logarithm of the latency per call in flight: the same at all levels above a corner."""
        return self.log_ms - math.log(self.in_flight)


@dataclass(frozen=True, slots=True)
class Knee:
    """The number in flight above which more calls bring hardly more answers; infinite where none is in sight.

    `confidence` is how much better the latencies fit with it than without, in variances of one answer.
    """

    in_flight: float = math.inf
    confidence: float = 0.0


class Saturation:
    """Fits latency over calls in flight, both as logarithms, since answers differ in length by factors.

    An endpoint that answers K calls at a time takes as long for n <= K calls as for one; above that, calls wait in
    line and take n / K times as long (Little's law). The corner is the knee. There Kleinrock's power, throughput over
    latency, is highest (L. Kleinrock, "Power and Deterministic Rules of Thumb for Probabilistic Problems in Computer
    Communications", ICC 1979). Where it fits clearly better, latency rises gradually instead, as 1 + n / b: calls
    that share a batch slow each other down. That has no corner, and throughput never quite ends to grow; the knee is
    then 2 b. Least squares over two parameters either way.
    """

    def __init__(self) -> None:
        self._levels: dict[int, Level] = {}
        self._weight = 0.0

    def add(self, in_flight: int, ms: float) -> None:
        """An answer that took `ms` (> 0) for a call that was sent with so many in flight, itself included."""
        few = in_flight <= _LEVELS_PER_DOUBLING
        key = in_flight if few else round(_LEVELS_PER_DOUBLING * math.log2(in_flight))
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = Level()
        level.add(in_flight, ms)
        self._weight += 1

    def knows(self, in_flight: int, answers: int) -> bool:
        """Whether so many answers were measured with so few (8 at most) in flight."""
        level = self._levels.get(in_flight)
        return level is not None and level.weight >= answers

    def answers_per_second(self, in_flight: float) -> float:
        """How fast answers come with about so many in flight: Little's law at the nearest level, one at least known."""
        nearest = min(self._levels.values(), key=lambda level: abs(math.log(level.in_flight / in_flight)))
        return nearest.in_flight / nearest.ms * 1000

    def knee(self) -> Knee:
        """The knee that fits best."""
        if len(self._levels) < 2:
            return Knee()
        self._fade()
        levels = sorted(self._levels.values(), key=lambda level: level.in_flight)
        variance = self._variance()
        level_line = _moments((level.weight, level.log_ms) for level in levels).squares
        knee, squares = _corner(levels)
        bend, squares_of_bend = _bend(levels)
        if len(levels) > 2 and squares - squares_of_bend > _CLEARLY_BETTER * variance:
            knee, squares = _WORTH_IT * bend, squares_of_bend
        gain = level_line - squares
        return Knee(knee, gain / variance) if gain > 0 else Knee()

    def _fade(self) -> None:
        memory = max(MEMORY, _ROUNDS_REMEMBERED * max(level.in_flight for level in self._levels.values()))
        if self._weight > memory:
            share = memory / self._weight
            self._weight = memory
            for level in self._levels.values():
                level.fade(share)

    def _variance(self) -> float:
        """Of the logarithm of one answer at its level."""
        degrees = sum(max(0.0, level.weight - 1) for level in self._levels.values())
        squares = sum(level.squares for level in self._levels.values())
        return max(_LEAST_DEVIATION**2, squares / degrees if degrees else 0.0)


@dataclass(slots=True)
class _Moments:
    """Weighted sums of values and of their squares."""

    weight: float = 0.0
    first: float = 0.0
    second: float = 0.0

    def add(self, weight: float, value: float) -> None:
        self.weight += weight
        self.first += weight * value
        self.second += weight * value * value

    @property
    def mean(self) -> float:
        return self.first / self.weight

    @property
    def squares(self) -> float:
        """The squared deviations from the mean, summed up."""
        return max(0.0, self.second - self.first * self.first / self.weight)


def _moments(weighted: Iterable[tuple[float, float]]) -> _Moments:
    moments = _Moments()
    for weight, value in weighted:
        moments.add(weight, value)
    return moments


def _corner(levels: Sequence[Level]) -> tuple[float, float]:
    """The best corner, tried between each two levels, and the sum of squares that it leaves."""
    below, above = _Moments(), _moments((level.weight, level.risen) for level in levels)
    found = []
    for level, following in itertools.pairwise(levels):
        below.add(level.weight, level.log_ms)
        above.add(-level.weight, level.risen)
        lowest, highest = math.log(level.in_flight), math.log(following.in_flight)
        free = below.mean - above.mean
        corner = min(max(free, lowest), highest)
        forced = (free - corner) ** 2 * below.weight * above.weight / (below.weight + above.weight)
        found.append((below.squares + above.squares + forced, corner))
    squares, corner = min(found)
    return math.exp(corner), squares


def _bend(levels: Sequence[Level]) -> tuple[float, float]:
    """The best `b` of a rise as 1 + n / b, out of a geometric row, and the sum of squares that it leaves."""
    highest = levels[-1].in_flight * _LARGEST_BEND
    bends = [highest * _BEND_STEP**step for step in range(_BENDS)]

    def squares(bend: float) -> float:
        return _moments((level.weight, level.log_ms - math.log1p(level.in_flight / bend)) for level in levels).squares

    best = min(bends, key=squares)
    return best, squares(best)
