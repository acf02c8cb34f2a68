from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagemaker_eval.reporting.error_groups import ErrorGroup, group_errors

New = Callable[..., Any]
REQUEST = "11111111-2222-3333-4444-{:012d}"


def test_the_same_message_is_counted_whatever_its_request_id(new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.errored(0, 0, "rare", None)
    for test in range(1, 4):
        run.errored(test, 0, f"throttled (request {REQUEST.format(test)})", "ask for more")
    run.passed(4, 0, "fine")
    groups, others = group_errors(run.journal)
    assert groups == [
        ErrorGroup(f"throttled (request {REQUEST.format(1)})", "ask for more", 3),
        ErrorGroup("rare", None, 1),
    ]
    assert others == 0


def test_beyond_the_limit_errors_are_only_counted(new_run: New) -> None:
    run = new_run(providers=("llama",))
    for test in range(1100):
        run.errored(test, 0, f"kind {test}")
    groups, others = group_errors(run.journal, limit=10)
    assert len(groups) == 10
    assert others == 1090


def test_failures_are_no_errors(new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.failed(0, 0, "x", ["wrong"])
    assert group_errors(run.journal) == ([], 0)
