"""The tokens of an answer: as the endpoint reported them, completed by estimates."""

from __future__ import annotations

from sagemaker_eval.formats.usage import estimate_usage
from sagemaker_eval.model import Answer, Json, TokenUsage


def usage_of(answer: Answer, told: TokenUsage | None, prompt: str, output: Json) -> TokenUsage:
    """What the endpoint reported, else an estimate; of a cached answer all tokens count as cached, and no request."""
    usage = _completed(told, estimate_usage(prompt, output if isinstance(output, str) else ""))
    if answer.cached:
        return TokenUsage(usage.prompt, usage.completion, usage.total, usage.estimated, requests=0)
    return TokenUsage(usage.prompt, usage.completion, 0, usage.estimated, requests=int(answer.attempts > 0))


def _completed(told: TokenUsage | None, estimate: TokenUsage) -> TokenUsage:
    """What was reported, with estimates for a half that was not: no text that is there has 0 tokens."""
    if told is None:
        return estimate
    prompt, completion = told.prompt or estimate.prompt, told.completion or estimate.completion
    guessed = (prompt, completion) != (told.prompt, told.completion)
    return TokenUsage(prompt, completion, estimated=told.estimated or guessed)
