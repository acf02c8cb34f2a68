"""The search for the number of calls in flight that an endpoint turns into answers: a control law, no calls."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sagemaker_eval.calling.saturation import Knee, Saturation

FIRST = 2
"""Calls in flight at the beginning."""

_LOOKS = 8
"""While it climbs, it looks for the knee after so many answers."""

_FEWEST = 4
"""The least number of answers by which a number in flight is judged on the way up; about a knee twice as many."""

_PROOF = 2
"""The least number of answers that prove a cut good."""

_ABOUT = 0.75
"""A call that is sent with so large a share of the number being tried in flight counts for it."""

_CONFIDENT = 12.0
"""In variances, so three and a half standard deviations: a knee that explains less is no reason to stop climbing."""

_IN_SIGHT = 0.85
"""A knee is seen from above when it is below this share of what was tried."""

_MOST_DOUBTS = 3
"""So many times a number is measured again where there might be a knee below it."""

_CYCLE = (0.85, 1.0, 1.0, 1.0, 1.15, 1.0, 1.0, 1.0)
"""What is tried in turn about a knee, in shares of it."""

_MOST_ROUNDS = 8
"""Below a ceiling, one more is tried after so many rounds at the latest."""

_DEEPER, _DEEPEST = 0.1, 0.5
"""From the third cut in a row on, cuts are to 0.9, 0.8, … of the width, and never by more than half."""

_FIRST_CLIMB, _LATER_CLIMB = 2.0, 1.5


@dataclass(frozen=True, slots=True)
class Sent:
    """A call on its way: the how-manieth it is, and how many were in flight with it, itself included."""

    number: int
    in_flight: int


class LimitSearch:
    """Says how many calls may be in flight (`width`), from 1 up to `most`, by what becomes of them.

    It begins with 2 and doubles while answers take no longer for it, one more with each answer. Once it sees the knee
    of `Saturation`, it stays there, and tries a little less and a little more in turn, for an endpoint that grows or
    shrinks: the probing of BBR (N. Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14(5),
    2016), with a fit in place of a minimum.

    A refusal for overload cuts the width to one less than were in flight, and more deeply where cuts follow each
    other; all that was sent before a cut belongs to it. When that has proved good, one more is tried: additive
    increase, multiplicative decrease (D.-M. Chiu, R. Jain, "Analysis of the Increase and Decrease Algorithms for
    Congestion Avoidance in Computer Networks", Computer Networks and ISDN Systems 17, 1989). After each such try that
    is refused, twice as many rounds pass before the next; refusals that come without one say nothing against it.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.saturation = Saturation()
        self.width = self._target = min(FIRST, most)
        self.knee = math.inf
        """The number in flight above which answers only take longer; infinite where none was seen."""
        self.ceiling = math.inf
        """The number in flight above which calls were refused; infinite where none were."""
        self.tried = 0
        """The highest number in flight that was answered."""
        self.answers = 0
        self.refusals = 0
        self._sent = 0
        self._settled = False
        self._step = 0
        self._doubts = 0
        self._rounds = 1
        self._cuts = 0
        self._cut_at = 0
        self._tried_from = 0
        self._counted = 0

    @property
    def limit(self) -> float:
        """What was found so far; infinite before."""
        return min(self.knee, self.ceiling)

    def sent(self, in_flight: int) -> Sent:
        """A call is being sent, so many in flight with it."""
        self._sent += 1
        return Sent(self._sent, in_flight)

    def answered(self, call: Sent, ms: float) -> None:
        """The endpoint took so long for a call that nothing else held up."""
        self.answers += 1
        self.tried = max(self.tried, call.in_flight)
        self.saturation.add(call.in_flight, ms)
        self.width += self.width < self._target
        if call.number > self._tried_from and call.in_flight >= self._target * _ABOUT:
            self._counted += 1
            if self._counted >= self._needed():
                self._judge()
                return
        if not self._settled and self.answers % _LOOKS == 0:
            self._settle_if_seen(self.saturation.knee())

    def refused(self, call: Sent) -> None:
        """The endpoint had too much to do for a call."""
        self.refusals += 1
        if call.number <= self._cut_at:
            return
        one_more_was_tried = self._target > self.ceiling
        self._rounds = min(2 * self._rounds, _MOST_ROUNDS) if one_more_was_tried else 1
        share = max(_DEEPEST, 1 - _DEEPER * max(0, self._cuts - 1))
        level = max(1, min(call.in_flight - 1, int(self.width * share)))
        self.ceiling = level
        self._cuts += 1
        self._cut_at = self._sent
        self._settled = True
        self._step = 0
        self._try(level)

    def _needed(self) -> int:
        """By how many answers the number being tried is judged."""
        if not self._settled:
            return max(_FEWEST, self._target // 4)
        return max(_PROOF if self._refuses_first else 2 * _FEWEST, self._target)

    @property
    def _refuses_first(self) -> bool:
        """Whether more calls in flight would be refused before they had to wait."""
        return self.ceiling < self.knee

    def _judge(self) -> None:
        self._cuts = 0
        if self._target > self.ceiling:
            self.ceiling = math.inf
        if self._settled:
            self._hold(self.saturation.knee())
        else:
            self._climb(self.saturation.knee())

    def _climb(self, knee: Knee) -> None:
        """Settles at a knee, stays where there is doubt about one, or goes on to twice as many."""
        if self._settle_if_seen(knee):
            return
        if knee.in_flight <= self._target * _IN_SIGHT and self._doubts < _MOST_DOUBTS:
            self._doubts += 1
            self._try(self._target)
        else:
            self._rise(_FIRST_CLIMB)

    def _settle_if_seen(self, knee: Knee) -> bool:
        self._settled = knee.confidence >= _CONFIDENT and knee.in_flight <= self.tried * _IN_SIGHT
        if self._settled:
            self._hold(knee)
        return self._settled

    def _hold(self, knee: Knee) -> None:
        """Tries the next number of the cycle about the limit, or goes on upwards where there is none any more."""
        if self.knee < math.inf or knee.confidence >= _CONFIDENT:
            self.knee = knee.in_flight if knee.in_flight <= self.tried else math.inf
        if self.limit == math.inf:
            self._rise(_LATER_CLIMB)
            return
        self._step += 1
        if self._refuses_first:
            self._try(int(self.ceiling) + (self._step % self._rounds == 0))
        else:
            self._try(self._near(_CYCLE[self._step % len(_CYCLE)]))

    def _near(self, share: float) -> int:
        """A share of the limit as a number of calls, upwards by one at least.

        Downwards it is to tell how long calls take that do not wait. At 2 they may, until 1 has shown that they do not.
        """
        if share > 1:
            return max(round(self.limit) + 1, round(self.limit * share))
        if share < 1 and round(self.limit) == FIRST and not self.saturation.knows(1, _FEWEST):
            return 1
        return max(1, round(self.limit * share))

    def _rise(self, factor: float) -> None:
        self._doubts = 0
        self._try(max(self._target + 1, int(self._target * factor)))

    def _try(self, level: int) -> None:
        """The width goes down to a level at once, and up to it with the answers that come."""
        self._target = min(level, self._most)
        self.width = min(self.width, self._target)
        self._tried_from, self._counted = self._sent, 0
