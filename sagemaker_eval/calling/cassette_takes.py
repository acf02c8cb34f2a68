"""What came of a call, from the words of a run to those of a cassette and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from sagemaker_eval.calling.cassette import (
    JSON,
    Take,
    TakenAnswer,
    TakenError,
    TakenResponse,
    Times,
    Usage,
    as_body,
    body_bytes,
    unusual,
)
from sagemaker_eval.errors import CaseError, EndpointFault, ExtractionError, FormatError, RenderError, ScriptError
from sagemaker_eval.model import Answer, Response, Timings, TokenUsage

_DECIMALS = 3
"""Of milliseconds: what results show."""

_KINDS = {kind.kind: kind for kind in (ExtractionError, FormatError, RenderError, ScriptError)}


def take_of_answer(answer: Answer, scrub: Callable[[bytes], bytes]) -> Take:
    """An endpoint's answer."""
    taken = TakenAnswer(
        body=as_body(scrub(answer.body)),
        content_type=unusual(answer.content_type),
        status=answer.status,
        variant=answer.variant,
        request_id=answer.request_id,
        usage=None if answer.usage is None else msgspec.convert(answer.usage, Usage, from_attributes=True),
        timings=_times(answer.timings),
        attempts=answer.attempts,
        cached=answer.cached,
        told=answer.told,
    )
    return Take(answer=taken)


def take_of_response(response: Response) -> Take:
    """What code of the user's own answered."""
    return Take(response=_taken(response))


def take_of_error(error: CaseError) -> Take:
    """The error that a call ended with."""
    response = None if error.response is None else _taken(error.response)
    taken = TakenError(error.kind, error.message, error.hint, response=response)
    if isinstance(error, EndpointFault):
        taken = msgspec.structs.replace(
            taken,
            code=error.code,
            retry=error.retry,
            request_id=error.request_id,
            original_status=error.original_status,
            attempts=error.attempts,
            queued=_milliseconds(error.queued),
            cold_start=_milliseconds(error.cold_start),
        )
    return Take(error=taken)


def shortened(takes: Sequence[Take]) -> list[Take]:
    """Takes without what they repeat: the first answer's body, and at the end the take before."""
    short: list[Take] = []
    first = next((take.answer for take in takes if take.answer is not None), None)
    for take in takes:
        answer = take.answer
        if answer is not None and answer is not first and first is not None and answer.body == first.body:
            take = Take(answer=msgspec.structs.replace(answer, body=None))
        short.append(take)
    while len(short) > 1 and short[-1] == short[-2]:
        short.pop()
    return short


def lengthened(takes: Sequence[Take]) -> Iterator[Take]:
    """Shortened takes with all bodies."""
    first = next((take.answer for take in takes if take.answer is not None), None)
    for take in takes:
        answer = take.answer
        if answer is not None and answer.body is None and first is not None:
            take = Take(answer=msgspec.structs.replace(answer, body=first.body))
        yield take


def is_good(take: Take) -> bool:
    """Whether the call was answered."""
    return take.answer is not None or take.response is not None


def outcome_of(takes: Sequence[Take], turn: int) -> Answer | Response:
    """What came of a call when it was made for the `turn`th time, from 0. Raises the error that it ended with."""
    take = takes[min(turn, len(takes) - 1)]
    if take.answer is not None:
        whole = take if take.answer.body is not None else list(lengthened(takes))[min(turn, len(takes) - 1)]
        assert whole.answer is not None
        return _answer(whole.answer, body_bytes(whole.answer.body or ""))
    if take.response is not None:
        return _response(take.response)
    if take.error is not None:
        raise _error(take.error)
    raise CaseError(
        "the run that was recorded was over before this call was",
        "record it anew with `--record`, with more time",
    )


def _answer(taken: TakenAnswer, body: bytes) -> Answer:
    return Answer(
        body=body,
        content_type=taken.content_type or JSON,
        status=taken.status,
        variant=taken.variant,
        request_id=taken.request_id,
        usage=None if taken.usage is None else msgspec.convert(taken.usage, TokenUsage, from_attributes=True),
        timings=_timings(taken.timings),
        attempts=taken.attempts,
        cached=taken.cached,
        told=taken.told,
    )


def _taken(response: Response) -> TakenResponse:
    return TakenResponse(
        output=response.output,
        raw=response.raw,
        usage=msgspec.convert(response.usage, Usage, from_attributes=True),
        finish_reason=response.finish_reason,
        attempts=response.attempts,
        timings=_times(response.timings),
        cached=response.cached,
        cost=response.cost,
        log_probs=response.log_probs,
        metadata=dict(response.metadata),
    )


def _response(taken: TakenResponse) -> Response:
    return Response(
        output=taken.output,
        raw=taken.raw,
        usage=msgspec.convert(taken.usage, TokenUsage, from_attributes=True),
        finish_reason=taken.finish_reason,
        attempts=taken.attempts,
        timings=_timings(taken.timings),
        cached=taken.cached,
        cost=taken.cost,
        log_probs=taken.log_probs,
        metadata=taken.metadata,
    )


def _times(timings: Timings) -> Times:
    return Times(
        queue=_milliseconds(timings.queue),
        backoff=_milliseconds(timings.backoff),
        cold_start=_milliseconds(timings.cold_start),
        wire=_milliseconds(timings.wire),
        first_token=None if timings.first_token is None else round(timings.first_token, _DECIMALS),
        inter_token=None if timings.inter_token is None else round(timings.inter_token, _DECIMALS),
        total=_milliseconds(timings.total),
    )


def _timings(times: Times) -> Timings:
    return Timings(
        queue=times.queue or 0.0,
        backoff=times.backoff or 0.0,
        cold_start=times.cold_start or 0.0,
        wire=times.wire or 0.0,
        first_token=times.first_token,
        inter_token=times.inter_token,
        total=times.total or 0.0,
    )


def _milliseconds(value: float) -> float | None:
    return round(value, _DECIMALS) or None


def _error(taken: TakenError) -> CaseError:
    if taken.code is None:
        error = _KINDS.get(taken.kind, CaseError)(taken.message, taken.hint)
    else:
        error = fault = EndpointFault(
            taken.message,
            code=taken.code,
            retry=taken.retry,
            hint=taken.hint,
            request_id=taken.request_id,
            original_status=taken.original_status,
        )
        fault.attempts, fault.queued, fault.cold_start = taken.attempts, taken.queued or 0.0, taken.cold_start or 0.0
    if taken.response is not None:
        error.response = _response(taken.response)
    return error
