"""The rules of a script: what the endpoints that fit a pattern do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sagemaker_eval.sandbox.containers.base import ContainerAnswer

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
    """An endpoint is not ready for `requests` requests, nor for `seconds` after the first of all."""

    requests: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """What prompts in which `pattern` is found get: one of `text`, `whole` and `fault` is set."""

    pattern: re.Pattern[str]
    text: str | None = None
    whole: ContainerAnswer | None = None
    fault: FaultSetting | None = None

    def text_for(self, match: re.Match[str]) -> str | None:
        """The text, with the groups of the match in place of the references to them."""
        if self.text is None or not self.pattern.groups:
            return self.text
        return REFERENCE.sub(lambda reference: match[referenced_group(reference)] or "", self.text)


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
