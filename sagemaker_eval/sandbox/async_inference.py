"""InvokeEndpointAsync: a request is accepted at once, and its answer becomes an object in S3 when its time has come.

What the service refuses is refused at once over HTTP. What the container fails at becomes an object under the failure
path: the text of the error, in the words in which InvokeEndpoint would have told it. Requests are not merged: one that
is sent twice is worked on twice, whatever its InferenceId. Source: Amazon SageMaker developer guide, "Asynchronous
inference".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from urllib.parse import quote
from uuid import uuid4

from sagemaker_eval.model import compact_json
from sagemaker_eval.sandbox.async_requests import AsyncRequest, async_endpoint, plain_invocation
from sagemaker_eval.sandbox.deployments import AsyncDeployment, Deployment
from sagemaker_eval.sandbox.endpoints import DeploymentScript, Endpoints
from sagemaker_eval.sandbox.json_service import DEFAULT_REGION, code_and_message
from sagemaker_eval.sandbox.objects import Objects, StoredObject
from sagemaker_eval.sandbox.replies import Ending, Refusal, Reply, model_error, validation_error
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck, claimed_scope

_MODEL_ERROR = 424
_ERROR = 400
_TIMED_OUT = "Your invocation timed out while waiting for a response from container primary."
_DIED = "The connection to container primary was closed before the whole response had come."
_EXPIRED = "The request expired in the queue: its RequestTTLSeconds have passed."
_TEXT = "text/plain; charset=utf-8"
_BY_DEFAULT = Deployment(asynchronous=AsyncDeployment())


@dataclass(frozen=True, slots=True)
class _Work:
    """How a request ends, after `seconds` of work: with an answer or, where it `failed`, with what went wrong."""

    seconds: float
    body: bytes
    content_type: str
    failed: bool = False

    @classmethod
    def failure(cls, text: str, seconds: float = 0.0) -> _Work:
        return cls(seconds, text.encode("utf-8", "replace"), _TEXT, failed=True)


class AsyncInference:
    """Accepts requests and works on them.

    `invoke` answers the InvokeEndpoint request that is made of one, existence of the endpoint and faults included, with
    no look at its signature. With a `script`, endpoints whose deployment is not asynchronous refuse; without
    `signatures` every caller is believed.
    """

    def __init__(
        self,
        invoke: Callable[[Incoming], Reply],
        objects: Objects,
        clock: Callable[[], float],
        script: DeploymentScript | None = None,
        signatures: SignatureCheck | None = None,
    ) -> None:
        self._invoke = invoke
        self._objects = objects
        self._clock = clock
        self._endpoints = Endpoints(script) if script else None
        self._signatures = signatures
        self._accepted: Counter[str] = Counter()
        self._busy: dict[str, list[float]] = {}

    def accepted(self, inference_id: str) -> int:
        """How many requests with this InferenceId were accepted: more than one are duplicates."""
        return self._accepted[inference_id]

    def reply(self, incoming: Incoming) -> Reply | None:
        """The reply to InvokeEndpointAsync; None for any other request."""
        endpoint = async_endpoint(incoming)
        if endpoint is None:
            return None
        try:
            region = self._region(incoming)
            deployed = self._deployment(endpoint)
            return self._accept(incoming, AsyncRequest.of(incoming, endpoint), deployed, region)
        except Refusal as refusal:
            return refusal.reply

    def _region(self, incoming: Incoming) -> str:
        if self._signatures is not None:
            return self._signatures.region(incoming)
        scope = claimed_scope(incoming.headers)
        return scope.region if scope else DEFAULT_REGION

    def _deployment(self, endpoint: str) -> Deployment:
        deployed = self._endpoints.scripted(endpoint) if self._endpoints else None
        if deployed is None:
            return _BY_DEFAULT
        if deployed.asynchronous is None:
            message = f"Endpoint {endpoint} does not support asynchronous inference: it has no AsyncInferenceConfig."
            raise Refusal(validation_error(message))
        return deployed

    def _accept(self, incoming: Incoming, request: AsyncRequest, deployed: Deployment, region: str) -> Reply:
        work = self._work(incoming, request, region)
        asynchronous = deployed.asynchronous or AsyncDeployment()
        answers, failures = _locations(request, asynchronous, region)
        work, due = self._queued(request, work, deployed.async_workers)
        self._write(failures if work.failed else answers, work, due)
        self._accepted[request.inference_id] += 1
        is_lost = self._accepted[request.inference_id] <= asynchronous.lost
        return Reply(
            202,
            compact_json({"InferenceId": request.inference_id}).encode(),
            headers=(
                ("X-Amzn-SageMaker-OutputLocation", answers),
                ("X-Amzn-SageMaker-FailureLocation", failures),
            ),
            ending=Ending.CUT if is_lost else Ending.COMPLETE,
        )

    def _work(self, incoming: Incoming, request: AsyncRequest, region: str) -> _Work:
        """What becomes of the request. Raises `Refusal` where the service refuses it."""
        body = request.body
        if request.source is not None:
            stored = self._objects.get(*request.source)
            if stored is None:
                bucket, key = request.source
                return _Work.failure(f"The object s3://{bucket}/{key} does not exist or cannot be read.")
            body = stored.body
        reply = self._invoke(plain_invocation(incoming, quote(request.endpoint, safe=""), body))
        if reply.ending is Ending.COMPLETE and reply.status >= _ERROR and reply.status != _MODEL_ERROR:
            raise Refusal(reply)
        return _outcome(reply, request, region)

    def _queued(self, request: AsyncRequest, work: _Work, workers: int | None) -> tuple[_Work, float]:
        """What becomes of the request after its time in the queue, where it may expire, and when that is."""
        now = start = self._clock()
        if workers is None:
            return work, now + work.seconds
        busy = self._busy.setdefault(request.endpoint, [])
        if len(busy) >= workers:
            start = max(now, busy[0])
            if start > now + request.lifetime:
                return _Work.failure(_EXPIRED), now + request.lifetime
            heappop(busy)
        heappush(busy, start + work.seconds)
        return work, start + work.seconds

    def _write(self, location: str, work: _Work, due: float) -> None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        stored = StoredObject(work.body, work.content_type, modified=due)
        self._objects.put(bucket, key, stored, lambda: self._clock() >= due)


def _outcome(reply: Reply, request: AsyncRequest, region: str) -> _Work:
    """What a container's reply comes to: one that never ends, or ends too late, has timed out."""
    seconds = reply.delay_ms / 1000
    if reply.ending is Ending.NEVER or seconds > request.time_out:
        reply = model_error(request.endpoint, region, 0, _TIMED_OUT)
        seconds = float(request.time_out)
    elif reply.ending is not Ending.COMPLETE:
        reply = model_error(request.endpoint, region, 500, _DIED)
    if reply.status >= _ERROR:
        return _Work.failure(code_and_message(reply)[1], seconds)
    return _Work(seconds, reply.body, reply.content_type)


def _locations(request: AsyncRequest, asynchronous: AsyncDeployment, region: str) -> tuple[str, str]:
    """Where the answer and where a failure go. Without a Filename no two requests share a location."""
    folder = f"/{request.extension}" if request.extension else ""
    name = request.filename or f"{uuid4()}.out"
    stem, dot, ending = name.partition(".")
    outputs = asynchronous.output_path(request.endpoint, region)
    failures = asynchronous.failure_path(request.endpoint, region)
    return f"{outputs}{folder}/{name}", f"{failures}{folder}/{stem}-error{dot}{ending}"
