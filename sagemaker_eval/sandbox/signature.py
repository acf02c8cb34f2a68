"""Checks Signature Version 4 of a received request, with botocore's own canonical form.

Source of the scheme: AWS, "Signature Version 4 signing process". botocore builds the canonical request and the string
to sign from what arrived on the wire; the signature over it must be the one that the caller sent.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from http.client import HTTPMessage
from typing import Self

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagemaker_eval.sandbox.replies import Refusal, aws_error

SERVICE = "sagemaker"
OBJECT_STORE = "s3"
ALGORITHM = "AWS4-HMAC-SHA256"
TOLERANCE = timedelta(minutes=15)
_CACHED_SCOPES = 64
_PARTS = ("Credential", "Signature", "SignedHeaders")
_CREDENTIAL = re.compile(r"Credential=[^,]*/([^/,]*)/([^/,]*)/aws4_request")
_UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it arrived. `target` is path and query as sent; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and for which service a caller says that it signed."""

    region: str
    service: str


def claimed_scope(headers: Mapping[str, str]) -> Scope | None:
    """The scope in the authorization header, unchecked; None where it names none."""
    match = _CREDENTIAL.search(headers.get("authorization", ""))
    return Scope(match[1], match[2]) if match else None


@dataclass(frozen=True, slots=True)
class _Authorization:
    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


class _ScopedSigner(SigV4Auth):
    """botocore's SigV4 of one day, region and service, over exactly the headers that the caller signed.

    The signing key depends on nothing else, so it is derived once.
    """

    def __init__(self, credentials: Credentials, date: str, region: str, service: str) -> None:
        super().__init__(credentials, service, region)
        key = f"AWS4{credentials.secret_key}".encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        self._key = key

    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        return request.headers

    def signature(self, string_to_sign: str, request: AWSRequest) -> str:
        return hmac.digest(self._key, string_to_sign.encode(), "sha256").hex()


class _ObjectSigner(_ScopedSigner):
    """S3 signs the path as it is sent: the name of an object may hold `//` and `..`."""

    def _normalize_url_path(self, path: str) -> str:
        return path


