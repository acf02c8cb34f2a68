"""The service behind the server: one request in, one reply out. No input and output here.

Invocations go to the runtime, once their signature or bearer token is right; the other planes (asynchronous inference,
control plane, price list, objects) take what is theirs, and whatever is nobody's is an unknown operation.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import chain

from sagemaker_eval.model import Operation
from sagemaker_eval.sandbox.async_inference import AsyncInference
from sagemaker_eval.sandbox.control_plane import ControlPlane
from sagemaker_eval.sandbox.invocations import Invocation, read_invocation
from sagemaker_eval.sandbox.objects import Objects
from sagemaker_eval.sandbox.openai_path import BearerCheck, enveloped
from sagemaker_eval.sandbox.price_list import PriceList
from sagemaker_eval.sandbox.replies import Refusal, Reply, unknown_operation
from sagemaker_eval.sandbox.runtime import Runtime
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck, claimed_scope

_REGION = "us-east-1"


class Service:
    """Answers by a script. It counts attempts and cold starts, so it belongs to one thread."""

    def __init__(
        self,
        script: SandboxScript,
        signatures: SignatureCheck,
        bearer: BearerCheck,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._signatures = signatures
        self._bearer = bearer
        self._runtime = Runtime(script, clock)
        denied = chain.from_iterable(rule.deployment.denied for rule in script.rules if rule.deployment)
        objects = Objects(clock, denied, signatures)
        self._asynchronous = AsyncInference(self._deferred, objects, clock, script, signatures)
        planes = (ControlPlane(script, clock, signatures), PriceList(script, signatures), objects)
        self._planes = tuple(plane.reply for plane in planes)

    def reply(self, incoming: Incoming, invocation: Invocation | None) -> Reply:
        """What the caller gets. `invocation` is the call of the runtime that the request is."""
        if invocation is None:
            return self._reply_of_planes(incoming)
        if invocation.operation is Operation.ASYNC:
            return self._asynchronous.reply(incoming) or unknown_operation()
        reply = self._invoked(invocation)
        return enveloped(reply) if invocation.operation is Operation.OPENAI else reply

    def _invoked(self, invocation: Invocation) -> Reply:
        incoming = invocation.incoming
        try:
            if invocation.operation is Operation.OPENAI:
                region = self._bearer.region(incoming.headers)
            else:
                region = self._signatures.region(incoming)
            self._runtime.check(invocation)
            return self._runtime.answer(invocation, region)
        except Refusal as refusal:
            return refusal.reply

    def _deferred(self, incoming: Incoming) -> Reply:
        """The answer to an InvokeEndpoint request that was queued, whose caller is known."""
        invocation = read_invocation(incoming)
        if invocation is None:
            return unknown_operation()
        queued = Invocation(Operation.ASYNC, invocation.endpoint, invocation.component, incoming)
        scope = claimed_scope(incoming.headers)
        try:
            self._runtime.check(queued)
            return self._runtime.work(queued, scope.region if scope else _REGION)
        except Refusal as refusal:
            return refusal.reply

    def _reply_of_planes(self, incoming: Incoming) -> Reply:
        replies = (reply(incoming) for reply in self._planes)
        return next((reply for reply in replies if reply is not None), None) or unknown_operation()
