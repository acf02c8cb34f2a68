"""Errors that come with HTTP 200, found before an answer is taken for a success."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Invoke, Request, TokenUsage


class Checked:
    """Reads each answer once, inside the retries and the cache: what `read` refuses is retried and never stored.

    `read` returns the token usage that the body reports, None where it reports none, and raises `EndpointFault`
    where the body is an error.
    """

    def __init__(self, inner: Invoke, read: Callable[[Answer], TokenUsage | None]) -> None:
        self._inner = inner
        self._read = read

    async def __call__(self, request: Request) -> Answer:
        answer = await self._inner(request)
        try:
            usage = self._read(answer)
        except EndpointFault as fault:
            fault.request_id = fault.request_id or answer.request_id
            fault.attempts = answer.attempts
            raise
        return answer if usage is None else replace(answer, usage=usage)
