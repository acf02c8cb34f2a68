"""The embeddings that assertions ask for: each text once in a run, several texts in one request.

A text that finds a free slot goes at once. Those that have to wait for one are taken together by the request that is
made next: so batches grow with the load, and nothing waits for company.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import OrderedDict, deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

from sagemaker_eval.errors import CaseError, EndpointFault, ExtractionError, Retry
from sagemaker_eval.formats.vectors import to_vector
from sagemaker_eval.model import Call, Response, TokenUsage, Vector, Vectors
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.output_transform import OutputTransform
from sagemaker_eval.providers.sagemaker import SageMaker

MOST_TEXTS = 32
"""In one request: what Text Embeddings Inference takes unless told otherwise."""

MOST_CHARACTERS = 200_000
"""Of the texts of one request together, beyond the first: batches stay clear of SageMaker's limits on size and time."""

KEPT_BYTES = 64 * 1024 * 1024
"""Of vectors and their texts in memory; the ones not used for longest are then left to the cache on disk."""

_TOO_MUCH = frozenset({"ModelError", "ReadTimeout"})
"""Codes of faults that a smaller batch may not have, however often the whole one was tried."""


@dataclass(frozen=True, slots=True)
class _Embedded:
    """A vector as it is kept: a quarter of the size of a tuple."""

    numbers: array[float]
    usage: TokenUsage


class Embeddings:
    """An `Embedder` over a provider, with at most as many calls in flight as `free` has slots.

    Texts that are asked for side by side share one call; what was embedded is remembered, in memory and by the cache.
    A batch that an endpoint refuses is asked again in halves; from one whose answers to batches cannot be taken apart,
    every text is asked for alone. `transform` is the user's, of the provider's output.
    """

    def __init__(self, provider: Provider, free: asyncio.Semaphore, transform: OutputTransform | None = None) -> None:
        self._provider = provider
        self._free = free
        self._transform = transform
        batches = isinstance(provider, SageMaker) and provider.takes_batches and transform is None
        self._most = MOST_TEXTS if batches else 1
        self._kept = _Kept(KEPT_BYTES)
        self._sought: dict[str, asyncio.Future[_Embedded]] = {}
        self._waiting: deque[str] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, all of one length and finite. Raises `CaseError`, `SetupError`."""
        distinct = dict.fromkeys(texts)
        own = {text for text in distinct if text not in self._kept and text not in self._sought}
        begun = {text: self._begun(text) for text in distinct}
        usage, vectors = TokenUsage(), {}
        for text, future in begun.items():
            embedded = await asyncio.shield(future)  # a caller that is cancelled takes nothing from the others
            usage += embedded.usage if text in own else _again(embedded.usage)
            vectors[text] = tuple(embedded.numbers)
        _check_lengths(vectors)
        return Vectors([vectors[text] for text in texts], usage)

    def _begun(self, text: str) -> asyncio.Future[_Embedded]:
        """The embedding of a text, which somebody is seeing to from now on at the latest."""
        if (future := self._sought.get(text)) is not None:
            return future
        future = asyncio.get_running_loop().create_future()
        if (kept := self._kept.get(text)) is not None:
            future.set_result(kept)
        else:
            self._sought[text] = future
            self._start(self._seek(text))
        return future

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _seek(self, text: str) -> None:
        """Take a text from the cache, else see to it that one of the next requests has it."""
        try:
            response = await stored(self._provider, Call(text))
        except Exception as error:
            self._settle(text, error)
            return
        if response is not None:
            await self._read(text, response)
            return
        self._waiting.append(text)
        await asyncio.sleep(0)  # the other texts of the same caller come to stand beside it
        async with self._free:
            if batch := self._next_batch():
                await self._ask(batch)

    def _next_batch(self) -> list[str]:
        """The texts of the next request; none where others have taken them all."""
        batch: list[str] = []
        characters = 0
        while self._waiting and len(batch) < self._most:
            characters += len(self._waiting[0])
            if batch and characters > MOST_CHARACTERS:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _ask(self, batch: Sequence[str]) -> bool:
        """Settle texts by one request, or by more where that one fails for being a batch; whether all went well."""
        try:
            responses = await self._responses(batch)
        except Exception as error:
            if len(batch) > 1 and _may_do_in_parts(error):
                return await self._ask_in_parts(batch, error)
            await self._note(batch, error)
            for text in batch:
                self._settle(text, error)
            return False
        for text, response in zip(batch, responses, strict=True):
            await self._read(text, response)
        return True

    async def _responses(self, batch: Sequence[str]) -> Sequence[Response | CaseError]:
        if len(batch) > 1 and isinstance(self._provider, SageMaker):
            return await self._provider.answers(batch)
        return [await self._provider.answer(Call(batch[0]))]

    async def _note(self, batch: Sequence[str], error: Exception) -> None:
        """Have it noted for each text of a batch what the batch came to."""
        if len(batch) > 1 and isinstance(self._provider, SageMaker) and isinstance(error, CaseError):
            await self._provider.refused(batch, error)

    async def _ask_in_parts(self, batch: Sequence[str], error: Exception) -> bool:
        """Ask in halves for what was refused as a whole; where both halves do, it was too large."""
        if isinstance(error, ExtractionError):
            self._most = 1
            return all([await self._ask([text]) for text in batch])
        half = len(batch) // 2
        well = all([await self._ask(batch[:half]), await self._ask(batch[half:])])
        if well:
            self._most = min(self._most, len(batch) - half)
        return well

    async def _read(self, text: str, response: Response | CaseError) -> None:
        """Settle a text by a response to it."""
        try:
            if isinstance(response, CaseError):
                raise response
            response = await transformed(self._transform, Call(text), response)
            self._settle(text, _Embedded(array("d", to_vector(response.output)), response.usage))
        except Exception as error:
            self._settle(text, error)

    def _settle(self, text: str, end: _Embedded | Exception) -> None:
        future = self._sought.pop(text)
        if isinstance(end, _Embedded):
            self._kept.put(text, end)
            future.set_result(end)
        else:
            future.set_exception(end)
            future.exception()  # whoever asked may be gone, which is nothing to warn of


class _Kept:
    """The embeddings used last, up to a number of bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._entries: OrderedDict[str, _Embedded] = OrderedDict()

    def __contains__(self, text: str) -> bool:
        return text in self._entries

    def get(self, text: str) -> _Embedded | None:
        found = self._entries.get(text)
        if found is not None:
            self._entries.move_to_end(text)
        return found

    def put(self, text: str, embedded: _Embedded) -> None:
        self._entries[text] = embedded
        self._bytes += _size(text, embedded)
        while self._bytes > self._most and len(self._entries) > 1:
            self._bytes -= _size(*self._entries.popitem(last=False))


