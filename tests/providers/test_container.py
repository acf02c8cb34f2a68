"""The `container` provider against a real HTTP server on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

import sagemaker_eval.formats  # noqa: F401 - files the formats in their registry
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.errors import CaseError, EndpointFault, ExtractionError, SetupError
from sagemaker_eval.model import Call, Json, ProviderSpec, Response, SageMakerOptions, UserCode
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.container import container
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Targets

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


@dataclass
class Seen:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Container:
    """A server that gives its answers in order, the last of them for ever."""

    answers: tuple[Handler, ...]
    seen: list[Seen] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(Seen(request.path_qs, request.headers, await request.read()))
        return await self.answers[min(len(self.seen), len(self.answers)) - 1](request)


def says(body: Json, status: int = 200) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=content, status=status, content_type="application/json")

    return handler


@asynccontextmanager
async def serving(*answers: Handler) -> AsyncIterator[Container]:
    served = Container(answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.handle)
    async with TestServer(app) as server:
        served.url = str(server.make_url("")).rstrip("/")
        yield served


def spec(url: str, delay_ms: int | None = None, **options: Any) -> ProviderSpec:
    return ProviderSpec(f"container:{url}", "container", options=SageMakerOptions(url, **options), delay_ms=delay_ms)


@asynccontextmanager
async def services(**options: Any) -> AsyncIterator[Services]:
    shared = Services(ConnectionPool(4), Targets({}, lambda notice: None), sleep=at_once, **options)
    try:
        yield shared
    finally:
        await shared.pool.close()


async def ask(url: str, prompt: str = "Hi", **options: Any) -> Response:
    async with services() as shared:
        return await container(spec(url, **options), shared).answer(Call(prompt))


def story(told: Callable[[], Awaitable[None]]) -> None:
    async def telling() -> None:
        await told()

    asyncio.run(telling())


def test_a_request_is_a_plain_post_to_invocations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def told() -> None:
        async with serving(says([{"generated_text": "tea"}])) as server:
            response = await ask(server.url, model_type="huggingface")
        (seen,) = server.seen
        assert (response.output, response.attempts) == ("tea", 1)
        assert seen.path == "/invocations"
        assert json.loads(seen.body)["inputs"] == "Hi"
        assert seen.headers["Content-Type"] == seen.headers["Accept"] == "application/json"
        assert not [name for name in seen.headers if name.lower().startswith(("x-amz", "authorization"))]

    story(told)


@pytest.mark.parametrize(
    ("path", "asked"), [("", "/invocations"), ("/", "/invocations"), ("/v1/chat?x=1", "/v1/chat?x=1")]
)
def test_a_url_keeps_a_path_of_its_own(path: str, asked: str) -> None:
    async def told() -> None:
        async with serving(says({"output": "tea"})) as server:
            await ask(server.url + path)
        assert [seen.path for seen in server.seen] == [asked]

    story(told)


def test_a_request_that_is_not_sent_shows_where_it_would_go() -> None:
    async def told() -> None:
        async with services() as shared:
            provider: Provider = container(spec("http://Host:8080"), shared)
            request = await provider.request(Call("Hi"))
            assert request is not None
            assert provider.address(request) == "http://host:8080/invocations"

    story(told)


def test_a_transform_makes_the_request() -> None:
    async def told() -> None:
        async with serving(says({"output": "tea"})) as server:
            response = await ask(server.url, transform=UserCode("({inputs: prompt, top: context.config.maxTokens})"))
        assert json.loads(server.seen[0].body) == {"inputs": "Hi"}
        assert response.metadata["originalPrompt"] == "Hi"

    story(told)


def test_an_embedding_container_gives_a_vector() -> None:
    async def told() -> None:
        async with serving(says({"embedding": [0.5, 1]})) as server:
            assert (await ask(server.url, embedding=True)).output == [0.5, 1.0]

    story(told)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (400, {"error": {"message": "no such parameter"}}, "the container answered 400: no such parameter"),
        (422, {"detail": [{"msg": "field required", "loc": ["body"]}]}, "answered 422: field required"),
        (400, b"plain words", "the container answered 400: plain words"),
        (413, b"", "the container answered 413: no further message"),
    ],
)
def test_what_the_container_refuses_is_an_error_of_the_case(status: int, body: Json, message: str) -> None:
    async def told() -> None:
        async with serving(says(body, status)) as server:
            with pytest.raises(EndpointFault) as caught:
                await ask(server.url)
        assert message in caught.value.message
        assert (caught.value.code, caught.value.original_status, len(server.seen)) == (str(status), status, 1)

    story(told)


@pytest.mark.parametrize("status", [404, 405, 401])
def test_where_something_else_listens_the_run_stops_after_one_request(status: int) -> None:
    async def told() -> None:
        async with serving(says({"detail": "Not Found"}, status)) as server, services() as shared:
            provider = container(spec(server.url), shared)
            calls = [provider.answer(Call(prompt)) for prompt in ("a", "b", "c")]
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(result, SetupError) for result in results)
        assert f"the container answered {status}: Not Found ({server.url}/invocations)" in str(results[0])
        assert len(server.seen) == 1

    story(told)


def test_later_a_404_is_an_error_of_its_case() -> None:
    async def told() -> None:
        async with serving(says({"output": "tea"}), says({}, 404)) as server, services() as shared:
            provider = container(spec(server.url), shared)
            await provider.answer(Call("a"))
            with pytest.raises(EndpointFault, match="the container answered 404"):
                await provider.answer(Call("b"))

    story(told)


def test_a_container_that_is_busy_is_asked_again() -> None:
    async def told() -> None:
        async with serving(says({}, 503), says({}, 500), says({"output": "tea"})) as server:
            response = await ask(server.url)
        assert (response.output, response.attempts) == ("tea", 3)

    story(told)


def test_retries_come_to_an_end() -> None:
    async def told() -> None:
        async with serving(says({"message": "loading"}, 503)) as server:
            with pytest.raises(EndpointFault, match=r"the container answered 503: loading \(tried 3 times\)") as caught:
                await ask(server.url, max_retries=2)
        assert caught.value.attempts == 3
        assert "docker logs" in str(caught.value.hint)

    story(told)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_where_nobody_listens_the_run_stops_at_once(host: str) -> None:
    async def told() -> None:
        port = unused_port()
        async with services() as shared:
            provider = container(spec(f"http://{host}:{port}"), shared)
            with pytest.raises(SetupError, match=rf"^nothing listens at http://{host}:{port}/invocations$") as caught:
                await provider.answer(Call("Hi"))
        assert f"docker run -p {port}:8080 <image> serve" in str(caught.value.hint)

    story(told)


def test_a_container_that_goes_away_is_waited_for_and_then_an_error_of_the_case() -> None:
    async def told() -> None:
        async with services() as shared:
            async with serving(says({"output": "tea"})) as server:
                provider = container(spec(server.url, max_retries=2), shared)
                await provider.answer(Call("Hi"))
            with pytest.raises(EndpointFault, match=r"^cannot connect to .* \(tried 3 times\)$") as caught:
                await provider.answer(Call("again"))
        assert caught.value.code == "ConnectionError"

    story(told)


async def never(request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


def test_a_slow_answer_ends_with_its_time() -> None:
    async def told() -> None:
        async with serving(never) as server:
            with pytest.raises(EndpointFault, match=r"no answer from .* within 50 ms \(ReadTimeout\)") as caught:
                await ask(server.url, timeout_ms=50, max_retries=0)
        assert "`timeoutMs`" in str(caught.value.hint)

    story(told)


async def hung_up(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"out')
    assert request.transport is not None
    request.transport.close()
    return response


def test_an_answer_that_breaks_off_is_a_fault_of_the_way() -> None:
    async def told() -> None:
        async with serving(hung_up, says({"output": "tea"})) as server:
            assert (await ask(server.url)).attempts == 2

    story(told)


def test_what_does_not_speak_http_stops_the_run() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ready\r\n")
        writer.close()

    async def told() -> None:
        async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(SetupError, match="did not answer in HTTP"):
                await ask(f"http://127.0.0.1:{port}", max_retries=0)

    story(told)


def test_a_redirect_stops_the_run() -> None:
    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async def told() -> None:
        async with serving(moved) as server:
            with pytest.raises(SetupError, match=r"redirects to another place \(307\)"):
                await ask(server.url)
        assert len(server.seen) == 1

    story(told)


def test_an_error_in_a_body_with_status_200_is_a_fault() -> None:
    async def told() -> None:
        async with serving(says({"error": "CUDA error", "error_type": "validation"})) as server:
            with pytest.raises(CaseError, match="CUDA error"):
                await ask(server.url, model_type="huggingface")

    story(told)


def test_a_malformed_answer_is_text_and_no_match_for_a_path() -> None:
    async def told() -> None:
        async with serving(says(b'{"output": ')) as server:
            assert (await ask(server.url)).output == '{"output": '
            with pytest.raises(ExtractionError, match="needs a JSON answer"):
                await ask(server.url, response_path="$.output")

    story(told)


def test_answers_are_cached_by_url(tmp_path: Path) -> None:
    async def told() -> None:
        with CacheStore(tmp_path, lambda notice: None) as store:
            async with (
                serving(says({"output": "one"})) as one,
                serving(says({"output": "two"})) as two,
                services(store=store) as shared,
            ):
                asked = [spec(one.url), spec(two.url), spec(one.url + "/invocations")]
                answers = [await container(which, shared).answer(Call("Hi")) for which in asked]
        assert [(answer.output, answer.cached) for answer in answers] == [("one", False), ("two", False), ("one", True)]

    story(told)


def masked(body: bytes) -> bytes:
    return body.replace(b"HIDDEN", b"***")


def test_secrets_are_taken_out_of_what_the_container_says() -> None:
    async def told() -> None:
        async with serving(says({"output": "key HIDDEN"})) as server, services(scrub=masked) as shared:
            assert (await container(spec(server.url), shared).answer(Call("Hi"))).output == "key ***"

    story(told)


def test_calls_start_at_the_pace_of_the_provider() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def told() -> None:
        async with serving(says({"output": "tea"})) as server, services() as shared:
            shared.sleep = sleep
            provider = container(spec(server.url, delay_ms=60_000), shared)
            for prompt in ("a", "b"):
                await provider.answer(Call(prompt))

    story(told)
    assert len(waits) == 1 and waits[0] > 50
