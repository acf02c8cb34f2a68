"""Answers without secrets: an endpoint may give back what it was asked, or how the call was signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sagemaker_eval.model import Answer, Invoke, Request


class Scrubbed:
    """Passes bodies, and what headers told, through `scrub` before anything is judged or stored.

    So a cached answer equals a fresh one.

    `scrub` gives back the very object where there is nothing to take out.
    """

    def __init__(self, inner: Invoke, scrub: Callable[[bytes], bytes]) -> None:
        self._inner = inner
        self._scrub = scrub

    async def __call__(self, request: Request) -> Answer:
        answer = await self._inner(request)
        body = self._scrub(answer.body)
        told = answer.told and tuple((name, self._text(value)) for name, value in answer.told)
        return answer if body is answer.body and told == answer.told else replace(answer, body=body, told=told)

    def _text(self, text: str) -> str:
        return self._scrub(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
