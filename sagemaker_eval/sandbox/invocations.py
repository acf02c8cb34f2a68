"""The calls of SageMaker Runtime that a request can be: which operation, of which endpoint, and what it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sagemaker_eval.model import Operation
from sagemaker_eval.sandbox.containers.asking import decode
from sagemaker_eval.sandbox.signature import Incoming

NEW_SESSION = "NEW_SESSION"
"""The session id with which a caller asks for a session."""

_PATH = re.compile(
    r"/endpoints/(?P<endpoint>[^/?]+)"
    r"(?:/(?P<kind>invocations|invocations-response-stream|async-invocations)"
    r"|(?:/inference-components/(?P<component>[^/?]+))?/openai/v1/chat/completions)"
    r"(?:\?.*)?"
)
_OPERATIONS = {
    "invocations": Operation.INVOKE,
    "invocations-response-stream": Operation.STREAM,
    "async-invocations": Operation.ASYNC,
    None: Operation.OPENAI,
}
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_HEADER = "x-amzn-sagemaker-"


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of an endpoint. `component` is the inference component that the path or the header names."""

    operation: Operation
    endpoint: str
    component: str | None
    incoming: Incoming

    @property
    def variant(self) -> str | None:
        """The production variant that the caller wants; None where it names none that could exist."""
        name = self.header("target-variant")
        return name if _NAME.fullmatch(name) else None

    @property
    def custom_attributes(self) -> str:
        return self.header("custom-attributes")

    @property
    def streams(self) -> bool:
        """Whether the answer goes out as it comes; a client of OpenAI asks for that in the body."""
        if self.operation is not Operation.OPENAI:
            return self.operation is Operation.STREAM
        document = decode(self.incoming.body)
        return isinstance(document, dict) and document.get("stream") is True

    def header(self, name: str) -> str:
        """A header of SageMaker's by the end of its name; empty where it is missing."""
        return self.incoming.headers.get(_HEADER + name, "")


def read_invocation(incoming: Incoming) -> Invocation | None:
    """The call that a request is; None for any other request."""
    match = _PATH.fullmatch(incoming.target) if incoming.method == "POST" else None
    if match is None:
        return None
    operation = _OPERATIONS[match["kind"]]
    component = match["component"]
    named = unquote(component) if component else incoming.headers.get(f"{_HEADER}inference-component")
    return Invocation(operation, unquote(match["endpoint"]), named, incoming)
