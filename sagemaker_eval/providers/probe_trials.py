"""One request in one format: what came of it, what the answer is worth, and which of several is to be trusted most."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.calling.retrying import FIRST_WINDOW, LONGEST_WINDOW, Patience
from sagemaker_eval.errors import CaseError, EndpointFault, ExtractionError, Retry
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.reading import follow
from sagemaker_eval.model import Call, Json, Request, Response
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.body_reader import NO_JSON
from sagemaker_eval.providers.probes import Candidate
from sagemaker_eval.text.extraction import compile_response_path
from sagemaker_eval.text.suggestions import MOST_LEAVES, TELLING_KEYS, suggest_paths

TRIES = {Retry.PATIENT: Patience().attempts, Retry.COUNTED: 4}
"""Calls that a fault which may pass is worth; the others are an answer to the question whether this format works."""

_NO_FURTHER = frozenset({"CircuitOpen", "ReadTimeout"})
"""Codes of faults that may pass, and that take too long to be met again."""

_NO_VECTOR = "answered, with no embedding"

_LEAST_ECHO = 12
"""Characters of a prompt that no answer repeats by chance."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one request. An answer has a `response`, and a `refusal` says why there is none that could be used.

    `path` leads to the text of the answer, None where it is made of several; `known` says that the text is found
    without it. `native` answers have a shape that belongs to the format that was asked in.
    """

    candidate: Candidate
    request: Request | None = None
    calls: int = 0
    response: Response | None = None
    refusal: str | None = None
    hint: str | None = None
    text: str = ""
    path: str | None = None
    known: bool = False
    native: bool = False
    echoes: bool = False

    @property
    def works(self) -> bool:
        """Whether the format can be used."""
        return self.response is not None and self.refusal is None

    @property
    def usage_told(self) -> bool:
        """Whether the answer says how many tokens it took."""
        return self.response is not None and not self.response.usage.estimated

    @property
    def finish_told(self) -> bool:
        """Whether the answer says why it ended."""
        return self.response is not None and self.response.finish_reason is not None

    @property
    def vector(self) -> list[float] | None:
        """The embedding, where one was asked for and came."""
        return self.response.output if self.candidate.embedding and self.works and self.response else None

    @property
    def needed_path(self) -> str | None:
        """The `responseFormat.path` without which the text is not found."""
        return None if self.known else self.path

    @property
    def rank(self) -> tuple[bool, ...]:
        """What it is worth: the greater, the better."""
        told = bool(self.text.strip()) or self.candidate.embedding
        return (self.works, not self.echoes, told, self.known, self.native, self.usage_told, self.finish_told)


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The trial to be trusted most, the first among equals; None where no format works."""
    best = max(trials, key=lambda trial: trial.rank, default=None)
    return best if best is not None and best.works else None


async def tried(candidate: Candidate, provider: Provider, call: Call, sleep: Sleep = asyncio.sleep) -> Trial:
    """Ask once in the format of a candidate, whose provider must not try again by itself.

    Throttling and failures on the way are waited for. Raises `SetupError` for what no other format could survive.
    """
    request = None
    asking = _Asking(provider, call, sleep)
    try:
        request = await provider.request(call)
        response = await asking.answer()
    except ExtractionError as error:
        if error.response is None:
            return Trial(candidate, request, asking.calls, refusal=error.message, hint=error.hint)
        return _judged(Trial(candidate, request, asking.calls, error.response), call.prompt, error)
    except CaseError as error:
        return Trial(candidate, request, asking.calls, refusal=error.message, hint=error.hint)
    return _judged(Trial(candidate, request, asking.calls, response), call.prompt)


class _Asking:
    """One question, asked again while that may help."""

    def __init__(self, provider: Provider, call: Call, sleep: Sleep) -> None:
        self._provider = provider
        self._call = call
        self._sleep = sleep
        self.calls = 0

    async def answer(self) -> Response:
        while True:
            try:
                response = await self._provider.answer(self._call)
            except EndpointFault as fault:
                self.calls += fault.attempts
                if fault.code in _NO_FURTHER or self.calls >= TRIES.get(fault.retry, 0):
                    raise
                window = min(LONGEST_WINDOW[fault.retry], FIRST_WINDOW * 2.0**self.calls)
                await self._sleep(random.uniform(0.0, window))
            except CaseError as error:
                self.calls += error.response.attempts if error.response else 0
                raise
            else:
                self.calls += response.attempts
                return response


def _judged(trial: Trial, prompt: str, error: ExtractionError | None = None) -> Trial:
    """A trial whose answer came, with what can be said of it; `error` is what its format has against the answer."""
    response = trial.response
    assert response is not None
    if trial.candidate.embedding:
        is_vector = error is None and isinstance(response.output, list)
        return replace(trial, known=is_vector, native=is_vector, refusal=None if is_vector else _NO_VECTOR)
    document = _decoded(response.raw)
    if document is NO_JSON:
        trial = replace(trial, text=response.text, known=True)
    elif error is None and FORMATS.get(trial.candidate.model_type).read(document).found:
        native = any(follow(document, shape) is not None for shape in trial.candidate.native)
        trial = replace(trial, text=response.text, path=_path_to(document, response.text), known=True, native=native)
    else:
        path, text = _likeliest_text(document, trial.request, prompt)
        trial = replace(trial, text=text, path=path)
    return replace(trial, refusal=_useless(trial, prompt), echoes=_contains(trial.text, prompt))


def _useless(trial: Trial, prompt: str) -> str | None:
    """Why the text of an answer is of no use, if it is not."""
    if not (trial.known or trial.path):
        return "answered, with no text that would be an answer"
    sent = "" if trial.request is None else trial.request.body.decode("utf-8", "replace")
    if _folded(trial.text) in (_folded(prompt), _folded(sent)):
        return "answered, and only repeated what was sent"
    return None


def _decoded(raw: str | bytes) -> Json:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return NO_JSON


def _leaves(document: Json) -> list[tuple[str, str]]:
    """Paths to the texts of a document, and the texts, those under telling keys first."""
    if not isinstance(document, dict | list):
        return []
    paths = suggest_paths(document, limit=MOST_LEAVES)
    values = [(path, compile_response_path(path, ".").extract(document)) for path in paths]
    return [(path, value) for path, value in values if isinstance(value, str)]


def _path_to(document: Json, text: str) -> str | None:
    return next((path for path, value in _leaves(document) if value == text), None)


def _likeliest_text(document: Json, request: Request | None, prompt: str) -> tuple[str | None, str]:
    """Where a document of no known shape seems to have its text, and that text: nothing of what was sent."""
    sent = {value for _, value in _leaves(_decoded(request.body))} if request is not None else set()
    found = [
        (path, value)
        for path, value in _leaves(document)
        if value.strip() and value not in sent and not _contains(value, prompt)
    ]
    if not found:
        return None, ""
    return max(found, key=lambda leaf: (_is_telling(leaf[0]), " " in leaf[1].strip(), len(leaf[1])))


def _is_telling(path: str) -> bool:
    return path.rpartition(".")[2].partition("[")[0] in TELLING_KEYS


def _contains(text: str, prompt: str) -> bool:
    """Whether a text repeats the prompt, and does so on purpose."""
    asked = _folded(prompt)
    return len(asked) >= _LEAST_ECHO and asked in _folded(text)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
