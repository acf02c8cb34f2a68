"""The invocations of an asynchronous endpoint that this run has sent: their names, and which may still be answered."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import count

from sagemaker_eval.model import Request
from sagemaker_eval.sagemaker.objects import Location

_DIGITS = 32
"""Of the digest, in an inference id: that may have 64 characters."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What SageMaker said when it took an invocation; `failure` is None where failures are written nowhere.

    `not_before` is SageMaker's time of that, where an older object may have the name of the output; else None.
    """

    output: Location
    failure: Location | None = None
    request_id: str | None = None
    not_before: datetime | None = None


@dataclass(slots=True)
class Invocation:
    """One place in an endpoint's queue. `input` is the object that was put there for it, None for inline bodies.

    `stored` says that it is there. `sent` is the clock's time of sending it, None before that; `accepted` is what came
    back, None as long as that is not known. `ended` says that its outcome has been read.
    """

    id: str
    digest: str
    input: Location | None = None
    stored: bool = False
    sent: float | None = None
    accepted: Accepted | None = None
    ended: bool = False


class Invocations:
    """All invocations of one transport.

    `unfinished` ones wait for a further attempt of the same call, which takes them up instead of sending another.
    """

    def __init__(self, run: str | None = None) -> None:
        self._run = run or secrets.token_hex(4)
        self._numbers = count(1)
        self._unfinished: dict[str, list[Invocation]] = {}
        self._inputs: Counter[Location] = Counter()
        self._named: tuple[str, Accepted] | None = None

    def new(self, digest: str, own_id: str | None, place: Location | None) -> Invocation:
        """An invocation that was not sent yet; its id is the user's own, else unique to this run and this call."""
        made = f"sageval-{digest[:_DIGITS]}-{self._run}-{next(self._numbers)}"
        if place is not None:
            self._inputs[place] += 1
        return Invocation(own_id or made, digest, place)

    def take_up(self, digest: str) -> Invocation | None:
        """An unfinished invocation of an equal call; from now on it is the caller's."""
        waiting = self._unfinished.get(digest)
        if not waiting:
            return None
        invocation = waiting.pop()
        if not waiting:
            del self._unfinished[digest]
        return invocation

    def keep(self, invocation: Invocation) -> None:
        """Have a further attempt take it up."""
        self._unfinished.setdefault(invocation.digest, []).append(invocation)

    def all_unfinished(self) -> list[Invocation]:
        """Those that no attempt has taken up."""
        return [invocation for waiting in self._unfinished.values() for invocation in waiting]

    def let_go(self, invocation: Invocation) -> Location | None:
        """The input that nobody needs any longer, None where equal calls under way share it."""
        place, invocation.input = invocation.input, None
        if place is None:
            return None
        self._inputs[place] -= 1
        if self._inputs[place] > 0:
            return None
        del self._inputs[place]
        return place

    def learn(self, inference_id: str, accepted: Accepted) -> None:
        """Remember how the endpoint names its outputs, if after inference ids."""
        if inference_id in accepted.output.key:
            self._named = (inference_id, accepted)

    def expected(self, inference_id: str) -> Accepted | None:
        """Where the outcome of an invocation would be; None where the endpoint's names do not show that."""
        if self._named is None:
            return None
        known, accepted = self._named
        output, failure = (_renamed(place, known, inference_id) for place in (accepted.output, accepted.failure))
        return Accepted(output, failure) if output is not None else None


def _renamed(place: Location | None, known: str, inference_id: str) -> Location | None:
    if place is None or known not in place.key:
        return None
    return replace(place, key=place.key.replace(known, inference_id))


def digest_of(request: Request) -> str:
    """SHA-256 in hex over what is sent, and over the repetition, whose answer is another."""
    members = (request.endpoint, request.content_type, request.accept, request.routing, request.repeat)
    return sha256(f"{members!r}\0".encode() + request.body).hexdigest()
