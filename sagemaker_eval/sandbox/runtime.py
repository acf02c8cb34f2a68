"""SageMaker Runtime behind its front door: one invocation in, one reply out, in the order in which AWS decides.

Status of the endpoint, inference component, variant, capacity, cold start, faults; then the container, whose answer is
sent whole or as a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from sagemaker_eval.model import Operation
from sagemaker_eval.sandbox.admission import check_admitted, check_name
from sagemaker_eval.sandbox.attempts import Attempt, Attempts, struck_by
from sagemaker_eval.sandbox.capacity import Places
from sagemaker_eval.sandbox.containers import shapes
from sagemaker_eval.sandbox.containers.asking import Asked, decode
from sagemaker_eval.sandbox.containers.base import ContainerAnswer
from sagemaker_eval.sandbox.deployments import DEFAULT_VARIANT
from sagemaker_eval.sandbox.faults import CONTAINER_FAULTS, FAULTS, Circumstance
from sagemaker_eval.sandbox.invocations import NEW_SESSION, Invocation
from sagemaker_eval.sandbox.replies import Ending, Refusal, Reply, endpoint_not_found, model_error
from sagemaker_eval.sandbox.rules import FaultSetting, Rule
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.streaming import STREAM_FAULTS, StreamWriter, framed
from sagemaker_eval.sandbox.variants import choose

_SESSION = 1200.0
"""Seconds that a session lives."""

_CONTAINER_ERROR = 400
_CHAT_SHAPES = frozenset({None, "openai", "lmi", "tgi"})
_NO_ROUTE = ContainerAnswer(b'{"detail":"Not Found"}', 404)
"""What a container answers on a path that it does not serve."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """One invocation on its way: the rule of its variant, the attempt that it is, and what is known of it."""

    invocation: Invocation
    rule: Rule
    attempt: Attempt
    region: str
    variant: str | None
    delay_ms: float

    def at(self, fault: FaultSetting) -> Circumstance:
        return Circumstance(self.invocation.endpoint, self.region, fault)


class Runtime:
    """Answers by a script. It counts attempts, cold starts and requests in flight, so it belongs to one thread."""

    def __init__(self, script: SandboxScript, clock: Callable[[], float]) -> None:
        self._script = script
        self._clock = clock
        self._opened = clock()
        self._rules: dict[str, Rule] = {}
        self._attempts = Attempts()
        self._places = Places()
        self._seen: dict[str, tuple[int, float]] = {}

    def check(self, invocation: Invocation) -> None:
        """Raises `Refusal` where no endpoint can be asked like this."""
        endpoint = invocation.endpoint
        check_name(endpoint)
        if self._script.lacks(endpoint):
            raise Refusal(endpoint_not_found(endpoint))
        check_admitted(invocation, self._rule(endpoint), self._clock() - self._opened)

    def answer(self, invocation: Invocation, region: str) -> Reply:
        """What the caller gets, in a place of the endpoint's capacity. Raises `Refusal`."""
        rule = self._rule(invocation.endpoint)
        place: AbstractAsyncContextManager[object] | None = None
        if rule.capacity is not None:
            place = self._places.place(invocation.endpoint, rule.capacity, region)
        reply = self.work(invocation, region)
        return reply if place is None else replace(reply, place=place)

    def work(self, invocation: Invocation, region: str) -> Reply:
        """The same without regard to capacity: requests that were queued are answered when their turn comes."""
        endpoint = invocation.endpoint
        rule = self._rule(endpoint)
        if rule.cold_start is not None and self._is_cold(rule, endpoint):
            cold = rule.cold_start.fault
            return FAULTS.get(cold.name)(Circumstance(endpoint, region, cold))
        attempt = self._attempts.next(rule, endpoint, invocation.incoming.body)
        variant = choose(rule, attempt, invocation.variant)
        rule = variant.rule if variant else rule
        delay = max(0.0, rule.latency + (2 * attempt.jitter - 1) * rule.jitter) if rule.jitter else rule.latency
        name = variant.name if variant else None
        reply = _answered(_Turn(invocation, rule, attempt, region, name, delay))
        return self._with_session(reply) if invocation.header("session-id") == NEW_SESSION else reply

    def _with_session(self, reply: Reply) -> Reply:
        """The reply, where it is a success, with a session of its own."""
        if reply.status >= _CONTAINER_ERROR:
            return reply
        until = datetime.fromtimestamp(self._clock() + _SESSION, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        header = ("X-Amzn-SageMaker-New-Session-Id", f"{uuid4()}; Expires={until}")
        return replace(reply, headers=(*reply.headers, header))

    def _rule(self, endpoint: str) -> Rule:
        rule = self._rules.get(endpoint)
        if rule is None:
            rule = self._rules[endpoint] = self._script.rule_for(endpoint)
        return rule

    def _is_cold(self, rule: Rule, endpoint: str) -> bool:
        cold = rule.cold_start
        if cold is None:
            return False
        now = self._clock()
        count, first = self._seen.get(endpoint, (0, now))
        self._seen[endpoint] = count + 1, first
        return count < cold.requests or now - first < cold.seconds


def _answered(turn: _Turn) -> Reply:
    streams = turn.invocation.streams
    fault = struck_by(_possible(turn.rule.faults, streams), turn.attempt)
    if fault is not None and fault.name in FAULTS:
        return _struck(turn, fault)
    answer, own_fault = _container_answer(turn)
    if own_fault is not None and own_fault.name in FAULTS:
        return _struck(turn, own_fault)
    fault = fault or own_fault
    if answer.status >= _CONTAINER_ERROR:
        original = answer.body.decode(errors="replace")
        reply = model_error(turn.invocation.endpoint, turn.region, answer.status, original)
    elif streams:
        writer = StreamWriter(turn.rule.pace, turn.attempt, turn.invocation.operation is Operation.STREAM)
        reply = writer.reply(answer, turn.at(fault) if fault else None)
    else:
        reply = Reply(answer.status, answer.body, answer.content_type)
    return _told(turn, replace(reply, delay_ms=turn.delay_ms))


def _possible(faults: tuple[FaultSetting, ...], streams: bool) -> tuple[FaultSetting, ...]:
    """Faults of streams strike streams alone."""
    return faults if streams else tuple(setting for setting in faults if setting.name not in STREAM_FAULTS)


def _struck(turn: _Turn, fault: FaultSetting) -> Reply:
    reply = FAULTS.get(fault.name)(turn.at(fault))
    if fault.name in CONTAINER_FAULTS:
        reply = replace(reply, delay_ms=turn.delay_ms)
    if reply.status >= _CONTAINER_ERROR or reply.ending is Ending.CUT:
        return reply
    if turn.invocation.operation is Operation.STREAM and reply.ending is not Ending.NEVER:
        reply = framed(reply)
    return _told(turn, reply)


def _told(turn: _Turn, reply: Reply) -> Reply:
    """A success with its headers: the variant that answered, and the caller's custom attributes given back."""
    if reply.status >= _CONTAINER_ERROR:
        return reply
    variant = turn.variant or turn.invocation.variant or DEFAULT_VARIANT
    headers = (*reply.headers, ("x-Amzn-Invoked-Production-Variant", variant))
    attributes = turn.invocation.custom_attributes
    if attributes and attributes.isascii() and attributes.isprintable():
        headers = (*headers, ("X-Amzn-SageMaker-Custom-Attributes", attributes))
    return replace(reply, headers=headers)


def _container_answer(turn: _Turn) -> tuple[ContainerAnswer, FaultSetting | None]:
    """What the container answers, and the fault that the prompt meets.

    A fault of streams breaks the answer that the prompt gets otherwise.
    """
    invocation, rule = turn.invocation, turn.rule
    body = invocation.incoming.body
    asked = Asked(invocation.endpoint, body, decode(body), invocation.custom_attributes)
    prompt = asked.prompt if rule.answers else ""
    fault: FaultSetting | None = None
    for position, scripted in enumerate(rule.answers):
        match = scripted.pattern.search(prompt)
        if match is None or (scripted.share < 1 and turn.attempt.answer(position) >= scripted.share):
            continue
        if scripted.fault is not None and scripted.fault.name in STREAM_FAULTS:
            fault = (fault or scripted.fault) if invocation.streams else None
            continue
        if scripted.fault is not None:
            return _NO_ROUTE, scripted.fault
        if scripted.whole is not None:
            return scripted.whole, fault
        asked = replace(asked, scripted=scripted.text_for(match))
        break
    return _generated(asked, invocation, rule.shape), fault


def _generated(asked: Asked, invocation: Invocation, shape: str | None) -> ContainerAnswer:
    if invocation.operation is not Operation.OPENAI:
        return shapes.answer(asked, shape)
    return shapes.answer(asked, "openai") if shape in _CHAT_SHAPES else _NO_ROUTE
