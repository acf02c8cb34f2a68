"""Answers that no container should give: each is one row, none ends the run, and every document can be written."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.soak.conftest import Ended, Workshop

pytestmark = pytest.mark.soak

BIG = 5 * 1024 * 1024
CLOSE = "Connection: close"
OK_CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
GZIP = "Content-Encoding: gzip"
Answers = list[bytes]


def http(body: bytes, status: str = "200 OK", content_type: str = "application/json", *more: str) -> bytes:
    """A whole response as it stands on the wire."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        CLOSE,
        *more,
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1") + body


def failure(document: Json, status: str = "400 Bad Request", code: str = "") -> bytes:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return http(body, status, "application/json", *([f"x-amzn-ErrorType: {code}"] if code else []))


class RawServer:
    """Sends the n-th of its answers, byte for byte, to requests that ask for `case n`, then closes the connection."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: Any = None

    def __enter__(self) -> RawServer:
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(length)
            writer.write(self._answers[int(body.partition(b"case ")[2].split()[0])])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


ODD: dict[str, tuple[bytes, str]] = {
    "text": (http(b"just words", "200 OK", "text/plain"), "passed"),
    "not UTF-8": (http(b'{"generated_text":"caf\xe9"}'), "passed"),
    "binary": (http(bytes(range(256)), "200 OK", "application/octet-stream"), "passed"),
    "null bytes": (http(b"\0" * 1000), "passed"),
    "UTF-16": (http('{"generated_text":"wide"}'.encode("utf-16")), "passed"),
    "byte order mark": (http(b"\xef\xbb\xbf" + b'{"generated_text":"marked"}'), "passed"),
    "half a surrogate": (http(b'{"generated_text":"\\ud83d!"}'), "passed"),
    "surrogate as bytes": (http(b'{"generated_text":"\xed\xa0\xbd"}'), "passed"),
    "half a surrogate as key": (http(b'{"generated_text":{"\\ud83d":1}}'), "passed"),
    "control characters": (http(json.dumps({"generated_text": "".join(map(chr, range(32)))}).encode()), "passed"),
    "escape codes": (http(b'{"generated_text":"\\u001b[2J\\u001b]0;title\\u0007 [red]x[/red] [/]"}'), "passed"),
    "NaN": (http(b'{"generated_text":NaN}'), "passed"),
    "infinities": (http(b'{"generated_text":[Infinity,-Infinity,1e999]}'), "passed"),
    "a number of 4,000 digits": (http(b'{"generated_text":' + b"7" * 4000 + b"}"), "passed"),
    "a number of 5,000 digits": (http(b'{"generated_text":' + b"7" * 5000 + b"}"), "passed"),
    "huge token counts": (
        http(b'{"generated_text":"x","usage":{"prompt_tokens":' + b"9" * 400 + b',"completion_tokens":1e300}}'),
        "passed",
    ),
    "nested for ever": (http(b"[" * 100_000 + b"]" * 100_000), "passed"),
    "duplicate keys": (http(b'{"generated_text":"a","generated_text":"b"}'), "passed"),
    "empty object": (http(b"{}"), "errored"),
    "empty list": (http(b"[]"), "errored"),
    "empty string": (http(b'""'), "passed"),
    "blank": (http(b" \r\n\t"), "passed"),
    "compressed without being asked": (http(gzip.compress(b"{}"), "200 OK", "application/json", GZIP), "passed"),
    "no content type": (OK_CLOSE + b"Content-Length: 2\r\n\r\nhi", "passed"),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\nuntil it closes", "passed"),
    "chunks": (OK_CLOSE + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "passed"),
    "204": (b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "errored"),
    "empty": (http(b""), "errored"),
    "broken chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", "errored"),
    "cut short": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", "errored"),
    "nothing": (b"", "errored"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n", "errored"),
    "HTTP/0.9": (b'{"generated_text":"x"}', "errored"),
    "huge header": (http(b"{}", "200 OK", "application/json", "X-Long: " + "x" * 100_000), "errored"),
    "many headers": (http(b"{}", "200 OK", "application/json", *(f"X-{n}: {n}" for n in range(5000))), "errored"),
    "newline in a header": (http(b"{}", "200 OK", "application/json", "X-Bad: a\0b"), "errored"),
    "HTML 503": (http(b"<html>Down</html>", "503 Service Unavailable", "text/html"), "errored"),
    "status 999": (http(b"?", "999 Odd"), "errored"),
    "status 599": (http(b"?", "599 Odd"), "errored"),
    "error: empty": (failure(b""), "errored"),
    "error: not UTF-8": (failure(b'{"message":"caf\xe9"}'), "errored"),
    "error: null": (failure(None), "errored"),
    "error: list": (failure([1, 2]), "errored"),
    "error: text": (failure("no"), "errored"),
    "error: number": (failure(5), "errored"),
    "error: nested for ever": (failure(b"[" * 100_000), "errored"),
    "error: message is an object": (failure({"Message": {"a": 1}}), "errored"),
    "error: message is a number": (failure({"message": 5}), "errored"),
    "error: type is a number": (failure({"__type": 5}), "errored"),
    "error: type is a list": (failure({"__type": ["a"]}), "errored"),
    "error: code is an object": (failure({"code": {"a": 1}}), "errored"),
    "error: 5 MB": (failure({"message": "x" * BIG}, code="ValidationError"), "errored"),
    "error: control characters": (failure({"message": "\x1b[2J\0\r\n"}, code="ValidationError"), "errored"),
    "error: half a surrogate": (failure({"message": "\ud83d"}, code="ValidationError"), "errored"),
    "error: odd header": (failure({}, code="\xe9\xff:::;;http://x"), "errored"),
    "model error: null": (failure(None, "424 Failed", "ModelError"), "errored"),
    "model error: odd members": (
        failure(
            {"Message": ["a"], "OriginalMessage": {"b": 1}, "OriginalStatusCode": "many", "LogStreamArn": 5},
            "424 Failed",
            "ModelError",
        ),
        "errored",
    ),
    "model error: odd status": (failure({"OriginalStatusCode": 10**30}, "424 Failed", "ModelError"), "errored"),
}  # fmt: skip


def ask(
    workshop: Workshop,
    answers: Answers,
    provider: str,
    config: Json = None,
    endings: Sequence[str] = ("yaml", "csv", "jsonl"),
) -> Ended:
    """A case for each of the answers, after one that opens the gate; documents of all `endings` are written."""
    first = http(b'{"generated_text":"fine"}')
    with RawServer([first, *answers]) as server:
        settings = {"endpointUrl": server.url, "maxRetries": 1, "timeoutMs": 20_000, **(config or {})}
        document = {
            "prompts": ["case {{n}} "],
            "providers": [{"id": f"{provider}:model", "config": settings}],
            "tests": [{"vars": {"n": number}} for number in range(len(answers) + 1)],
        }
        environ = {
            **workshop.environ(),
            "AWS_ACCESS_KEY_ID": Sandbox.access_key_id,
            "AWS_SECRET_ACCESS_KEY": Sandbox.secret_access_key,
            "AWS_REGION": "us-east-1",
        }
        others = [str(workshop.folder / f"other.{ending}") for ending in endings]
        return workshop.run(workshop.write(document), environ, outputs=others, max_concurrency=16, table=True)


@pytest.mark.parametrize("provider", ["sagemaker", "sagemaker:huggingface", "sagemaker:openai"])
def test_every_odd_answer_is_one_row(workshop: Workshop, provider: str) -> None:
    ended = ask(workshop, [wire for wire, _ in ODD.values()], provider)

    assert len(ended.rows) == len(ended.journal) == len(ODD) + 1
    found = dict(zip(ODD, (row["outcome"] for row in ended.rows[1:]), strict=True))
    assert found == {**{name: outcome for name, (_, outcome) in ODD.items()}, **tolerated(provider)}
    assert all(row["error"] for row in ended.rows if row["outcome"] == "errored")


def tolerated(provider: str) -> dict[str, str]:
    """A custom model may answer with any JSON."""
    return {"empty object": "passed", "empty list": "passed"} if provider == "sagemaker" else {}


def nested(depth: int) -> bytes:
    return http(b'{"generated_text":' + b"[" * depth + b"]" * depth + b"}")


@pytest.mark.parametrize("provider", ["sagemaker", "sagemaker:huggingface"])
def test_no_depth_of_nesting_is_too_deep(workshop: Workshop, scaled: Callable[..., int], provider: str) -> None:
    """Somewhere between these depths each step of the way, from decoding to writing, runs out of stack."""
    depths = range(1, 1500, max(1, 15 // scaled(15)))

    ended = ask(workshop, [nested(depth) for depth in depths], provider, endings=("csv", "jsonl"))

    assert len(ended.rows) == len(ended.journal) == len(depths) + 1
    assert {row["outcome"] for row in ended.rows} == {"passed"}


def test_what_is_nested_deeply_can_be_written_as_yaml(workshop: Workshop) -> None:
    ended = ask(workshop, [nested(400)], "sagemaker:huggingface", endings=("yaml", "csv"))

    assert [row["outcome"] for row in ended.rows] == ["passed", "passed"]


def test_big_answers_are_kept_whole(workshop: Workshop, scaled: Callable[..., int], rng: Random) -> None:
    texts = [rng.choice('aé☕😀"\\') * (BIG // 8) + str(number) for number in range(scaled(30, 4))]
    answers = [http(compact_json({"generated_text": text}).encode()) for text in texts]

    ended = ask(workshop, answers, "sagemaker:huggingface")
    again = json.loads((workshop.folder / "other.jsonl").read_bytes().splitlines()[-1])

    assert ended.outputs[1:] == texts
    assert again["response"]["output"] == texts[-1]


MEMBERS = (
    *("generated_text", "generation", "choices", "message", "content", "text", "output", "outputs", "usage", "details"),
    *("finish_reason", "role", "tool_calls", "error", "code", "type", "prompt_tokens", "completion_tokens", "score"),
    *("embedding", "data", "body", "meta", "billed_units", "input_tokens", "predictions", "stop_reason", "prefill"),
)
SCALARS: tuple[Json, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    424,
    10**20,
    1e308,
    "",
    "text",
    "\ud800",
    "a\nb",
    [],
    {},
    "424",
    "error",
)


def any_document(rng: Random, depth: int = 0) -> Json:
    """A JSON value made of the words that containers use, put together by somebody who does not know what they mean."""
    kind = rng.random() if depth < 5 else 1.0
    if kind < 0.45:
        return {rng.choice(MEMBERS): any_document(rng, depth + 1) for _ in range(rng.randrange(1, 4))}
    if kind < 0.65:
        return [any_document(rng, depth + 1) for _ in range(rng.randrange(3))]
    return rng.choice(SCALARS)


PROVIDERS = ("", ":openai", ":anthropic", ":llama", ":huggingface", ":jumpstart", ":custom", ":embedding")


@pytest.mark.parametrize("path", [None, "$..text", "$[*]"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_json_is_an_answer_or_an_error(
    workshop: Workshop, scaled: Callable[..., int], rng: Random, provider: str, path: str | None
) -> None:
    config = {"responseFormat": {"path": path}} if path else None
    statuses = ("200 OK", "200 OK", "200 OK", "424 Failed Dependency", "400 Bad Request", "500 Internal Server Error")
    answers = [
        http(json.dumps(any_document(rng)).encode(), rng.choice(statuses), "application/json")
        for _ in range(scaled(500, 40))
    ]

    ended = ask(workshop, answers, f"sagemaker{provider}", config)

    assert len(ended.rows) == len(ended.journal) == len(answers) + 1
    assert {row["outcome"] for row in ended.rows} <= {"passed", "errored"}
