from __future__ import annotations

from sagemaker_eval.sandbox.request_log import MAX_BYTES, MAX_ENTRIES, LoggedRequest, RequestLog


def entry(body: bytes = b"", endpoint: str | None = "e") -> LoggedRequest:
    return LoggedRequest("POST", "/", endpoint, {}, body, 200)


def test_old_requests_are_forgotten_and_still_counted() -> None:
    log = RequestLog()
    for number in range(MAX_ENTRIES + 5):
        log.add(entry(str(number).encode()))

    assert len(log.entries()) == MAX_ENTRIES
    assert log.entries()[0].body == b"5"
    assert log.count() == log.count("e") == MAX_ENTRIES + 5


def test_bodies_take_bounded_memory() -> None:
    log = RequestLog()
    half = bytes(MAX_BYTES // 2)
    for _ in range(3):
        log.add(entry(half))

    assert len(log.entries()) == 2


def test_only_invocations_count() -> None:
    log = RequestLog()
    log.add(entry())
    log.add(entry(endpoint=None))

    assert (log.count(), log.count("e"), len(log.entries())) == (1, 1, 2)
