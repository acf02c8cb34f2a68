"""Several texts in one request to an embedding endpoint, and in the cache as if each had been asked for alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import msgspec

from sagemaker_eval.errors import ExtractionError
from sagemaker_eval.formats.embeddings import BatchEmbedding, batch_format
from sagemaker_eval.formats.usage import estimate_usage, read_usage
from sagemaker_eval.model import Answer, Json, Request, SageMakerOptions, TokenUsage
from sagemaker_eval.providers.line import Endpoint


class Batches:
    """Asks for several texts at once. What a text costs of a batch is shared out by length, and so an estimate."""

    def __init__(self, format_: BatchEmbedding, options: SageMakerOptions, endpoint: Endpoint) -> None:
        self._format = format_
        self._options = options
        self._endpoint = endpoint

    async def __call__(self, texts: Sequence[str], requests: Sequence[Request]) -> list[Answer]:
        """One answer for each text; `requests` are those that each text alone would be.

        The attempts that it took count for the first of them.
        Raises as the endpoint does, and `ExtractionError` where its answer cannot be taken apart.
        """
        body = self._format.batch_body(texts)
        answer = await self._endpoint.fresh(replace(requests[0], body=body, repeat=0))
        document = _decoded(answer.body)
        parts = self._format.split(document, len(texts))
        shares = shared_out(answer.usage or read_usage(document), texts)
        answers = [
            replace(answer, body=_encoded(part), usage=share, attempts=0 if number else answer.attempts)
            for number, (part, share) in enumerate(zip(parts, shares, strict=True))
        ]
        for request, alone in zip(requests, answers, strict=True):
            self._endpoint.keep(request, alone)
        return answers


def batches_over(options: SageMakerOptions, endpoint: Endpoint) -> Batches | None:
    """The batches of an embedding endpoint; None where its model type takes one text at a time."""
    format_ = batch_format(options.model_type) if options.embedding else None
    return None if format_ is None else Batches(format_, options, endpoint)


def shared_out(usage: TokenUsage | None, texts: Sequence[str]) -> list[TokenUsage | None]:
    """The tokens of a batch, text by text: in proportion to the lengths, adding up to what was reported."""
    if usage is None:
        return [None] * len(texts)
    weights = [estimate_usage(text, "").prompt + 1 for text in texts]
    prompts, completions = _parts(usage.prompt, weights), _parts(usage.completion, weights)
    return [
        TokenUsage(prompt, completion, estimated=True, requests=1)
        for prompt, completion in zip(prompts, completions, strict=True)
    ]


def _parts(total: int, weights: Sequence[int]) -> Iterator[int]:
    whole = sum(weights)
    ends = [total * reached // whole for reached in accumulate(weights)]
    return (end - begin for begin, end in pairwise((0, *ends)))


def _encoded(document: Json) -> bytes:
    """A document as it came: msgspec is fast with vectors, and writes `null` for what is not finite."""
    body = msgspec.json.encode(document)
    return json.dumps(document).encode() if b"null" in body else body


def _decoded(body: bytes) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ExtractionError(
            "the answer to several texts is no JSON", "set acceptType to `application/json`"
        ) from None
