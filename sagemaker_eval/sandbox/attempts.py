"""The draws of the stand-in: which attempt at a request meets which fault, jitter and variant.

A draw depends on the rule's seed, the endpoint, the body and the number of the attempt, never on the order of calls.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sagemaker_eval.sandbox.rules import FaultSetting, Rule

_REMEMBERED_BODIES = 100_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a request, counted from 1. `key` is its own; whatever is drawn for it follows from that."""

    number: int
    key: bytes

    @property
    def luck(self) -> float:
        """The chance that decides on faults; as the other chances, it is in [0, 1)."""
        return _chance(self.key[:7])

    @property
    def jitter(self) -> float:
        """The chance that decides on latency."""
        return _chance(self.key[8:15])

    @property
    def variant(self) -> float:
        """The chance that decides on the production variant."""
        return _chance(self.key[16:23])

    def answer(self, position: int) -> float:
        """The chance that decides on the scripted answer at a position of the script's list."""
        return _chance(sha256(self.key + position.to_bytes(8)).digest()[:7])


class Attempts:
    """Counts the attempts at each request and draws what becomes of them.

    The last 100,000 different requests are remembered; an older one that comes again counts from 1.
    """

    def __init__(self) -> None:
        self._numbers: OrderedDict[bytes, int] = OrderedDict()

    def next(self, rule: Rule, endpoint: str, body: bytes) -> Attempt:
        """The next attempt at `body`, drawn from the rule's seed, the endpoint, the body and the attempt's number."""
        key = sha256(f"{rule.seed}\0{endpoint}\0".encode() + body).digest()
        number = self._numbers[key] = self._numbers.pop(key, 0) + 1
        if len(self._numbers) > _REMEMBERED_BODIES:
            self._numbers.popitem(last=False)
        return Attempt(number, sha256(key + number.to_bytes(8)).digest())


def struck_by(settings: Sequence[FaultSetting], attempt: Attempt) -> FaultSetting | None:
    """The fault that an attempt meets: those with `first` come one after the other, then the shares are drawn."""
    number = attempt.number
    for setting in settings:
        if number <= setting.first:
            return setting
        number -= setting.first
    luck = attempt.luck
    for setting in settings:
        luck -= setting.share
        if luck < 0:
            return setting
    return None


def _chance(seven_bytes: bytes) -> float:
    return (int.from_bytes(seven_bytes) >> 3) / 2**53
