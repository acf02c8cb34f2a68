"""The way to an asynchronous endpoint: a request into S3, its place in the queue, and the answer out of S3."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, AsyncOptions, Request, Timings
from sagemaker_eval.sagemaker import async_failures
from sagemaker_eval.sagemaker.async_invocations import Accepted, Invocation, Invocations, digest_of
from sagemaker_eval.sagemaker.connections import Sender
from sagemaker_eval.sagemaker.objects import Location, Objects, StoredObject
from sagemaker_eval.sagemaker.signed_calls import SignedCalls
from sagemaker_eval.sagemaker.wire import SignedRequest

LONGEST_POLL_S = 15.0
"""Pauses between two looks grow up to this: as long as those of AWS's own SDK."""

GROWTH = 1.5

_FAULTS_IN_A_ROW = 5
"""Looks at S3 that may fail one after the other before the call does."""

_NAMED_BY_USER = frozenset({"Filename", "InferenceId", "S3OutputPathExtension"})
"""Members that may lead to the same output location twice."""

_CLOCKS = timedelta(seconds=2)
"""By how much the clocks of SageMaker and S3 may differ."""


class _Outcome(NamedTuple):
    stored: StoredObject
    failed: bool


class AsyncTransport:
    """An `Invoke` that queues a request at an asynchronous endpoint and waits for the answer in S3.

    The body goes to `bucket` under `prefix`, or with the call itself where there is no bucket. The name of the object
    is a digest of the request, so that equal requests use one; it is deleted when the outcome is known.

    AWS has no idempotence here: a call that is made twice is queued twice. So what was accepted is remembered, and
    an attempt that follows a fault (S3 could not be read, say) goes on waiting for it. Where the call itself failed
    without a word on whether it was accepted (500, 503, a timeout), it is made again under the same inference id; the
    answer to the lost call is looked for first, which can be done only where this endpoint has been seen to name its
    outputs after inference ids. Otherwise the model may do the work twice, and one answer is left unread. Once the
    time for an answer is over nothing is tried again, as the model may still be at it.

    `timings.wire` runs from just before the invocation is sent until its output has been read; of an attempt that
    goes on waiting, from its beginning. It is longer than the model took by up to the pause between two looks:
    `poll_ms` at first, growing by a half each time up to 15 s: of a long wait at most a third.
    `timings.queue` is the time that the body took to S3. Raises `EndpointFault`, and `SetupError` for S3 as `Objects`.
    """

    def __init__(
        self,
        signed: SignedCalls,
        sender: Sender,
        options: AsyncOptions,
        objects: Objects,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._signed = signed
        self._sender = sender
        self._options = options
        self._objects = objects
        self._clock = clock
        self._sleep = sleep
        self._invocations = Invocations()

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt."""
        digest = digest_of(request)
        own = dict(request.routing)
        invocation = self._invocations.take_up(digest)
        if invocation is None:
            place = None if "InputLocation" in own else self._place(digest)
            invocation = self._invocations.new(digest, own.get("InferenceId"), place)
        kept = False
        try:
            return await self._answer(request, invocation)
        except EndpointFault as fault:
            kept = not invocation.ended and fault.retry is not Retry.NEVER
            raise
        finally:
            if kept:
                self._invocations.keep(invocation)
            else:
                self._discard(invocation)

    async def make_ready(self, request: Request) -> None:
        """Credentials, libraries, route and clients, so that nothing keeps a call from going out once it is made."""
        place = None if "InputLocation" in dict(request.routing) else self._place("0")
        signed = await self._signed.sign(self._call(request, Invocation("ready", "", place)))
        self._sender.make_ready(signed.url)
        await self._objects.make_ready()

    async def close(self) -> None:
        """Delete the requests that no attempt has come back for, and close the objects."""
        for invocation in self._invocations.all_unfinished():
            self._discard(invocation)
        await self._objects.close()

    def _discard(self, invocation: Invocation) -> None:
        place = self._invocations.let_go(invocation)
        if place is not None:
            self._objects.discard(place)

    def _place(self, digest: str) -> Location | None:
        bucket = self._options.bucket
        return Location(bucket, f"{self._options.prefix}{digest}") if bucket else None

    async def _answer(self, request: Request, invocation: Invocation) -> Answer:
        began = sending = self._clock()
        outcome = await self._outcome_of_lost(request, invocation)
        if invocation.accepted is None:
            await self._store(request, invocation)
            sending = self._clock()
            await self._invoke(request, invocation)
        accepted = invocation.accepted
        assert accepted is not None
        outcome = outcome or await self._awaited(request, invocation, accepted)
        ended = self._clock()
        invocation.ended = True
        if outcome.failed:
            raise await self._failure(request, invocation, outcome.stored)
        stored = outcome.stored
        return Answer(
            body=stored.body,
            content_type=stored.content_type,
            request_id=accepted.request_id,
            timings=Timings(
                queue=(sending - began) * 1000, wire=(ended - sending) * 1000, total=(ended - began) * 1000
            ),
            told=(("inferenceId", invocation.id), ("outputLocation", str(accepted.output))),
        )

    async def _outcome_of_lost(self, request: Request, invocation: Invocation) -> _Outcome | None:
        """The outcome of an earlier attempt's call that was never confirmed, where it can be found."""
        if invocation.accepted is not None or invocation.sent is None or _is_named_by_user(request):
            return None
        expected = self._invocations.expected(invocation.id)
        outcome = await self._look(expected) if expected is not None else None
        if outcome is not None:
            invocation.accepted = expected
        return outcome

    async def _store(self, request: Request, invocation: Invocation) -> None:
        if invocation.input is None or invocation.stored:
            return
        try:
            async_failures.check_payload(request)
            await self._objects.put(invocation.input, request.body, request.content_type)
        except EndpointFault as fault:
            fault.attempts = 0  # of the endpoint nothing was asked
            raise
        invocation.stored = True

    async def _invoke(self, request: Request, invocation: Invocation) -> None:
        async def once(signed: SignedRequest) -> Accepted:
            invocation.sent = self._clock()
            try:
                return await self._enqueued(signed, request)
            except EndpointFault:
                raise
            except Exception as error:
                fault = self._signed.network_fault(error, request)
                if fault is None:
                    raise
                raise fault from error

        accepted = invocation.accepted = await self._signed.make(self._call(request, invocation), once)
        if not _is_named_by_user(request):
            self._invocations.learn(invocation.id, accepted)

    async def _enqueued(self, signed: SignedRequest, request: Request) -> Accepted:
        async with self._sender.open(signed.url, signed.headers, signed.body) as response:
            if response.status >= 300:
                raise self._signed.service_fault(response.status, response.headers, await response.read(), request)
            accepted = _accepted(response.headers, request)
            with suppress(Exception):  # the body tells nothing more: accepted is accepted, however it ends
                await response.read()
            return accepted

    def _call(self, request: Request, invocation: Invocation) -> Request:
        """What is sent: the request under its inference id, its body inline or as the name of an object."""
        options = self._options
        members = {"InferenceId": invocation.id, **dict(request.routing)}
        if options.request_ttl_seconds is not None:
            members.setdefault("RequestTTLSeconds", str(options.request_ttl_seconds))
        if options.invocation_timeout_seconds is not None:
            members.setdefault("InvocationTimeoutSeconds", str(options.invocation_timeout_seconds))
        if invocation.input is not None:
            members["InputLocation"] = str(invocation.input)
        body = b"" if "InputLocation" in members else request.body
        return replace(request, body=body, routing=tuple(sorted(members.items())))

    async def _awaited(self, request: Request, invocation: Invocation, accepted: Accepted) -> _Outcome:
        """Looks until there is an outcome or the time is over."""
        assert invocation.sent is not None
        until = invocation.sent + self._options.timeout_ms / 1000
        pause = self._options.poll_ms / 1000
        longest = max(pause, LONGEST_POLL_S)
        faults = 0
        while True:
            try:
                if (outcome := await self._look(accepted)) is not None:
                    return outcome
                faults = 0
            except EndpointFault as fault:
                faults += 1
                if fault.retry is Retry.NEVER or faults == _FAULTS_IN_A_ROW:
                    raise
            left = until - self._clock()
            if left <= 0:
                tells = accepted.failure is not None
                raise async_failures.timed_out(request, self._options.timeout_ms, accepted.output, tells)
            await self._sleep(min(pause, left))
            pause = min(pause * GROWTH, longest)

    async def _look(self, accepted: Accepted) -> _Outcome | None:
        for place, failed in ((accepted.output, False), (accepted.failure, True)):
            stored = await self._objects.get(place) if place is not None else None
            if stored is not None and not _is_older(stored, accepted):
                return _Outcome(stored, failed)
        return None

    async def _failure(self, request: Request, invocation: Invocation, stored: StoredObject) -> EndpointFault:
        if invocation.input is not None and not await self._objects.exists(invocation.input):
            return async_failures.input_removed(invocation.input)
        return async_failures.failed(stored.body, self._signed.context(request))


def _accepted(headers: Mapping[str, str], request: Request) -> Accepted:
    request_id = headers.get("x-amzn-RequestId")
    output, failure = (headers.get(f"X-Amzn-SageMaker-{name}Location") for name in ("Output", "Failure"))
    place = Location.parse(output or "")
    if place is None:
        raise async_failures.nowhere(output, request_id)
    accepted_at = _moment(headers.get("Date")) if _is_named_by_user(request) else None
    return Accepted(place, Location.parse(failure or ""), request_id, accepted_at)


def _is_named_by_user(request: Request) -> bool:
    return any(name in _NAMED_BY_USER for name, _ in request.routing)


def _moment(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _is_older(stored: StoredObject, accepted: Accepted) -> bool:
    """Whether an object was there before the invocation was: the answer to an earlier one of the same name."""
    if stored.modified is None or accepted.not_before is None:
        return False
    return stored.modified < accepted.not_before - _CLOCKS
