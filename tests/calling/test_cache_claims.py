from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.calling.cache import Cached
from sagemaker_eval.calling.cache_claims import LONGEST_WAIT, Claims
from sagemaker_eval.calling.cache_store import CLAIMS_NAME, CacheStore
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Request, Timings

pytest.importorskip("fcntl")

Run = Callable[[Coroutine[Any, Any, None]], None]
REQUEST = Request("llama", b"hello")

_OTHER = """
import sys
from pathlib import Path
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.model import Answer

store = CacheStore(Path(sys.argv[1]), print)
for line in sys.stdin:
    word, _, key = line.strip().partition(" ")
    if word == "take":
        print(store.claims.take(key), flush=True)
    elif word == "release":
        store.claims.release(key)
        print("released", flush=True)
    elif word == "put":
        store.put(key, Answer(b"of the other"))
        store.close()
        print("stored", flush=True)
"""


class Other:
    """Another process with the same cache, which does what it is told."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OTHER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Other]:
    other = Other(tmp_path)
    yield other
    other.kill()


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[Claims]:
    claims = Claims(tmp_path / CLAIMS_NAME)
    yield claims
    claims.close()


class Endpoint:
    """Answers, or raises; and does something first."""

    def __init__(self, error: Exception | None = None, first: Callable[[], object] = lambda: None) -> None:
        self.calls = 0
        self._error = error
        self._first = first

    async def __call__(self, request: Request) -> Answer:
        self.calls += 1
        self._first()
        if self._error is not None:
            raise self._error
        return Answer(b"fresh", timings=Timings(wire=1))


def key_of(request: Request) -> str:
    return "key"


def test_a_claim_excludes_other_processes_and_no_other_key(claims: Claims, other: Other) -> None:
    assert claims.take("key")

    assert [other.do("take key"), other.do("take another")] == ["False", "True"]


def test_a_claim_that_is_released_is_free(claims: Claims, other: Other) -> None:
    claims.take("key")
    claims.take("another")
    claims.release("key")

    assert [other.do("take key"), other.do("take another")] == ["True", "False"]


def test_the_claims_of_a_process_that_is_killed_are_free(claims: Claims, other: Other) -> None:
    other.do("take key")
    assert not claims.take("key")
    other.kill()

    assert claims.take("key")


def test_what_another_process_asked_for_is_its_answer(run: Run, tmp_path: Path, other: Other) -> None:
    other.do("take key")

    async def scene() -> None:
        endpoint = Endpoint()
        with CacheStore(tmp_path, pytest.fail) as store:
            waiting = asyncio.create_task(Cached(endpoint, store, key_of)(REQUEST))
            await asyncio.sleep(1)
            assert store.claims.are_waited_for("llama")
            assert not store.claims.are_waited_for("mistral")
            other.do("put key")
            answer = await waiting
            assert not store.claims.are_waited_for("llama")
        assert (answer.body, answer.cached, answer.attempts) == (b"of the other", True, 0)
        assert endpoint.calls == 0

    run(scene())


def test_where_another_process_came_to_nothing_this_one_asks(run: Run, tmp_path: Path, other: Other) -> None:
    other.do("take key")

    async def scene() -> None:
        endpoint = Endpoint()
        with CacheStore(tmp_path, pytest.fail) as store:
            waiting = asyncio.create_task(Cached(endpoint, store, key_of)(REQUEST))
            await asyncio.sleep(1)
            other.do("release key")
            assert not (await waiting).cached
        assert endpoint.calls == 1

    run(scene())


def test_a_process_that_hangs_is_not_waited_for_for_ever(run: Run, tmp_path: Path, other: Other) -> None:
    other.do("take key")

    async def scene() -> None:
        endpoint, loop = Endpoint(), asyncio.get_running_loop()
        began = loop.time()
        with CacheStore(tmp_path, pytest.fail) as store:
            assert (await Cached(endpoint, store, key_of)(REQUEST)).body == b"fresh"
            assert endpoint.calls == 1
            assert LONGEST_WAIT <= loop.time() - began < LONGEST_WAIT + 1

    run(scene())


def test_who_refreshes_waits_for_nobody(run: Run, tmp_path: Path, other: Other) -> None:
    other.do("take key")

    async def scene() -> None:
        with CacheStore(tmp_path, pytest.fail) as store:
            assert (await Cached(Endpoint(), store, key_of, refresh=True)(REQUEST)).body == b"fresh"

    run(scene())


def test_a_claim_lasts_until_the_answer_is_stored(run: Run, tmp_path: Path, other: Other) -> None:
    async def scene() -> None:
        asked: list[str] = []
        endpoint = Endpoint(first=lambda: asked.append(other.do("take key")))
        with CacheStore(tmp_path, pytest.fail) as store:
            await Cached(endpoint, store, key_of)(REQUEST)
        assert asked == ["False"]
        assert other.do("take key") == "True"

    run(scene())


@pytest.mark.parametrize(
    "error", [EndpointFault("no", code="ModelError"), asyncio.CancelledError()], ids=["an error", "cancelled"]
)
def test_a_claim_ends_with_a_call_that_comes_to_nothing(
    run: Run, tmp_path: Path, other: Other, error: Exception
) -> None:
    async def scene() -> None:
        with CacheStore(tmp_path, pytest.fail) as store:
            with pytest.raises(type(error)):
                await Cached(Endpoint(error), store, key_of)(REQUEST)
            assert other.do("take key") == "True"

    run(scene())


def test_a_claim_ends_where_the_answer_cannot_be_stored(run: Run, tmp_path: Path, other: Other) -> None:
    notices: list[str] = []

    async def scene() -> None:
        store = CacheStore(tmp_path, notices.append)
        assert store.connection is not None
        store.connection.close()
        await Cached(Endpoint(), store, key_of)(REQUEST)
        assert other.do("take key") == "True"
        store.close()

    run(scene())
    assert len(notices) == 1


def test_without_a_file_every_claim_is_granted(tmp_path: Path) -> None:
    claims = Claims(tmp_path / "missing" / CLAIMS_NAME)

    assert claims.take("key")
    claims.release("key")
    claims.close()
