"""Embeddings over a server in memory: who shares a request with whom, what is remembered, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import sagemaker_eval.formats  # noqa: F401 - files the formats in their registry
from sagemaker_eval.calling.cache import Cached
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.calling.checked import Checked
from sagemaker_eval.errors import CaseError, EndpointFault, Retry, SetupError
from sagemaker_eval.model import (
    Answer,
    Call,
    Json,
    ProviderSpec,
    Request,
    Response,
    SageMakerOptions,
    TokenUsage,
    UserCode,
)
from sagemaker_eval.providers import embedding
from sagemaker_eval.providers.body_reader import BodyReader
from sagemaker_eval.providers.embedding import MOST_TEXTS, Embeddings
from sagemaker_eval.providers.output_transform import compile_output_transform
from sagemaker_eval.providers.request_transform import compile_transform
from sagemaker_eval.providers.sagemaker import Check, Code, SageMaker, format_of, response_path

FIELDS = {"openai": "input", "huggingface": "inputs", "jumpstart": "text_inputs", "cohere": "texts", "custom": "input"}

Answered = Callable[[list[str]], Json]


def vector(text: str) -> list[float]:
    """Made of the letters, so that each text has its own."""
    return [float(len(text)), float(sum(map(ord, text)))]


def openai(texts: list[str]) -> Json:
    data = [{"index": index, "embedding": vector(text)} for index, text in enumerate(texts)]
    return {"data": data[::-1], "usage": {"prompt_tokens": 10 * len(texts)}}


ANSWERS: dict[str, Answered] = {
    "openai": openai,
    "huggingface": lambda texts: [vector(text) for text in texts],
    "jumpstart": lambda texts: {"embedding": [vector(text) for text in texts]},
    "cohere": lambda texts: {"embeddings": [vector(text) for text in texts], "texts": texts},
    "custom": lambda texts: {"embedding": vector(texts[0])},
}


@dataclass
class Server:
    """An `Invoke` that answers as an embedding server does, and remembers what it was sent.

    While `held` it answers nothing.
    """

    model_type: str = "openai"
    answered: Answered | None = None
    batches: list[list[str]] = field(default_factory=list)
    most_in_flight: int = 0
    in_flight: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    held: bool = False

    async def __call__(self, request: Request) -> Answer:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        written = json.loads(request.body)[FIELDS[self.model_type]]
        texts = [written] if isinstance(written, str) else written
        self.batches.append(texts)
        self.asked.set()
        await asyncio.sleep(0)
        if self.held:
            await self.let_go.wait()
        self.in_flight -= 1
        answered = (self.answered or ANSWERS[self.model_type])(texts)
        return Answer(json.dumps(answered).encode())


class Direct(Cached):
    """The line to a server, without anything between it and the cache."""

    def prepare(self) -> None: ...

    async def settle(self) -> None: ...

    def refused(self, request: Request, error: CaseError) -> None: ...

    async def close(self) -> None: ...

    def address(self, request: Request) -> str:
        return request.endpoint


@dataclass
class Bench:
    """Makes embeddings over a server and a cache that outlives them."""

    store: CacheStore

    def provider(self, server: Server, path: str | None = None, transform: str | None = None) -> SageMaker:
        code = None if transform is None else UserCode(transform)
        options = SageMakerOptions(
            "e", model_type=server.model_type, embedding=True, response_path=path, transform=code
        )
        reader = BodyReader(format_of(options))
        line = Direct(Checked(server, Check(reader)), self.store, lambda request: request.body.decode())
        compiled = Code(
            response_path(options, None), compile_transform(ProviderSpec("e", "sagemaker", options=options))
        )
        return SageMaker(options, compiled, reader, line, lambda notice: None)

    def over(self, server: Server, slots: int = 2, **more: Any) -> Embeddings:
        return Embeddings(self.provider(server, **more), asyncio.Semaphore(slots))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with CacheStore(tmp_path, lambda notice: None) as store:
        yield Bench(store)


def told(story: Callable[[], Awaitable[None]]) -> None:
    async def telling() -> None:
        await story()

    asyncio.run(telling())


def vectors(texts: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(vector(text)) for text in texts)


TEXTS = ["tea", "a cup of coffee", "water", "tea"]


@pytest.mark.parametrize("model_type", FIELDS)
def test_each_text_gets_its_vector_whatever_the_server(bench: Bench, model_type: str) -> None:
    async def story() -> None:
        server = Server(model_type)
        assert await bench.over(server).embed(TEXTS) == vectors(TEXTS)
        assert sorted(text for batch in server.batches for text in batch) == sorted(set(TEXTS))

    told(story)


@pytest.mark.parametrize(
    ("model_type", "requests"), [("openai", 1), ("huggingface", 1), ("jumpstart", 1), ("cohere", 1), ("custom", 3)]
)
def test_texts_that_are_asked_for_together_share_a_request(bench: Bench, model_type: str, requests: int) -> None:
    async def story() -> None:
        server = Server(model_type)
        await bench.over(server).embed(TEXTS)
        assert len(server.batches) == requests

    told(story)


@pytest.mark.parametrize("model_type", FIELDS)
def test_what_a_batch_brought_is_in_the_cache_as_if_each_text_had_been_asked_alone(
    bench: Bench, model_type: str
) -> None:
    async def story() -> None:
        await bench.over(Server(model_type)).embed(["a", "bb", "ccc"])

        later = Server(model_type)
        assert await bench.over(later).embed(["ccc", "a"]) == vectors(["ccc", "a"])
        response = await bench.provider(later).answer(Call("bb"))
        assert (response.output, response.cached) == (vector("bb"), True)
        assert later.batches == []

    told(story)


def test_what_was_asked_alone_is_not_asked_again_in_a_batch(bench: Bench) -> None:
    async def story() -> None:
        server = Server()
        await bench.provider(server).answer(Call("bb"))
        await bench.over(server).embed(["a", "bb", "ccc"])
        assert server.batches == [["bb"], ["a", "ccc"]]

    told(story)


def test_a_text_is_embedded_once_in_a_run_even_without_a_cache(bench: Bench) -> None:
    async def story() -> None:
        server = Server()
        bench.store.close()
        embeddings = bench.over(server)
        await embeddings.embed(["a", "b"])
        await embeddings.embed(["b", "a"])
        assert server.batches == [["a", "b"]]

    told(story)


def test_what_does_not_fit_into_memory_is_left_to_the_cache(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "KEPT_BYTES", 1)

    async def story() -> None:
        server = Server()
        embeddings = bench.over(server)
        for text in "aba":
            assert await embeddings.embed([text]) == vectors([text])
        assert server.batches == [["a"], ["b"]]
        bench.store.close()
        await embeddings.embed(["b"])
        assert server.batches == [["a"], ["b"], ["b"]]

    told(story)


def test_those_who_ask_at_the_same_time_share_the_answer(bench: Bench) -> None:
    async def story() -> None:
        server = Server()
        embeddings = bench.over(server)
        found = await asyncio.gather(*(embeddings.embed(["same", f"own {number}"]) for number in range(3)))
        assert [each[0] for each in found] == [tuple(vector("same"))] * 3
        assert sum(batch.count("same") for batch in server.batches) == 1

    told(story)


def test_what_waits_for_a_slot_goes_together(bench: Bench) -> None:
    async def story() -> None:
        server = Server(held=True)
        embeddings = bench.over(server, slots=1)
        first = asyncio.create_task(embeddings.embed(["first"]))
        await server.asked.wait()
        others = [asyncio.create_task(embeddings.embed([f"text {number}"])) for number in range(MOST_TEXTS + 3)]
        for _ in range(5):
            await asyncio.sleep(0)
        server.let_go.set()
        await asyncio.gather(first, *others)
        assert [len(batch) for batch in server.batches] == [1, MOST_TEXTS, 3]

    told(story)


def test_a_lone_text_goes_at_once(bench: Bench) -> None:
    async def story() -> None:
        server = Server(held=True)
        task = asyncio.create_task(bench.over(server).embed(["alone"]))
        for _ in range(4):
            await asyncio.sleep(0)
        assert server.batches == [["alone"]]
        server.let_go.set()
        await task

    told(story)


def test_no_more_calls_are_in_flight_than_there_are_slots(bench: Bench) -> None:
    async def story() -> None:
        server = Server("custom")
        await bench.over(server, slots=3).embed([str(number) for number in range(40)])
        assert (len(server.batches), server.most_in_flight) == (40, 3)

    told(story)


def test_a_batch_holds_no_more_characters_than_fits(bench: Bench) -> None:
    async def story() -> None:
        server = Server()
        await bench.over(server).embed(["a" * 150_000, "b" * 150_000, "c"])
        assert [len(batch) for batch in server.batches] == [1, 2]

    told(story)


def test_one_who_gives_up_takes_nothing_from_the_others(bench: Bench) -> None:
    async def story() -> None:
        server = Server(held=True)
        embeddings = bench.over(server)
        leaving, staying = (asyncio.create_task(embeddings.embed(["same"])) for _ in range(2))
        await server.asked.wait()
        leaving.cancel()
        server.let_go.set()
        assert await staying == vectors(["same"])
        assert len(server.batches) == 1

    told(story)


def refusing(*, most: int = MOST_TEXTS, without: str | None = None, retry: Retry = Retry.NEVER) -> Answered:
    """A server that refuses too many texts, or any batch with one of them."""

    def answered(texts: list[str]) -> Json:
        if len(texts) > most or without in texts:
            raise EndpointFault("refused", code="ModelError", retry=retry)
        return openai(texts)

    return answered


def test_a_text_that_is_refused_fails_alone(bench: Bench) -> None:
    async def story() -> None:
        embeddings = bench.over(Server(answered=refusing(without="bad")))
        bad, *good = await asyncio.gather(
            *(embeddings.embed([text]) for text in ["bad", "a", "b", "c"]), return_exceptions=True
        )
        assert isinstance(bad, EndpointFault)
        assert [each for each in good if not isinstance(each, BaseException)] == [vectors([text]) for text in "abc"]

    told(story)


def test_batches_become_as_small_as_the_server_wants_them(bench: Bench) -> None:
    async def story() -> None:
        server = Server(answered=refusing(most=4))
        embeddings = bench.over(server, slots=1)
        await embeddings.embed([str(number) for number in range(16)])
        await embeddings.embed([str(number) for number in range(16, 28)])
        assert [len(batch) for batch in server.batches] == [16, 8, 4, 4, 8, 4, 4, 4, 4, 4]

    told(story)


def test_a_fault_that_has_nothing_to_do_with_batches_is_not_tried_in_parts(bench: Bench) -> None:
    def throttled(texts: list[str]) -> Json:
        raise EndpointFault("throttled", code="ThrottlingException", retry=Retry.PATIENT)

    async def story() -> None:
        server = Server(answered=throttled)
        with pytest.raises(EndpointFault, match="throttled"):
            await bench.over(server).embed(["a", "b"])
        assert server.batches == [["a", "b"]]

    told(story)


def test_what_stops_the_run_reaches_everybody(bench: Bench) -> None:
    def gone(texts: list[str]) -> Json:
        raise SetupError("the endpoint is gone")

    async def story() -> None:
        embeddings = bench.over(Server(answered=gone))
        ends = await asyncio.gather(*(embeddings.embed([text]) for text in "ab"), return_exceptions=True)
        assert [type(end) for end in ends] == [SetupError, SetupError]

    told(story)


def test_a_failure_is_not_remembered(bench: Bench) -> None:
    async def story() -> None:
        server = Server(answered=refusing(without="a"))
        embeddings = bench.over(server)
        with pytest.raises(EndpointFault):
            await embeddings.embed(["a"])
        server.answered = None
        assert await embeddings.embed(["a"]) == vectors(["a"])

    told(story)


def test_where_batches_cannot_be_taken_apart_each_text_is_asked_for_alone(bench: Bench) -> None:
    async def story() -> None:
        server = Server("huggingface", answered=lambda texts: vector(texts[0]))
        embeddings = bench.over(server, slots=1)
        assert await embeddings.embed(["a", "bb"]) == vectors(["a", "bb"])
        assert await embeddings.embed(["ccc", "dddd"]) == vectors(["ccc", "dddd"])
        assert server.batches == [["a", "bb"], ["a"], ["bb"], ["ccc"], ["dddd"]]

    told(story)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (float("nan"), "holds a number that is not finite"),
        (float("inf"), "not finite"),
        ("x", "is not a number: `'x'`"),
    ],
)
def test_a_vector_that_is_none_fails_its_text_alone(bench: Bench, number: Json, message: str) -> None:
    async def story() -> None:
        server = Server("huggingface", answered=lambda texts: [[1.0, number if text == "b" else 2.0] for text in texts])
        embeddings = bench.over(server)
        good, bad = await asyncio.gather(*(embeddings.embed([text]) for text in "ab"), return_exceptions=True)
        assert good == ((1.0, 2.0),)
        assert isinstance(bad, CaseError) and message in bad.message
        assert server.batches == [["a", "b"]]

    told(story)


def test_vectors_of_different_lengths_are_an_error(bench: Bench) -> None:
    async def story() -> None:
        server = Server("huggingface", answered=lambda texts: [[1.0] * len(text) for text in texts])
        with pytest.raises(CaseError, match=r"^the embeddings of two texts differ in length: 1, 3 numbers$"):
            await bench.over(server).embed(["a", "bbb"])

    told(story)


def test_a_path_is_followed_text_by_text(bench: Bench) -> None:
    async def story() -> None:
        server = Server(answered=lambda texts: {"found": {"here": [1.0, float(len(texts))]}})
        assert await bench.over(server, path="$.found.here").embed(["a", "b"]) == ((1.0, 1.0), (1.0, 1.0))
        assert server.batches == [["a"], ["b"]]

    told(story)


def test_a_path_finds_the_vector_that_a_batch_left_in_the_cache(bench: Bench) -> None:
    async def story() -> None:
        await bench.over(Server()).embed(["a", "bb"])
        later = Server()
        assert await bench.over(later, path="$.data[0].embedding").embed(["bb"]) == vectors(["bb"])
        assert later.batches == []

    told(story)


def test_a_request_transform_is_applied_text_by_text(bench: Bench) -> None:
    async def story() -> None:
        server = Server()
        assert await bench.over(server, transform="'query: ' + prompt").embed(["a"]) == vectors(["query: a"])

    told(story)


def test_an_output_transform_makes_the_vector(bench: Bench) -> None:
    async def story() -> None:
        transform = compile_output_transform(UserCode("output.map(number => number * 2)"))
        embeddings = Embeddings(bench.provider(Server()), asyncio.Semaphore(1), transform)
        assert await embeddings.embed(["a"]) == ((2.0, 2.0 * ord("a")),)

    told(story)


def test_the_tokens_of_a_batch_are_shared_out_and_add_up(bench: Bench) -> None:
    async def story() -> None:
        embeddings = bench.over(Server())
        short, long = await asyncio.gather(embeddings.embed(["a"]), embeddings.embed(["a long text " * 10]))
        assert short.usage.prompt < long.usage.prompt
        assert short.usage + long.usage == TokenUsage(prompt=20, requests=1, estimated=True)

    told(story)


def test_the_tokens_of_one_text_are_what_the_endpoint_reports(bench: Bench) -> None:
    async def story() -> None:
        assert (await bench.over(Server()).embed(["a"])).usage == TokenUsage(prompt=10, requests=1)

    told(story)


def test_tokens_of_texts_that_were_embedded_before_count_as_cached(bench: Bench) -> None:
    async def story() -> None:
        embeddings = bench.over(Server())
        await embeddings.embed(["a"])
        assert (await embeddings.embed(["a"])).usage == TokenUsage(prompt=10, cached=10)
        assert (await bench.over(Server()).embed(["a"])).usage == TokenUsage(prompt=10, cached=10)

    told(story)


class Plain:
    """A provider of another kind, which gives the outputs that it was made with."""

    def __init__(self, *outputs: Json) -> None:
        self.outputs = list(outputs)

    def prepare(self) -> None: ...

    async def answer(self, call: Call) -> Response:
        return Response(self.outputs.pop(0))

    async def request(self, call: Call) -> None: ...

    def address(self, request: Request) -> str:
        return ""

    async def close(self) -> None: ...


def test_any_provider_whose_output_is_a_vector_will_do() -> None:
    async def story() -> None:
        embeddings = Embeddings(Plain([1, 2], [3, 4]), asyncio.Semaphore(1))
        assert await embeddings.embed(["a", "b"]) == ((1.0, 2.0), (3.0, 4.0))

    told(story)


def test_an_output_that_is_no_vector_is_an_error() -> None:
    async def story() -> None:
        with pytest.raises(CaseError, match=r"^an embedding is a list of numbers, but the answer has `'tea'`$"):
            await Embeddings(Plain("tea"), asyncio.Semaphore(1)).embed(["a"])

    told(story)