def _size(text: str, embedded: _Embedded) -> int:
    return len(text) + 8 * len(embedded.numbers)


async def stored(provider: Provider, call: Call) -> Response | None:
    """The response to a call that is in the cache, so that nobody has to wait for a slot; None where there is none."""
    return await provider.stored(call) if isinstance(provider, SageMaker) else None


async def transformed(transform: OutputTransform | None, call: Call, response: Response) -> Response:
    """A grader's response with what the user's transform makes of its output. Raises `ScriptError`."""
    if transform is None:
        return response
    context = {"vars": {}, "prompt": {"raw": call.prompt, "label": call.label}, "metadata": dict(response.metadata)}
    return await transform(response, context)


def _may_do_in_parts(error: Exception) -> bool:
    """Whether a batch failed for something that its parts may not have."""
    if isinstance(error, EndpointFault):
        return not error.stops_run and (error.retry in (Retry.NEVER, Retry.ONCE) or error.code in _TOO_MUCH)
    return isinstance(error, CaseError)


def _again(usage: TokenUsage) -> TokenUsage:
    """The tokens of an embedding that is used once more."""
    return TokenUsage(usage.prompt, usage.completion, usage.total, usage.estimated)


def _check_lengths(vectors: dict[str, Vector]) -> None:
    lengths = sorted({len(vector) for vector in vectors.values()})
    if len(lengths) > 1:
        shown = ", ".join(map(str, lengths))
        raise CaseError(
            f"the embeddings of two texts differ in length: {shown} numbers",
            "check that one model, with one number of dimensions, answers for both",
        )
