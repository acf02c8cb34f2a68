"""The service behind the server: one request in, one reply out, in the order in which AWS decides.

Operation, signature, endpoint's name, existence, cold start, faults; then the container. No input and output here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import unquote

from sagemaker_eval.sandbox.containers import shapes
from sagemaker_eval.sandbox.containers.asking import Asked, decode
from sagemaker_eval.sandbox.containers.base import ContainerAnswer
from sagemaker_eval.sandbox.faults import CONTAINER_FAULTS, FAULTS, Attempts, Circumstance, struck_by
from sagemaker_eval.sandbox.replies import (
    Ending,
    Refusal,
    Reply,
    endpoint_not_found,
    model_error,
    unknown_operation,
    validation_error,
)
from sagemaker_eval.sandbox.rules import FaultSetting, Rule
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck

_INVOCATION = re.compile(r"/endpoints/([^/?]+)/invocations(?:\?.*)?")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_LONGEST_NAME = 63
_CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
_TARGET_VARIANT = "x-amzn-sagemaker-target-variant"
_VARIANT = "AllTraffic"
_CONTAINER_ERROR = 400
_COLD = FaultSetting("modelNotReady")


def invoked_endpoint(incoming: Incoming) -> str | None:
    """The endpoint that an InvokeEndpoint request names; None for any other request."""
    match = _INVOCATION.fullmatch(incoming.target)
    return unquote(match[1]) if match and incoming.method == "POST" else None


class Service:
    """Answers by a script. It counts attempts and cold starts, so it belongs to one thread."""

    def __init__(
        self, script: SandboxScript, signatures: SignatureCheck, clock: Callable[[], float] = time.time
    ) -> None:
        self._script = script
        self._signatures = signatures
        self._clock = clock
        self._rules: dict[str, Rule] = {}
        self._attempts = Attempts()
        self._seen: dict[str, tuple[int, float]] = {}

    def reply(self, incoming: Incoming, endpoint: str | None) -> Reply:
        """What the caller gets. `endpoint` is the invoked one."""
        if endpoint is None:
            return unknown_operation()
        try:
            region = self._signatures.region(incoming)
            self._check_exists(endpoint)
        except Refusal as refusal:
            return refusal.reply
        return self._invoke(incoming, endpoint, region)

    def _check_exists(self, endpoint: str) -> None:
        if len(endpoint) > _LONGEST_NAME or not _NAME.fullmatch(endpoint):
            raise Refusal(validation_error(_bad_name(endpoint)))
        if self._script.lacks(endpoint):
            raise Refusal(endpoint_not_found(endpoint))

    def _invoke(self, incoming: Incoming, endpoint: str, region: str) -> Reply:
        rule = self._rules.get(endpoint)
        if rule is None:
            rule = self._rules[endpoint] = self._script.rule_for(endpoint)
        delay = rule.latency
        fault = _COLD if self._is_cold(rule, endpoint) else None
        if fault is None and (rule.faults or rule.jitter):
            attempt = self._attempts.next(rule, endpoint, incoming.body)
            fault = struck_by(rule, attempt)
            delay = max(0.0, rule.latency + (2 * attempt.jitter - 1) * rule.jitter)
        if fault is None:
            answered = self._answer(rule, incoming, endpoint)
            if isinstance(answered, ContainerAnswer):
                return replace(_reply_of(answered, endpoint, region), headers=_headers(incoming), delay_ms=delay)
            fault = answered
        return _struck(fault, incoming, endpoint, region, delay)

    def _is_cold(self, rule: Rule, endpoint: str) -> bool:
        cold = rule.cold_start
        if cold is None:
            return False
        now = self._clock()
        count, first = self._seen.get(endpoint, (0, now))
        self._seen[endpoint] = count + 1, first
        return count < cold.requests or now - first < cold.seconds

    def _answer(self, rule: Rule, incoming: Incoming, endpoint: str) -> ContainerAnswer | FaultSetting:
        attributes = incoming.headers.get(_CUSTOM_ATTRIBUTES, "")
        asked = Asked(endpoint, incoming.body, decode(incoming.body), attributes)
        prompt = asked.prompt if rule.answers else ""
        for answer in rule.answers:
            match = answer.pattern.search(prompt)
            if match is None:
                continue
            if answer.fault is not None:
                return answer.fault
            if answer.whole is not None:
                return answer.whole
            asked = replace(asked, scripted=answer.text_for(match))
            break
        return shapes.answer(asked, rule.shape)


def _reply_of(answer: ContainerAnswer, endpoint: str, region: str) -> Reply:
    if answer.status >= _CONTAINER_ERROR:
        return model_error(endpoint, region, answer.status, answer.body.decode(errors="replace"))
    return Reply(answer.status, answer.body, answer.content_type)


def _struck(fault: FaultSetting, incoming: Incoming, endpoint: str, region: str, delay: float) -> Reply:
    reply = FAULTS.get(fault.name)(Circumstance(endpoint, region, fault))
    if fault.name in CONTAINER_FAULTS:
        reply = replace(reply, delay_ms=delay)
    succeeds = reply.status < _CONTAINER_ERROR and reply.ending is not Ending.CUT
    return replace(reply, headers=reply.headers + _headers(incoming)) if succeeds else reply


def _headers(incoming: Incoming) -> tuple[tuple[str, str], ...]:
    """The headers of a success: the variant that answered, and the caller's custom attributes given back."""
    variant = incoming.headers.get(_TARGET_VARIANT)
    headers = (("x-Amzn-Invoked-Production-Variant", variant if variant and _NAME.fullmatch(variant) else _VARIANT),)
    attributes = incoming.headers.get(_CUSTOM_ATTRIBUTES)
    if attributes and attributes.isascii() and attributes.isprintable():
        return (*headers, ("X-Amzn-SageMaker-Custom-Attributes", attributes))
    return headers


def _bad_name(endpoint: str) -> str:
    if len(endpoint) > _LONGEST_NAME:
        constraint = f"Member must have length less than or equal to {_LONGEST_NAME}"
    else:
        constraint = r"Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    return (
        f"1 validation error detected: Value '{endpoint}' at 'endpointName' failed to satisfy constraint: {constraint}"
    )
