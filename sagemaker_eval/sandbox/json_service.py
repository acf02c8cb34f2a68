"""AWS's JSON 1.1 protocol on the side of a service: `POST /`, the operation in `X-Amz-Target`, members as JSON.

Errors carry their code in the member `__type`, and always HTTP 400, 403 included. Source: the protocol of AWS's service
models that botocore calls `json`.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.sandbox.replies import ACCOUNT, Refusal, Reply
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck, claimed_scope

T = TypeVar("T")

CONTENT_TYPE = "application/x-amz-json-1.1"
DEFAULT_REGION = "us-east-1"
_MOST = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """One call: the operation, its members, and the region that it was signed for."""

    operation: str
    members: Mapping[str, Any]
    region: str

    def text(self, name: str) -> str:
        """A member that must be there. Raises `Refusal` where it is missing, empty or no text."""
        value = self.members.get(name)
        if isinstance(value, str) and value:
            return value
        member = name[0].lower() + name[1:]
        raise invalid(
            f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must not be null"
        )


Operation: TypeAlias = Callable[[Asked], Json]


class JsonService:
    """Answers the operations of one service, which `prefix` names in `X-Amz-Target`.

    With `signatures`, which know the service, the signature of a request must be right.
    """

    def __init__(
        self, prefix: str, operations: Mapping[str, Operation], signatures: SignatureCheck | None = None
    ) -> None:
        self._prefix = f"{prefix}."
        self._operations = operations
        self._signatures = signatures

    def reply(self, incoming: Incoming) -> Reply | None:
        """The reply; None where the request is for another service."""
        target = incoming.headers.get("x-amz-target", "")
        if incoming.method != "POST" or not target.startswith(self._prefix):
            return None
        try:
            return json_reply(self._answer(incoming, target.removeprefix(self._prefix)))
        except Refusal as refusal:
            return refusal.reply

    def _answer(self, incoming: Incoming, name: str) -> Json:
        region = self._region(incoming)
        operation = self._operations.get(name)
        if operation is None:
            raise refused("UnknownOperationException", f"The sandbox does not know the operation {name}.")
        return operation(Asked(name, _members(incoming.body), region))

    def _region(self, incoming: Incoming) -> str:
        if self._signatures is None:
            scope = claimed_scope(incoming.headers)
            return scope.region if scope else DEFAULT_REGION
        try:
            return self._signatures.region(incoming)
        except Refusal as refusal:
            raise refused(*code_and_message(refusal.reply)) from None


def json_reply(document: Json) -> Reply:
    return Reply(200, compact_json(document).encode(), CONTENT_TYPE)


def refused(code: str, message: str) -> Refusal:
    document: Json = {"__type": code, "message": message}
    return Refusal(Reply(400, compact_json(document).encode(), CONTENT_TYPE, (("x-amzn-ErrorType", f"{code}:"),)))


def invalid(message: str) -> Refusal:
    return refused("ValidationException", message)


def not_authorized(action: str, resource: str) -> Refusal:
    message = (
        f"User: arn:aws:iam::{ACCOUNT}:user/sandbox is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
    return refused("AccessDeniedException", message)


def code_and_message(reply: Reply) -> tuple[str, str]:
    """What an error says, for services that word errors in another form. Code and message may be empty."""
    code = dict(reply.headers).get("x-amzn-ErrorType", "").removesuffix(":")
    try:
        document = json.loads(reply.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return code, ""
    return code, document.get("Message") or document.get("message") or ""


def page(items: Sequence[T], members: Mapping[str, Any], default: int = 10) -> tuple[Sequence[T], dict[str, Json]]:
    """The items that `MaxResults` and `NextToken` ask for, and the `NextToken` of the rest, if there is any."""
    size = members.get("MaxResults", default)
    if not isinstance(size, int) or not 1 <= size <= _MOST:
        raise invalid(f"MaxResults must be a whole number from 1 to {_MOST}.")
    start = _offset(members.get("NextToken"))
    end = start + size
    return items[start:end], {"NextToken": _token(end)} if end < len(items) else {}


def _token(offset: int) -> str:
    return urlsafe_b64encode(f"from {offset}".encode()).decode()


def _offset(token: object) -> int:
    if not token:
        return 0
    try:
        return int(urlsafe_b64decode(str(token)).decode().removeprefix("from "))
    except ValueError:
        raise invalid("The NextToken is not one that this service gave.") from None


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise refused("SerializationException", "The body is not a JSON object.")
    return members