class SignatureCheck:
    """Knows one pair of keys. `clock` gives seconds since the epoch."""

    def __init__(self, access_key_id: str, secret_access_key: str, clock: Callable[[], float] = time.time) -> None:
        self._credentials = Credentials(access_key_id, secret_access_key)
        self._clock = clock
        self._service = SERVICE
        self._signers: dict[tuple[str, str], _ScopedSigner] = {}

    def of_service(self, service: str) -> Self:
        """The same check for requests to another service, by the name that its signatures carry."""
        other = copy(self)
        other._service, other._signers = service, {}
        return other

    def region(self, incoming: Incoming) -> str:
        """The region that the request was signed for. Raises `Refusal`, worded as AWS words it."""
        authorization = _authorization(incoming.headers)
        timestamp = self._timestamp(incoming.headers)
        self._check_scope(authorization, timestamp)
        signer = self._signer(authorization.date, authorization.region)
        signed = {name: incoming.headers[name] for name in authorization.signed_headers if name in incoming.headers}
        request = AWSRequest(incoming.method, f"http://host{incoming.target}", signed, incoming.body)
        request.context["timestamp"] = timestamp
        canonical = signer.canonical_request(request)
        to_sign = signer.string_to_sign(request, canonical)
        expected = signer.signature(to_sign, request)
        genuine = hmac.compare_digest(expected.encode(), authorization.signature.encode())
        if not (genuine and self._vouches_for_body(signer, request)):
            raise Refusal(aws_error(403, "InvalidSignatureException", {"message": _mismatch(canonical, to_sign)}))
        return authorization.region

    def _check_scope(self, authorization: _Authorization, timestamp: str) -> None:
        if authorization.access_key_id != self._credentials.access_key:
            message = "The security token included in the request is invalid."
            raise Refusal(aws_error(403, "UnrecognizedClientException", {"message": message}))
        if authorization.service != self._service:
            raise _invalid(f"Credential should be scoped to correct service: '{self._service}'. ")
        if authorization.date != timestamp[:8]:
            raise _invalid(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{authorization.date}' != '{timestamp[:8]}', from '{timestamp}'."
            )
        if "host" not in authorization.signed_headers:
            raise _invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")

    def _timestamp(self, headers: Mapping[str, str]) -> str:
        """When the request was signed, as ISO 8601 basic; never further from now than the tolerance."""
        signed_at = _signing_time(headers)
        now = datetime.fromtimestamp(self._clock(), UTC)
        stamp = signed_at.strftime(SIGV4_TIMESTAMP)
        present = now.strftime(SIGV4_TIMESTAMP)
        if signed_at < now - TOLERANCE:
            oldest = (now - TOLERANCE).strftime(SIGV4_TIMESTAMP)
            raise _invalid(f"Signature expired: {stamp} is now earlier than {oldest} ({present} - 15 min.)")
        if signed_at > now + TOLERANCE:
            newest = (now + TOLERANCE).strftime(SIGV4_TIMESTAMP)
            raise _invalid(f"Signature not yet current: {stamp} is still later than {newest} ({present} + 15 min.)")
        return stamp

    def _vouches_for_body(self, signer: SigV4Auth, request: AWSRequest) -> bool:
        """A caller may sign a digest that it sends along; then the digest must be that of the body.

        Objects may also come unsigned, or in chunks that are signed one by one: those signatures are believed.
        """
        stated = request.headers.get("x-amz-content-sha256")
        if stated is None or (self._service == OBJECT_STORE and stated.startswith(_UNSIGNED)):
            return True
        return bool(stated == signer.payload(request))

    def _signer(self, date: str, region: str) -> _ScopedSigner:
        signer = self._signers.get((date, region))
        if signer is None:
            if len(self._signers) >= _CACHED_SCOPES:
                self._signers.clear()
            kind = _ObjectSigner if self._service == OBJECT_STORE else _ScopedSigner
            signer = self._signers[date, region] = kind(self._credentials, date, region, self._service)
        return signer


def _authorization(headers: Mapping[str, str]) -> _Authorization:
    header = headers.get("authorization", "")
    if not header:
        refused = aws_error(403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"})
        raise Refusal(refused)
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise _incomplete(f"Unsupported AWS 'algorithm': '{algorithm}'.")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    missing = [f"Authorization header requires '{name}' parameter." for name in _PARTS if not parts.get(name)]
    if missing:
        raise _incomplete(f"{' '.join(missing)} Authorization={algorithm}")
    scope = parts["Credential"].rsplit("/", 4)
    if len(scope) != 5 or scope[4] != "aws4_request":
        raise _incomplete(
            f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
            f"'{parts['Credential']}'"
        )
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    access_key_id, date, region, service = scope[:4]
    return _Authorization(access_key_id, date, region, service, signed, parts["Signature"])


def _signing_time(headers: Mapping[str, str]) -> datetime:
    try:
        if stamp := headers.get("x-amz-date"):
            return _parsed(stamp)
        if date := headers.get("date"):
            return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        raise _incomplete("Date must be in ISO-8601 'basic format'.") from None
    raise _incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")


@lru_cache(maxsize=256)
def _parsed(stamp: str) -> datetime:
    """A stamp counts whole seconds, so many requests share one."""
    return datetime.strptime(stamp, SIGV4_TIMESTAMP).replace(tzinfo=UTC)


def _mismatch(canonical: str, to_sign: str) -> str:
    return (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.\n\n"
        f"The Canonical String for this request should have been\n'{canonical}'\n\n"
        f"The String-to-Sign should have been\n'{to_sign}'\n"
    )


def _invalid(message: str) -> Refusal:
    return Refusal(aws_error(403, "InvalidSignatureException", {"message": message}))


def _incomplete(message: str) -> Refusal:
    return Refusal(aws_error(403, "IncompleteSignatureException", {"message": message}))
