"""Everything that can go wrong, as one tree.

SagevalError
├─ ConfigError      a file, a name, a path or a template is wrong      exit 2, nothing was sent
├─ SetupError       credentials, region, permission, unknown endpoint  exit 2, stops the run at once
├─ LimitReached     a limit that the user set for the run is used up   exit 3, stops the run at once
└─ CaseError        recorded on its case, the run goes on              exit 3 above the allowed share
   ├─ EndpointFault     the endpoint, the service or the way there failed
   ├─ ExtractionError   the answer came, but its text could not be found in it
   ├─ FormatError       the prompt cannot become a request body of this model type
   ├─ RenderError       a template failed for the variables of this case
   └─ ScriptError       a script of the user raised, or returned what cannot be used

Anything else that is raised is a bug of ours.
A message says what happened, on one line and without a final period; a hint says what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sagemaker_eval.model import Place, Response


class SagevalError(Exception):
    """An expected failure, worded for the user: `message` says what happened, `hint` what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: what, where, and what to do about it."""

    message: str
    where: Place | None = None
    hint: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class ConfigError(SagevalError):
    """The configuration is wrong in one or more ways, all of them in `problems`; nothing was sent.

    `usable` is what could be built in spite of them, for whoever goes on looking for problems; None where nothing was.
    """

    def __init__(self, problems: Iterable[Problem], usable: Any = None) -> None:
        self.problems = tuple(problems)
        self.usable = usable
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, message: str, where: Place | None = None, hint: str | None = None) -> ConfigError:
        """A `ConfigError` with a single problem."""
        return cls([Problem(message, where, hint)])


class SetupError(SagevalError):
    """No call can succeed as things stand (credentials, region, permission, unknown endpoint): the run stops."""


class LimitReached(SagevalError):
    """A limit that the user set for the whole run (calls, cost) is used up: the run stops, what is done is kept."""


class CaseError(SagevalError):
    """One case could not be answered or judged; it becomes ERRORED and the run goes on.

    `response` is what is known of an answer that did arrive, for the record.
    """

    kind = "error"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.response: Response | None = None


class ExtractionError(CaseError):
    """The answer arrived, but the text could not be found in it."""

    kind = "extraction"


class FormatError(CaseError):
    """The prompt cannot become a request body of this model type."""

    kind = "format"


class RenderError(CaseError):
    """A template failed for the variables of this case."""

    kind = "render"


class ScriptError(CaseError):
    """A script of the user raised, or returned what cannot be used."""

    kind = "script"


class Retry(StrEnum):
    """What the retry loop does about a fault."""

    NEVER = "never"
    ONCE = "once"
    COUNTED = "counted"
    PATIENT = "patient"
    LOADING = "loading"


class EndpointFault(CaseError):
    """A call failed at the endpoint, in the service or on the way there.

    `code` is AWS's error code as botocore would give it (an HTTP status as text where the answer carries none).
    `retry` is the class of the fault in the table of `sagemaker/faults.py`: PATIENT faults have an allowance of
    their own, COUNTED ones use up `maxRetries`, ONCE at most one of those; LOADING says that the endpoint is scaled to
    zero or loading its model, so that waiting helps, for minutes if need be.
    `stops_run` marks what no other case could survive either.
    `queued` and `cold_start` are how long the failed call had waited for its turn and for its endpoint, in ms.
    """

    kind = "endpoint"

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retry: Retry = Retry.NEVER,
        stops_run: bool = False,
        hint: str | None = None,
        request_id: str | None = None,
        original_status: int | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.retry = retry
        self.stops_run = stops_run
        self.request_id = request_id
        self.original_status = original_status
        self.attempts = 1
        self.queued = 0.0
        self.cold_start = 0.0
