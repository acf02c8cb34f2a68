from __future__ import annotations

import asyncio

import pytest

from sagemaker_eval.calling.checked import Checked
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Request, TokenUsage


async def inner(request: Request) -> Answer:
    return Answer(request.body, request_id="abc")


def ask(checked: Checked) -> Answer:
    return asyncio.run(checked(Request("llama", b"hello")))


def test_attaches_the_usage_that_the_body_reports() -> None:
    answer = ask(Checked(inner, lambda answer: TokenUsage(prompt=len(answer.body))))
    assert answer == Answer(b"hello", request_id="abc", usage=TokenUsage(prompt=5))


def test_leaves_an_answer_alone_whose_body_reports_none() -> None:
    assert ask(Checked(inner, lambda _: None)).usage is None


def test_an_error_with_status_200_is_a_fault_that_names_its_request() -> None:
    def refuse(_: Answer) -> TokenUsage | None:
        raise EndpointFault("the model ran out of memory", code="ModelError", retry=Retry.ONCE)

    with pytest.raises(EndpointFault, match="out of memory") as caught:
        ask(Checked(inner, refuse))
    assert caught.value.request_id == "abc"
    assert caught.value.attempts == 1


def test_attempts_of_an_answer_that_is_an_error_are_kept() -> None:
    async def renewed(request: Request) -> Answer:
        return Answer(request.body, attempts=2)

    def refuse(_: Answer) -> TokenUsage | None:
        raise EndpointFault("the model ran out of memory", code="ModelError")

    with pytest.raises(EndpointFault) as caught:
        ask(Checked(renewed, refuse))
    assert caught.value.attempts == 2
