"""The key of an answer in the cache: a digest of everything that determines the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from sagemaker_eval.model import Operation, Request

ENCODING = b"sageval answer 1"
"""Names this encoding; another encoding takes another name, so that old keys never fit it."""


def cache_key(target_identity: str, url: str, region: str, request: Request) -> str:
    """SHA-256 in hex over target, URL, region and request, its repetition included.

    `target_identity` says as whom the call is made (account or profile) or which sandbox script answers; it must hold
    no secret. Each part goes in behind its length (8 bytes, big-endian), so no two lists of parts look alike.
    """
    digest = hashlib.sha256(ENCODING)
    for part in _parts(target_identity, url, region, request):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _parts(target_identity: str, url: str, region: str, request: Request) -> Iterator[bytes]:
    yield from map(_encoded, (target_identity, url, region, request.endpoint, request.content_type, request.accept))
    yield str(request.repeat).encode()
    yield request.body
    for name, value in sorted(request.routing):
        yield _encoded(name)
        yield _encoded(value)
    if request.operation is not Operation.INVOKE:
        yield _encoded(request.operation)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
