"""webhook: a service of the user's own judges the output."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Verdict

Judged = Callable[..., Verdict]


@contextmanager
def service(*answers: tuple[int, str]) -> Iterator[tuple[str, list[Any]]]:
    """(URL, questions) of a service that gives these answers in turn, the last one for ever."""
    questions: list[Any] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/judge", questions
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_the_service_sees_the_output_and_its_context(judged: Judged) -> None:
    with service((200, '{"pass": true, "score": 0.8, "reason": "kind"}')) as (url, questions):
        verdict = judged("Hello", "webhook", url, vars={"tone": "kind"})
    assert (verdict.passed, verdict.score, verdict.reason) == (True, 0.8, "kind")
    assert questions == [{"output": "Hello", "context": {"prompt": "What?", "vars": {"tone": "kind"}}}]


def test_not_turns_the_verdict_of_the_service_round(judged: Judged) -> None:
    with service((200, '{"pass": false}')) as (url, _):
        verdict = judged("Hello", "not-webhook", url)
    assert (verdict.passed, verdict.score) == (True, 1.0)


def test_a_fault_of_the_service_is_asked_again(judged: Judged) -> None:
    with service((503, "busy"), (200, '{"pass": true}')) as (url, questions):
        assert judged("Hello", "webhook", url).passed
    assert len(questions) == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, "no such check"), "answered HTTP 404: no such check"),
        ((200, "yes"), "answered `yes`"),
        ((200, '{"pass": "yes"}'), "has to answer|answered"),
        ((200, '{"pass": true, "score": "high"}'), "`score` that is no number"),
        ((200, f'{{"pass": true, "score": 1{"0" * 400}}}'), "`score` that is no number"),
        ((200, '{"pass": true, "score": NaN}'), "`score` that is no number"),
        ((200, "[" * 100_000), "answered"),
    ],
)
def test_a_service_that_gives_no_verdict_leaves_the_case_undecided(
    judged: Judged, answer: tuple[int, str], message: str
) -> None:
    with service(answer) as (url, _), pytest.raises(Undecided, match=message):
        judged("Hello", "webhook", url)


def test_a_service_that_is_not_there_leaves_the_case_undecided(judged: Judged) -> None:
    with service((200, "{}")) as (url, _):
        pass
    with pytest.raises(Undecided, match="could not be asked"):
        judged("Hello", "webhook", url)


@pytest.mark.parametrize("value", [None, "checks.example.com", 7, ""])
def test_the_value_has_to_be_a_url(judged: Judged, value: object) -> None:
    with pytest.raises(ConfigError, match="the URL to ask"):
        judged("Hello", "webhook", value)
