"""boto3 clients whose requests go to a plane of the stand-in instead of a network, signed and parsed as ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import Config
from botocore.compat import HTTPHeaders

from sagemaker_eval.sandbox.replies import Reply, unknown_operation
from sagemaker_eval.sandbox.signature import Incoming

KEY_ID, SECRET = "KEY", "secret"

Answer = Callable[[Incoming], Reply | None]


@cache
def _session() -> Any:
    """It keeps the models of services, which take long to read."""
    return boto3.Session()


@dataclass(frozen=True)
class _Body:
    """The body of a response, as urllib3 would give it."""

    content: bytes

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.content

    def read(self, *_: object, **__: object) -> bytes:
        return self.content


def connected(
    service: str, answer: Answer, secret: str = SECRET, endpoint_url: str | None = None, **settings: Any
) -> Any:
    """A client of `service` that `answer` replies to."""
    client = _session().client(
        service,
        endpoint_url=endpoint_url,
        region_name=settings.pop("region_name", "eu-west-1"),
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, **settings),
    )
    client.meta.events.register("before-send", lambda request, **_: _response(request, answer))
    return client


def incoming_of(request: AWSPreparedRequest) -> Incoming:
    """What a server would receive."""
    url = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    headers.setdefault("host", url.netloc)
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    return Incoming(request.method, target, headers, _bytes(request.body))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    """A body as it goes over the wire: bytes, text, or a file, which may encode in chunks what it holds."""
    content = body.read() if hasattr(body, "read") else body or b""
    return content.encode() if isinstance(content, str) else bytes(content)


def _response(request: AWSPreparedRequest, answer: Answer) -> AWSResponse:
    reply = answer(incoming_of(request)) or unknown_operation()
    headers = HTTPHeaders()
    for name, value in (("Content-Type", reply.content_type), *reply.headers):
        headers[name] = value
    body = b"" if request.method == "HEAD" else reply.body
    headers["Content-Length"] = str(len(reply.body))
    return AWSResponse(request.url, reply.status, headers, _Body(body))
