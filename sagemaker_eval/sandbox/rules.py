"""The rules of a script: what the endpoints that fit a pattern do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeAlias

from sagemaker_eval.sandbox.containers.base import ContainerAnswer
from sagemaker_eval.sandbox.deployments import Deployment

CRASHED = 500
"""What a failing container answers unless the script says otherwise."""

REFERENCE = re.compile(r"\\(?:(\d{1,2})|g<(\w+)>)")
"""A group of the pattern, within an answer."""


def referenced_group(reference: re.Match[str]) -> int | str:
    """The group that a match of `REFERENCE` names."""
    number, name = reference.groups()
    return name if number is None else int(number)


@dataclass(frozen=True, slots=True)
class FaultSetting:
    """A fault of a rule: it strikes the next `first` attempts of a request, then `share` (0 to 1) of the others."""

    name: str
    share: float = 0.0
    first: int = 0
    message: str | None = None
    status: int = CRASHED


@dataclass(frozen=True, slots=True)
class ColdStart:
    """An endpoint gives `fault` to its first `requests` requests, and for `seconds` after the first of all."""

    requests: int = 0
    seconds: float = 0.0
    fault: FaultSetting = FaultSetting("modelNotReady")


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What prompts in which `pattern` is found get: one of `text`, `whole` and `fault` is set.

    Only a `share` of the attempts at such a prompt gets it.
    """

    pattern: re.Pattern[str]
    text: str | None = None
    whole: ContainerAnswer | None = None
    fault: FaultSetting | None = None
    share: float = 1.0

    def text_for(self, match: re.Match[str]) -> str | None:
        """The text, with the groups of the match in place of the references to them."""
        if self.text is None or not self.pattern.groups:
            return self.text
        return REFERENCE.sub(lambda reference: match[referenced_group(reference)] or "", self.text)


PartSize: TypeAlias = int | Literal["whole", "random"]
"""How a stream is cut into PayloadParts: at so many bytes, not at all, or anywhere."""


@dataclass(frozen=True, slots=True)
class StreamPace:
    """How a stream is written: `first_token` ms before its first token, `inter_token` ms before each other one.

    Without a size of its own each line of the container is a part.
    """

    part_size: PartSize | None = None
    first_token: float = 0.0
    inter_token: float = 0.0


class Overload(Enum):
    """What becomes of requests above the capacity of an endpoint. The values are those of scripts."""

    THROTTLE = "throttle"
    QUEUE = "queue"
    CONTAINER_BUSY = "containerBusy"


@dataclass(frozen=True, slots=True)
class Capacity:
    """An endpoint answers `in_flight` requests at a time."""

    in_flight: int
    overload: Overload = Overload.THROTTLE


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant: its weight among the others, and the endpoint's rule with what the variant does its way."""

    name: str
    weight: float
    rule: Rule


@dataclass(frozen=True, slots=True)
class Rule:
    """What the endpoints that `glob` fits do. Times are milliseconds."""

    glob: str = "*"
    shape: str | None = None
    latency: float = 0.0
    jitter: float = 0.0
    seed: int = 0
    faults: tuple[FaultSetting, ...] = ()
    cold_start: ColdStart | None = None
    answers: tuple[ScriptedAnswer, ...] = ()
    pace: StreamPace = StreamPace()
    capacity: Capacity | None = None
    variants: tuple[Variant, ...] = ()
    deployment: Deployment | None = None
