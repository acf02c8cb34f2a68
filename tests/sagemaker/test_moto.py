"""Our way and boto3's, side by side against moto, an independent stand-in for AWS."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sagemaker_eval.model import Request
from sagemaker_eval.sagemaker.session import static_target
from sagemaker_eval.sagemaker.transport import ConnectionPool, Transport
from sagemaker_eval.sagemaker.wire import Wire

KEYS = ("AKIAEXAMPLE", "secret", "token")
REQUESTS = [
    Request("ep-1", b'{"inputs": "one"}', routing=(("CustomAttributes", "a=b"), ("TargetVariant", "blue"))),
    Request("ep-1", '{"inputs": "zwölf"}'.encode(), accept="text/csv"),
    Request("ep-2", b"1,2,3", content_type="text/csv", routing=(("InferenceId", "id-1"),)),
]
RESULTS = [
    {"Body": json.dumps([{"generated_text": f"answer {n}"}]), "ContentType": "application/json",
     "InvokedProductionVariant": f"variant-{n}", "CustomAttributes": ""}
    for n in range(len(REQUESTS))
]  # fmt: skip
VOLATILE = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "x-amz-date", "authorization"}

Exchange = list[tuple[bytes, str | None, str]]


class Moto:
    """A moto server: its queue of answers, and its record of requests."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _post(self, path: str, document: Any = None) -> None:
        data = json.dumps(document or {}).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers)) as response:
            assert response.status in {200, 201}

    def record(self, provider: Callable[[str], Exchange]) -> tuple[Exchange, list[Any]]:
        """The answers that a provider got out of a freshly filled queue, and the requests that it made."""
        self._post("/moto-api/reset")
        queue = {"account_id": "123456789012", "region": "us-east-1", "results": RESULTS}
        self._post("/moto-api/static/sagemaker/endpoint-results", queue)
        self._post("/moto-api/recorder/reset-recording")
        self._post("/moto-api/recorder/start-recording")
        answers = provider(self.url)
        self._post("/moto-api/recorder/stop-recording")
        with urllib.request.urlopen(self.url + "/moto-api/recorder/download-recording") as response:
            return answers, [json.loads(line) for line in response.read().splitlines()]


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Moto]:
    monkeypatch.setattr("moto.moto_api.recorder._location", str(tmp_path / "recording"))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Moto(f"http://{host}:{port}")
    server.stop()


def boto3_answers(url: str) -> Exchange:
    session = boto3.Session(*KEYS, region_name="us-east-1")
    client = session.client("sagemaker-runtime", endpoint_url=url)
    answers = []
    for request in REQUESTS:
        answer = client.invoke_endpoint(
            EndpointName=request.endpoint, Body=request.body, ContentType=request.content_type, Accept=request.accept,
            **dict(request.routing),
        )  # fmt: skip
        answers.append((answer["Body"].read(), answer["InvokedProductionVariant"], answer["ContentType"]))
    client.close()
    return answers


def our_answers(url: str) -> Exchange:
    async def ask() -> Exchange:
        target = static_target(url, "us-east-1", "test", *KEYS)
        pool = ConnectionPool(1, proxies=False)
        transport = Transport(Wire(target), target.credentials, pool)
        answers = [await transport(request) for request in REQUESTS]
        await pool.close()
        return [(answer.body, answer.variant, answer.content_type) for answer in answers]

    return asyncio.run(ask())


def essence(recorded: Any) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in recorded["headers"].items()}
    return {
        "method": recorded["method"],
        "url": recorded["url"],
        "headers": {name: value for name, value in headers.items() if name not in VOLATILE},
        "signed": headers["authorization"].split("SignedHeaders=")[1].split(",")[0],
        "body": base64.b64decode(recorded["body"]),
    }


def test_moto_sees_and_answers_the_same_requests(moto: Moto) -> None:
    their_answers, their_requests = moto.record(boto3_answers)
    answers, requests = moto.record(our_answers)
    assert answers == their_answers
    assert [body for body, _, _ in answers] == [str(result["Body"]).encode() for result in RESULTS]
    assert [essence(request) for request in requests] == [essence(request) for request in their_requests]
    assert [essence(request)["body"] for request in requests] == [request.body for request in REQUESTS]
