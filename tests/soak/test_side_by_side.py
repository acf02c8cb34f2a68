"""What goes on at the same time does not show in the results: other processes, other cases, other endpoints."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.request_log import LoggedRequest

if TYPE_CHECKING:
    from tests.soak.conftest import Child, Workshop

pytestmark = pytest.mark.soak

PROCESSES = 4
SHARERS = 8
IN_FLIGHT = 16
MOST_UNWRITTEN = 200
"""Calls of a killed process whose answers may be lost: those in flight, and two batches on their way to the disk."""


def suite(cases: int) -> Json:
    """Two providers, two prompts, and cases of which some ask for the same."""
    return {
        "prompts": ["Describe {{n}}", "Is {{n}} better than {{other}}?"],
        "providers": ["sagemaker:huggingface:one", "sagemaker:openai:two"],
        "defaultTest": {"assert": [{"type": "not-contains", "value": "3"}]},
        "tests": [{"vars": {"n": number, "other": number // 2}} for number in range(cases)]
        + [{"vars": {"n": number, "other": number // 2}} for number in range(0, cases, 3)],
    }


def test_processes_that_share_a_cache_do_not_disturb_each_other(
    workshop: Workshop, scaled: Callable[..., int], rng: Random
) -> None:
    config = str(workshop.write(suite(scaled(500))))
    sandbox = workshop.serve({"*": {"latency": 2, "jitter": 2, "seed": rng.randrange(1000)}})
    environ = workshop.environ(sandbox)

    with ExitStack() as stack:
        children = [
            stack.enter_context(
                workshop.child(
                    environ, "eval", "-c", config, "-j", "16", "--no-table", "-o", f"{n}.json", name=f"process-{n}"
                )
            )
            for n in range(PROCESSES)
        ]
        codes = {child.wait() for child in children}

    said = "".join(child.err for child in children)
    assert "locked" not in said
    assert "cache" not in said
    documents = [json.loads((workshop.folder / f"{n}.json").read_bytes()) for n in range(PROCESSES)]
    assert codes <= {0, 1}
    assert documents[0]["results"]["stats"]["errors"] == 0
    first, *others = (workshop.essence(document, cache=False) for document in documents)
    assert all(other == first for other in others)


def test_what_one_process_has_asked_no_other_asks_again(workshop: Workshop, scaled: Callable[..., int]) -> None:
    """Half of the processes go through the cases from behind: each meets what others ask, and asked long before."""
    cases = scaled(1000)
    sandbox = workshop.serve({"*": {"latency": 2}})
    environ = workshop.environ(sandbox)
    numbers = list(range(cases))
    configs = [
        str(workshop.write(one_call_each(order), f"{name}.yaml"))
        for name, order in (("forward", numbers), ("backward", numbers[::-1]))
    ]

    with ExitStack() as stack:
        children = [
            stack.enter_context(
                workshop.child(
                    environ,
                    "eval",
                    "-c",
                    configs[n % 2],
                    "-j",
                    str(IN_FLIGHT),
                    "--no-table",
                    "-o",
                    f"{n}.json",
                    name=f"sharer-{n}",
                )
            )
            for n in range(SHARERS)
        ]
        assert {child.wait() for child in children} == {0}

    assert "cache" not in "".join(child.err for child in children)
    rows = [row for n in range(SHARERS) for row in rows_of_document(workshop.folder / f"{n}.json")]
    assert len(rows) == SHARERS * cases
    assert sum(row["attempts"] for row in rows) == sandbox.count() == cases
    with CacheStore(workshop.folder / "cache", pytest.fail) as store:
        assert store.connection is not None
        assert store.connection.execute("SELECT count(*) FROM answers").fetchone() == (cases,)
    sent = sandbox.count()
    assert all(row["response"]["cached"] for row in workshop.run(Path(configs[0]), environ).rows)
    assert sandbox.count() == sent


def test_a_process_that_is_killed_holds_up_no_other(workshop: Workshop, scaled: Callable[..., int]) -> None:
    cases = scaled(1000)
    children: list[Child] = []

    def kill_one(request: LoggedRequest) -> None:
        if sandbox.count() == cases // 3:
            children[0].process.kill()

    sandbox = workshop.serve({"*": {"latency": 2}}, on_request=kill_one)
    environ = workshop.environ(sandbox)
    config = str(workshop.write(one_call_each(range(cases))))

    with ExitStack() as stack:
        for n in range(PROCESSES):
            arguments = ("eval", "-c", config, "-j", str(IN_FLIGHT), "--no-table")
            children.append(stack.enter_context(workshop.child(environ, *arguments, name=f"survivor-{n}")))
        codes = [child.wait() for child in children]

    assert codes == [-signal.SIGKILL, *[0] * (PROCESSES - 1)]
    assert cases <= sandbox.count() <= cases + MOST_UNWRITTEN


def one_call_each(numbers: Iterable[int]) -> Json:
    """A test for each number, no two of which ask for the same."""
    return {
        "prompts": ["Describe {{n}}"],
        "providers": ["sagemaker:huggingface:one"],
        "tests": [{"vars": {"n": number}} for number in numbers],
    }


def rows_of_document(path: Path) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = json.loads(path.read_bytes())["results"]["results"]
    return rows


def test_one_process_after_another_finds_all_answers(workshop: Workshop, scaled: Callable[..., int]) -> None:
    config = workshop.write(suite(scaled(300)))
    sandbox = workshop.serve()
    environ = workshop.environ(sandbox)
    with workshop.child(environ, "eval", "-c", str(config), "-j", "16", "--no-table") as child:
        assert child.wait() in {0, 1}
    sent = sandbox.count()

    ended = workshop.run(config, environ)

    assert sandbox.count() == sent
    assert all(row["response"]["cached"] for row in ended.rows)


@pytest.mark.parametrize("cached", [False, True], ids=["without cache", "with cache"])
def test_the_order_of_completion_shows_nowhere(
    workshop: Workshop, scaled: Callable[..., int], rng: Random, cached: bool
) -> None:
    config = workshop.write(suite(scaled(150)))
    found = []
    for in_flight in (1, *rng.sample(range(2, 64), scaled(10, 2)), 64):
        sandbox = workshop.serve({"*": {"latency": 1, "jitter": 1 + in_flight / 2, "seed": rng.randrange(1000)}})
        environ = workshop.environ(sandbox, SAGEVAL_CACHE_PATH=str(workshop.folder / f"cache-{in_flight}"))
        ended = workshop.run(config, environ, max_concurrency=in_flight, cache=cached)
        found.append(ended)
        assert [row["testIdx"] for row in ended.rows] == sorted(row["testIdx"] for row in ended.rows)

    assert len({tuple((row["testIdx"], row["promptIdx"]) for row in ended.journal) for ended in found}) > 1
    for ended in found:
        assert ended.essence(cache=not cached) == found[0].essence(cache=not cached)


def test_a_slow_endpoint_holds_up_no_other(workshop: Workshop, scaled: Callable[..., int]) -> None:
    """The slow endpoint answers its second call when the fast one has no case left."""
    cases, in_flight = scaled(400), 4
    runs = workshop.folder / "runs-1"
    gave_up = time.monotonic() + 30

    async def until_the_fast_one_is_done(seconds: float) -> None:
        while finished(runs)[1] < cases and time.monotonic() < gave_up:  # noqa: ASYNC110 (a file tells of no events)
            await asyncio.sleep(0.01)

    sandbox = workshop.serve({"slow": {"latency": 1}}, sleep=until_the_fast_one_is_done)
    document = {
        "prompts": ["Describe {{n}}"],
        "providers": ["sagemaker:huggingface:slow", "sagemaker:huggingface:fast"],
        "tests": [{"vars": {"n": number}} for number in range(cases)],
    }

    ended = workshop.run(workshop.write(document), workshop.environ(sandbox), max_concurrency=in_flight, cache=False)

    order = [row["promptIdx"] for row in ended.journal]
    assert order == [1] * cases + [0] * cases


def finished(runs: Path) -> Counter[int]:
    """How many rows each column has in the journal of a run that goes on."""
    lines = [line for journal in runs.glob("*/journal.jsonl") for line in journal.read_bytes().split(b"\n")[:-1]]
    return Counter(json.loads(line)["promptIdx"] for line in lines)
