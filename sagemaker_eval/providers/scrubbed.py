"""Answers without secrets: an endpoint may give back what it was asked, or how the call was signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sagemaker_eval.model import Answer, Invoke, Request


class Scrubbed:
    """Passes bodies through `scrub` before anything is judged or stored, so that a cached answer equals a fresh one.

    `scrub` gives back the very object where there is nothing to take out.
    """

    def __init__(self, inner: Invoke, scrub: Callable[[bytes], bytes]) -> None:
        self._inner = inner
        self._scrub = scrub

    async def __call__(self, request: Request) -> Answer:
        answer = await self._inner(request)
        body = self._scrub(answer.body)
        return answer if body is answer.body else replace(answer, body=body)
