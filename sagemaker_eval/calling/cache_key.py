"""The key of an answer in the cache: a digest of everything that determines the answer."""

from __future__ import annotations

import hashlib

from sagemaker_eval.model import Operation, Request

ENCODING = b"sageval answer 1"
"""Names this encoding; another encoding takes another name, so that old keys never fit it."""

DEPLOYED = b"sageval answer 2"
"""The encoding in which the fingerprint and the revision follow the region."""

ENDPOINT = b"sageval endpoint 1"
"""The encoding of the name of an endpoint."""


def cache_key(
    target_identity: str, url: str, region: str, request: Request, fingerprint: str = "", revision: str = ""
) -> str:
    """SHA-256 in hex over target, URL, region, what is deployed there, and the request, its repetition included.

    `target_identity` says as whom the call is made (account or profile) or which sandbox script answers; it must hold
    no secret. `fingerprint` is another text for each deployment of the endpoint, `revision` what the user calls the
    present one; without both the key is what it was before there were any. Each part goes in behind its length
    (8 bytes, big-endian), so no two lists of parts look alike.
    """
    place: tuple[str, ...] = (target_identity, url, region)
    encoding = ENCODING
    if fingerprint or revision:
        place, encoding = (*place, fingerprint, revision), DEPLOYED
    return _digest(encoding, _parts(place, request))


def endpoint_key(target_identity: str, url: str, region: str, endpoint: str) -> str:
    """SHA-256 in hex that names an endpoint, whatever is deployed there: what its last known fingerprint is kept by."""
    return _digest(ENDPOINT, [_encoded(part) for part in (target_identity, url, region, endpoint)])


def _parts(place: tuple[str, ...], request: Request) -> list[bytes]:
    texts = (*place, request.endpoint, request.content_type, request.accept)
    parts = [text.encode("utf-8", "surrogatepass") for text in texts]
    parts += (b"%d" % request.repeat, request.body)
    for member in sorted(request.routing):
        parts += map(_encoded, member)
    if request.operation is not Operation.INVOKE:
        parts.append(_encoded(request.operation))
    return parts


def _digest(encoding: bytes, parts: list[bytes]) -> str:
    digest = hashlib.sha256(encoding)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
