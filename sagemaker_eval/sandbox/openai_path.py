"""The path for OpenAI's clients: a bearer token in place of a signature, and errors in OpenAI's envelope.

`/endpoints/<endpoint>[/inference-components/<component>]/openai/v1/chat/completions`. The token is `sagemaker-api-key-`
and the base64 of a presigned request, made without asking AWS: a POST to `sagemaker.amazonaws.com`, action
CallWithBearerToken, signed in its query for the service `sagemaker`; without its scheme and with `&Version=1` at its
end.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.sandbox.containers.asking import NOT_JSON, decode
from sagemaker_eval.sandbox.replies import Refusal, Reply, aws_error
from sagemaker_eval.sandbox.signature import ALGORITHM, SERVICE, TOLERANCE

PREFIX = "sagemaker-api-key-"
HOST = "sagemaker.amazonaws.com"
LONGEST_LIFE = 43_200
"""Seconds that a token may live."""

_ACTION = "CallWithBearerToken"
_ENDING = "&Version=1"
_SIGNATURE = re.compile(r"&X-Amz-Signature=[^&]*")
_ERROR = 400
_TOO_MANY = 429
_NEEDED = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Signature", "X-Amz-SignedHeaders")
_NOT_VALID = "The bearer token included in the request is invalid"


class BearerCheck:
    """Knows one pair of keys. `clock` gives seconds since the epoch."""

    def __init__(self, access_key_id: str, secret_access_key: str, clock: Callable[[], float]) -> None:
        self._credentials = Credentials(access_key_id, secret_access_key)
        self._clock = clock

    def region(self, headers: Mapping[str, str]) -> str:
        """The region that the token was made for. Raises `Refusal`."""
        url = _presigned(headers.get("authorization", ""))
        query = dict(parse_qsl(urlsplit(f"//{url}").query, keep_blank_values=True))
        missing = [name for name in _NEEDED if not query.get(name)]
        if missing:
            raise _invalid(f"it lacks {', '.join(missing)}")
        if not url.startswith(f"{HOST}/?") or query.get("Action") != _ACTION:
            raise _invalid(f"it must be made for {_ACTION} of {HOST}")
        region = self._region_of_scope(query)
        self._check_life(query)
        if not hmac.compare_digest(self._signature(url, query, region).encode(), query["X-Amz-Signature"].encode()):
            raise _invalid("its signature does not match")
        return region

    def _region_of_scope(self, query: Mapping[str, str]) -> str:
        scope = query["X-Amz-Credential"].rsplit("/", 4)
        if len(scope) != 5 or scope[3:] != [SERVICE, "aws4_request"] or query.get("X-Amz-Algorithm") != ALGORITHM:
            raise _invalid(f"its credential must be scoped to {SERVICE}")
        key_id, date, region = scope[:3]
        if key_id != self._credentials.access_key:
            raise _refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        if date != query["X-Amz-Date"][:8]:
            raise _invalid("its date is not that of its credential")
        return region

    def _check_life(self, query: Mapping[str, str]) -> None:
        try:
            begin = datetime.strptime(query["X-Amz-Date"], SIGV4_TIMESTAMP).replace(tzinfo=UTC)
            life = int(query["X-Amz-Expires"])
        except ValueError:
            raise _invalid("its date or its lifetime cannot be read") from None
        if not 0 < life <= LONGEST_LIFE:
            raise _invalid(f"it must live for 1 to {LONGEST_LIFE} seconds")
        now = datetime.fromtimestamp(self._clock(), UTC)
        if begin > now + TOLERANCE:
            raise _invalid("it is not valid yet")
        if now > begin + timedelta(seconds=life):
            raise _refused("ExpiredTokenException", "The bearer token included in the request is expired")

    def _signature(self, url: str, query: Mapping[str, str], region: str) -> str:
        """The signature that belongs there, by botocore's canonical form of the request that was presigned."""
        signed = _SIGNATURE.sub("", url.removesuffix(_ENDING))
        request = AWSRequest("POST", f"https://{signed}")
        request.context["timestamp"] = query["X-Amz-Date"]
        signer = SigV4Auth(self._credentials, SERVICE, region)
        to_sign = signer.string_to_sign(request, signer.canonical_request(request))
        signature: str = signer.signature(to_sign, request)
        return signature


def enveloped(reply: Reply) -> Reply:
    """An error as OpenAI's clients read it; throttling has the status 429. A success stays as it is."""
    if reply.status < _ERROR:
        return reply
    code = dict(reply.headers).get("x-amzn-ErrorType", "").rstrip(":")
    if not code:
        return reply
    told = decode(reply.body)
    fields = told if told is not NOT_JSON and isinstance(told, dict) else {}
    message = fields.get("Message") or fields.get("message") or code
    status = _TOO_MANY if code == "ThrottlingException" else reply.status
    error: Json = {"message": message, "type": code, "param": None, "code": status}
    return replace(reply, status=status, body=compact_json({"error": error}).encode())


def _presigned(authorization: str) -> str:
    """The presigned URL in a bearer token, without its scheme."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _refused("MissingAuthenticationTokenException", "The request must have a bearer token")
    text = token.strip()
    if not text.startswith(PREFIX):
        raise _invalid(f"it must begin with {PREFIX}")
    try:
        return b64decode(text.removeprefix(PREFIX), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise _invalid("it is not the base64 of a presigned URL") from None


def _invalid(reason: str) -> Refusal:
    return _refused("InvalidSignatureException", f"{_NOT_VALID}: {reason}")


def _refused(code: str, message: str) -> Refusal:
    return Refusal(aws_error(403, code, {"message": message}))
