from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.server import Sandbox

Serve = Callable[..., Sandbox]
Connect = Callable[..., "Caller"]


@dataclass(frozen=True)
class Caller:
    """A boto3 client that sends each request once."""

    client: Any

    def invoke(self, endpoint: str, document: Json, **members: Any) -> dict[str, Any]:
        """boto3's response, with the body read."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        members.setdefault("ContentType", "application/json")
        response: dict[str, Any] = {**self.client.invoke_endpoint(EndpointName=endpoint, Body=body, **members)}
        return {**response, "Body": response["Body"].read()}

    def parts(self, endpoint: str, document: Json, **members: Any) -> Iterator[bytes]:
        """The parts of a streamed answer, as they come."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        members.setdefault("ContentType", "application/json")
        response = self.client.invoke_endpoint_with_response_stream(EndpointName=endpoint, Body=body, **members)
        with closing(response["Body"]) as stream:
            for event in stream:
                yield event["PayloadPart"]["Bytes"]

    def ask(self, endpoint: str, document: Json, **members: Any) -> Json:
        """The decoded body of the answer."""
        return json.loads(self.invoke(endpoint, document, **members)["Body"])


@pytest.fixture(autouse=True)
def _no_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Opens a sandbox for the text of a script."""
    with ExitStack() as stack:

        def open_sandbox(script: str = "", **options: Any) -> Sandbox:
            parsed = SandboxScript.parse(parse_yaml(script, "script.yaml"), "script.yaml")
            return stack.enter_context(Sandbox(parsed, **options))

        yield open_sandbox


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects boto3 to a sandbox, with its keys or with others."""
    with ExitStack() as stack:

        def open_client(
            sandbox: Sandbox, key_id: str | None = None, secret: str | None = None, read_timeout: float = 20
        ) -> Caller:
            client = boto3.Session().client(
                "sagemaker-runtime",
                endpoint_url=sandbox.url,
                region_name="eu-central-1",
                aws_access_key_id=key_id or sandbox.access_key_id,
                aws_secret_access_key=secret or sandbox.secret_access_key,
                config=Config(
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    proxies={},
                    max_pool_connections=32,
                    read_timeout=read_timeout,
                ),
            )
            stack.callback(client.close)
            return Caller(client)

        yield open_client
