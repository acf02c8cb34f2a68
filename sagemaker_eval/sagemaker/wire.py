"""What goes over the wire: a call to SageMaker Runtime as an HTTP request, signed with AWS Signature Version 4.

Method, path, headers, body and `Authorization` are those of a boto3 client with the same credentials at the same
second. Three headers differ, none of them signed: `User-Agent` is our own; `amz-sdk-invocation-id` and
`amz-sdk-request` number the attempts of botocore's retry loop, which is not in use here, and are not sent.
`Accept-Encoding: identity` is what boto3's HTTP library adds below the signature.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from sagemaker_eval import __version__
from sagemaker_eval.model import Operation, Request
from sagemaker_eval.sagemaker.service import serialize
from sagemaker_eval.sagemaker.session import Target

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

METHOD = "POST"
SIGNING_NAME = "sagemaker"
UNSIGNED_HEADERS = {"User-Agent": f"sageval/{__version__}", "Accept-Encoding": "identity"}

_HASH_DIGITS = 64
_MAX_TEMPLATES = 1024
_TemplateKey = tuple[Operation, str, str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """One HTTP request, ready to send."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class _Draft:
    """All of a signed request that does not depend on its body; holds for one second and one set of credentials."""

    stamp: str
    credentials: ReadOnlyCredentials
    headers: dict[str, str]
    canonical_head: str
    to_sign_head: str
    authorization_head: str
    key: bytes


@dataclass(slots=True)
class _Template:
    """What requests with the same operation, endpoint and members share, and the draft that was last made of it."""

    url: str
    headers: dict[str, str]
    draft: _Draft | None = None


class Wire:
    """Turns requests into signed HTTP requests to one target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._templates: dict[_TemplateKey, _Template] = {}

    def sign(self, request: Request, credentials: ReadOnlyCredentials, now: datetime) -> SignedRequest:
        """The signed request; `now` is in UTC. Raises `EndpointFault` for members that cannot be sent.

        Only the hash of the body, and the two digests that depend on it, are computed anew for each request.
        """
        template = self._template(request)
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        draft = template.draft
        if draft is None or draft.stamp != stamp or draft.credentials is not credentials:
            draft = template.draft = self._draft(template, credentials, stamp)
        canonical = draft.canonical_head + sha256(request.body).hexdigest()
        to_sign = draft.to_sign_head + sha256(canonical.encode()).hexdigest()
        signature = hmac.digest(draft.key, to_sign.encode(), "sha256").hex()
        headers = {**draft.headers, "Authorization": draft.authorization_head + signature}
        return SignedRequest(METHOD, template.url, headers, request.body)

    def _template(self, request: Request) -> _Template:
        key = (request.operation, request.endpoint, request.content_type, request.accept, request.routing)
        template = self._templates.get(key)
        if template is None:
            path, headers = serialize(request)
            if len(self._templates) >= _MAX_TEMPLATES:  # members that differ from call to call
                self._templates.clear()
            template = self._templates[key] = _Template(self.target.url + path, headers)
        return template

    def _draft(self, template: _Template, credentials: ReadOnlyCredentials, stamp: str) -> _Draft:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        headers = {**template.headers, "X-Amz-Date": stamp}
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        signer = SigV4Auth(credentials, SIGNING_NAME, self.target.region)
        request = AWSRequest(method=METHOD, url=template.url, headers=headers, data=b"")
        request.context["timestamp"] = stamp
        signed_headers = signer.signed_headers(signer.headers_to_sign(request))
        canonical = signer.canonical_request(request)
        return _Draft(
            stamp=stamp,
            credentials=credentials,
            headers=headers | UNSIGNED_HEADERS,
            canonical_head=canonical[:-_HASH_DIGITS],
            to_sign_head=signer.string_to_sign(request, canonical)[:-_HASH_DIGITS],
            authorization_head=(
                f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={signed_headers}, Signature="
            ),
            key=_signing_key(credentials.secret_key or "", stamp[:8], self.target.region),
        )


def _signing_key(secret_key: str, date: str, region: str) -> bytes:
    """The key of one day, region and service ("Create a signed AWS API request", IAM User Guide, step 4)."""
    key = f"AWS4{secret_key}".encode()
    for part in (date, region, SIGNING_NAME, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
