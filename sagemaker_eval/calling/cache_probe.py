"""A cache that is only asked what it has: each request is stopped where it would be looked up."""

from __future__ import annotations

from sagemaker_eval.calling.cache_origin import Origin
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.errors import CaseError


class LookedUp(CaseError):
    """Raised in place of an answer: the `key` that a request is kept under, what it is made of, and the body."""

    kind = "lookup"

    def __init__(self, key: str, origin: Origin, body: bytes) -> None:
        super().__init__(f"the cache was asked for `{key}`")
        self.key = key
        self.origin = origin
        self.body = body


class Probe(CacheStore):
    """A store over which `Cached` answers nothing and makes no call, but raises `LookedUp`.

    So a request goes the whole way that it goes in a run, up to the cache, and nothing is sent or stored.
    """
