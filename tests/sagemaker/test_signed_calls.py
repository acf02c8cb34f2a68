from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.credentials import Credentials

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Operation, Request
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.session import Target
from sagemaker_eval.sagemaker.signed_calls import (
    MAX_INLINE_PAYLOAD,
    MAX_PAYLOAD,
    SignedCalls,
    check_payload,
    told_by,
)
from sagemaker_eval.sagemaker.wire import SignedRequest, Wire

NOW = datetime(2026, 11, 23, tzinfo=UTC)
REQUEST = Request("ep", b'{"inputs": "hi"}')
LOCATION = (("InputLocation", "s3://bucket/key"),)


class Account:
    """AWS as far as credentials go: a chain of keys, of which the service takes those in `valid`."""

    def __init__(self, *chain: str, valid: set[str]) -> None:
        self.chain = list(chain)
        self.valid = valid
        self.walks = 0
        self.made: list[str] = []

    def load(self) -> Credentials:
        self.walks += 1
        key = self.chain.pop(0) if len(self.chain) > 1 else self.chain[0]
        return Credentials(key, f"secret-{key}", f"token-{key}")

    def calls(self, identity: str = "account:111111111111") -> SignedCalls:
        source = CredentialSource(self.load)
        target = Target("https://runtime.sagemaker.us-west-2.amazonaws.com", "us-west-2", identity, source)
        return SignedCalls(Wire(target), source, 80_000, now=lambda: NOW)

    async def once(self, signed: SignedRequest) -> Answer:
        key = signed.headers["Authorization"].split("Credential=")[1].split("/")[0]
        self.made.append(key)
        await asyncio.sleep(0)
        if key not in self.valid:
            raise EndpointFault("the AWS session has expired", code="ExpiredTokenException", stops_run=True)
        return Answer(key.encode())


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def test_a_call_is_signed_and_made_once() -> None:
    account = Account("key", valid={"key"})

    async def scene() -> None:
        answer = await account.calls().make(REQUEST, account.once)
        assert (answer.body, answer.attempts, account.made) == (b"key", 1, ["key"])

    run(scene)


def test_a_token_that_dies_at_call_500_of_1000_costs_only_the_calls_in_flight() -> None:
    account = Account("old", "new", valid={"old", "new"})
    at_once = 16

    async def scene() -> None:
        calls, slots = account.calls(), asyncio.Semaphore(at_once)

        async def call() -> Answer:
            async with slots:
                if len(account.made) >= 500:
                    account.valid.discard("old")
                return await calls.make(REQUEST, account.once)

        answers = await asyncio.gather(*(call() for _ in range(1000)))
        assert len(answers) == 1000
        assert sum(answer.attempts for answer in answers) == len(account.made) <= 1000 + at_once + 1
        assert account.walks == 2

    run(scene)


@pytest.mark.parametrize("chain", [("old",), ("old", "old")])
def test_without_other_credentials_the_fault_stays_and_nothing_more_is_sent(chain: tuple[str, ...]) -> None:
    account = Account(*chain, valid=set())

    async def scene() -> None:
        calls = account.calls()
        ends = await asyncio.gather(*(calls.make(REQUEST, account.once) for _ in range(8)), return_exceptions=True)
        assert {str(end) for end in ends} == {"the AWS session has expired"}
        assert account.made == ["old"] * 8

    run(scene)


def test_new_credentials_that_are_refused_as_well_are_not_renewed_again() -> None:
    account = Account("old", "older", valid=set())

    async def scene() -> None:
        with pytest.raises(EndpointFault) as caught:
            await account.calls().make(REQUEST, account.once)
        assert (caught.value.attempts, caught.value.stops_run) == (2, True)
        assert account.made == ["old", "older"]

    run(scene)


def test_a_result_of_another_kind_is_handed_on_as_it_is() -> None:
    account = Account("old", "new", valid={"new"})

    async def length(signed: SignedRequest) -> int:
        return len((await account.once(signed)).body)

    async def scene() -> None:
        assert await account.calls().make(REQUEST, length) == 3

    run(scene)


