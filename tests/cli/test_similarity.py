"""Similarity from end to end: an embedding endpoint that judges, and a real vectoriser behind a container's URL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

Serve = Callable[..., Sandbox]

ENDPOINT = "my-embedding-endpoint"

SIMILARITY = """
prompts: ['Describe {{topic}} in one sentence']
providers: ['sagemaker:huggingface:my-endpoint']
defaultTest:
  options:
    provider:
      embedding:
        id: sagemaker:embedding:my-embedding-endpoint
        config:
          region: us-east-1
tests:
  - vars: {topic: tea}
    assert:
      - {type: similar, value: 'Tea is described in one sentence', threshold: 0.0}
      - {type: not-similar, value: 'Quarterly tax statements', threshold: 0.99}
  - vars: {topic: coffee}
    assert:
      - {type: similar, value: ['Tea is described in one sentence', 'Quarterly tax statements'], threshold: 0.0}
      - {type: 'similar:euclidean', value: 'Quarterly tax statements', threshold: 2}
"""


def test_an_embedding_endpoint_judges_and_the_cache_answers_the_second_time(cli: Cli, serve: Serve) -> None:
    sandbox = serve()
    cli.write("run.yaml", SIMILARITY)

    first = cli.eval("-c", "run.yaml", "-o", "out.json")
    sent = sandbox.count()
    rows = cli.rows()
    again = cli.eval("-c", "run.yaml", "-o", "again.json")

    assert (first.code, again.code) == (0, 0), first.err
    assert sandbox.count(ENDPOINT) == 4  # two outputs and two references, each once
    assert sandbox.count() == sent
    scores = [part["score"] for row in rows for part in row["gradingResult"]["componentResults"]]
    assert scores == [
        part["score"] for row in cli.rows("again.json") for part in row["gradingResult"]["componentResults"]
    ]


def test_the_tokens_of_the_grader_are_told_apart_from_those_of_the_model(cli: Cli, serve: Serve) -> None:
    serve()
    cli.write("run.yaml", SIMILARITY)

    ran = cli.eval("-c", "run.yaml", "-o", "out.json")

    rows, results = cli.rows(), cli.document()["results"]
    of_rows = [row["tokenUsage"]["assertions"] for row in rows]
    column, stats = results["prompts"][0]["metrics"], results["stats"]
    total = sum(usage["total"] for usage in of_rows)
    assert total > 0
    assert sum(usage["numRequests"] for usage in of_rows) == 4
    assert column["tokenUsage"]["assertions"] == stats["tokenUsage"]["assertions"]
    assert stats["tokenUsage"]["assertions"]["total"] == total
    assert stats["tokenUsage"]["numRequests"] == 2
    assert rows[0]["gradingResult"]["tokensUsed"] == of_rows[0]
    assert f"grading: {total} tokens, " in ran.out and ", 4 requests" in ran.out


def test_batches_are_in_the_cache_text_by_text(cli: Cli, serve: Serve) -> None:
    sandbox = serve()
    batched = SIMILARITY.replace("region: us-east-1", "modelType: openai")
    cli.write("run.yaml", batched)
    cli.eval("-c", "run.yaml", "-j", "1")
    sent = sandbox.count(ENDPOINT)
    one, other = "'Tea is described in one sentence'", "'Quarterly tax statements'"
    cli.write("run.yaml", batched.replace(f"value: {one}", f"value: [{other}, {one}]"))

    ran = cli.eval("-c", "run.yaml", "-j", "1")

    assert ran.code == 0, ran.err
    assert sent == 2  # one for each case, whatever it needs
    assert sandbox.count(ENDPOINT) == sent


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        ("{text: 'sagemaker:openai:judge'}", "`similar` needs an embedding provider, and none is named"),
        ("'sagemaker:openai:judge'", "and `sagemaker:openai:judge` writes text and gives no embeddings"),
        ("{embedding: echo}", "and `echo` writes text and gives no embeddings"),
    ],
)
def test_without_an_embedder_the_run_does_not_start(cli: Cli, serve: Serve, provider: str, message: str) -> None:
    sandbox = serve()
    cli.write(
        "run.yaml",
        f"prompts: [Hi]\nproviders: ['sagemaker:my-endpoint']\ndefaultTest: {{options: {{provider: {provider}}}}}\n"
        "tests: [{assert: [{type: similar, value: tea}]}]\n",
    )
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (2, 0)
    assert message in " ".join(ran.err.split())
    assert "sagemaker:embedding:my-embedding-endpoint" in ran.err


def test_an_embedder_that_fails_makes_the_case_an_error_and_keeps_the_rest(cli: Cli, serve: Serve) -> None:
    serve("endpoints: {my-embedding-endpoint: {faults: {modelError: {share: 1, status: 400, message: odd}}}}")
    cli.write(
        "run.yaml",
        "prompts: [Hi]\nproviders: [echo]\ntests: [{assert: [{type: not-similar, value: tea, provider: "
        "'sagemaker:embedding:my-embedding-endpoint'}, {type: equals, value: Hi}]}]\n",
    )
    ran = cli.eval("-c", "run.yaml", "-o", "out.json")
    (row,) = cli.rows()
    assert ran.code == 3
    assert row["error"].startswith("the grader `sagemaker:embedding:my-embedding-endpoint` failed: ")
    assert (row["errorKind"], row["response"]["output"]) == ("grader", "Hi")
    assert [part["pass"] for part in row["gradingResult"]["componentResults"]] == [False, True]


CORPUS = {
    "tea": (
        "Green tea is steeped in hot water below boiling",
        "Black tea leaves are steeped in boiling water for some minutes",
        "A pot of hot tea is poured into cups",
        "The leaves of the tea plant are dried before they are steeped",
    ),
    "tax": (
        "The tax return of a company is due at the end of the year",
        "Income tax is paid by each company every year",
        "An auditor checks the tax return and the books of the company",
        "The company keeps its books for the auditor",
    ),
    "sea": (
        "The ship sailed over the sea in a strong wind",
        "Wind and waves shook the ship at sea",
        "Sailors watch the waves and the wind from the deck of a ship",
        "A strong wind drives high waves over the sea",
    ),
}


@contextmanager
def vectoriser(texts: list[str]) -> Iterator[str]:
    """Latent semantic analysis, fitted to `texts`, behind `/invocations` of the URL that this gives."""
    model = make_pipeline(TfidfVectorizer(stop_words="english"), TruncatedSVD(3, random_state=0)).fit(texts)

    async def invocations(request: web.Request) -> web.Response:
        written: Json = (await request.json())["inputs"]
        rows = model.transform([written] if isinstance(written, str) else written)
        return web.Response(text=json.dumps(rows.tolist()), content_type="application/json")

    with serving(invocations) as url:
        yield url


@contextmanager
def serving(handler: Callable[[web.Request], Any]) -> Iterator[str]:
    """A server of its own thread that answers `POST /invocations`."""
    loop = asyncio.new_event_loop()
    app = web.Application()
    app.router.add_post("/invocations", handler)
    runner = web.AppRunner(app)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        return port

    port = loop.run_until_complete(start())
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_real_vectoriser_finds_what_shares_its_subject(cli: Cli) -> None:
    pairs = [
        (one, other, subject == other_subject)
        for subject, (one, *_) in CORPUS.items()
        for other_subject, sentences in CORPUS.items()
        for other in sentences[1:]
    ]
    tests = [
        {"vars": {"text": one}, "assert": [{"type": "similar", "value": other, "threshold": 0}]}
        for one, other, _ in pairs
    ]
    with vectoriser([text for sentences in CORPUS.values() for text in sentences]) as url:
        grader = {"embedding": {"id": f"container:embedding:{url}", "config": {"modelType": "huggingface"}}}
        document = {
            "prompts": ["{{text}}"],
            "providers": ["echo"],
            "defaultTest": {"options": {"provider": grader}},
            "tests": tests,
        }
        cli.write("run.yaml", json.dumps(document))
        ran = cli.eval("-c", "run.yaml", "-o", "out.json")

    scores = [row["gradingResult"]["componentResults"][0]["score"] for row in cli.rows()]
    assert ran.code in (0, 1), ran.err
    shared = [score for score, (_, _, same) in zip(scores, pairs, strict=True) if same]
    unrelated = [score for score, (_, _, same) in zip(scores, pairs, strict=True) if not same]
    assert len(shared) == 9 and len(unrelated) == 18
    assert min(shared) > max(unrelated)