def test_any_other_fault_is_nothing_that_credentials_could_help() -> None:
    account = Account("old", "new", valid={"old"})

    async def refuse(signed: SignedRequest) -> Answer:
        raise EndpointFault("access denied", code="AccessDeniedException", stops_run=True)

    async def scene() -> None:
        with pytest.raises(EndpointFault, match="access denied"):
            await account.calls().make(REQUEST, refuse)
        assert account.walks == 1

    run(scene)


@pytest.mark.parametrize(
    ("operation", "limit"),
    [
        (Operation.INVOKE, MAX_PAYLOAD),
        (Operation.STREAM, MAX_PAYLOAD),
        (Operation.ASYNC, MAX_INLINE_PAYLOAD),
    ],
)
def test_a_body_above_the_limit_of_its_operation_is_never_sent(operation: Operation, limit: int) -> None:
    account = Account("key", valid={"key"})
    check_payload(Request("ep", bytes(limit), operation=operation))

    async def scene() -> None:
        with pytest.raises(EndpointFault) as caught:
            await account.calls().make(Request("ep", bytes(limit + 1), operation=operation), account.once)
        fault = caught.value
        assert (fault.code, fault.retry, fault.attempts, fault.stops_run) == ("413", Retry.NEVER, 0, False)
        assert fault.message == (
            f"the request body of {limit + 1:,} bytes is too large: SageMaker takes {limit:,} bytes (413)"
        )
        assert "async: {bucket: …}" in str(fault.hint)
        assert account.made == []

    run(scene)


def test_a_body_in_s3_is_none_of_the_request() -> None:
    check_payload(Request("ep", bytes(MAX_INLINE_PAYLOAD + 1), operation=Operation.ASYNC, routing=LOCATION))


def test_a_request_that_cannot_be_sent_has_no_attempts() -> None:
    async def scene() -> None:
        with pytest.raises(EndpointFault) as caught:
            await Account("key", valid=set()).calls().sign(Request("ep", b"", routing=(("CustomAttributes", "a\nb"),)))
        assert caught.value.attempts == 0

    run(scene)


def test_a_fault_of_the_service_knows_account_component_and_size_and_shows_no_secret() -> None:
    account = Account("key", valid={"key"})
    quoting = json.dumps({"message": "no: secret-key token-key"}).encode()
    request = Request("ep", b"{}", routing=(("InferenceComponentName", "summaries"),))

    async def scene() -> None:
        calls = account.calls()
        await calls.sign(request)
        context = calls.context(request)
        assert (context.account, context.component, context.body_size) == ("111111111111", "summaries", 2)
        fault = calls.service_fault(400, {"x-amzn-ErrorType": "ValidationError"}, quoting, request)
        assert fault.message.endswith("no: *** ***")

    run(scene)


def test_secrets_of_credentials_that_were_renewed_stay_secret() -> None:
    account = Account("old", "new", valid={"new"})

    async def scene() -> None:
        calls = account.calls()
        await calls.make(REQUEST, account.once)
        fault = calls.service_fault(503, {}, b"secret-old secret-new", REQUEST)
        assert "secret" not in fault.message

    run(scene)


def test_an_exception_of_the_client_is_a_fault_and_a_bug_is_not() -> None:
    calls = Account("key", valid=set()).calls("profile:dev")
    fault = calls.network_fault(TimeoutError(), REQUEST)
    assert fault is not None
    assert fault.message == "no answer from `ep` within 80,000 ms (ReadTimeout)"
    assert calls.network_fault(KeyError("bug"), REQUEST) is None
    assert calls.context(REQUEST).account is None


def test_what_headers_tell_besides_variant_and_request() -> None:
    headers = {
        "X-Amzn-SageMaker-Custom-Attributes": "trace=7",
        "X-Amzn-SageMaker-New-Session-Id": "s-1; Expires=2026-11-23T01:00:00Z",
        "Content-Type": "application/json",
    }
    assert told_by(headers) == (
        ("customAttributes", "trace=7"),
        ("newSessionId", "s-1; Expires=2026-11-23T01:00:00Z"),
    )
    assert told_by({}) == ()
