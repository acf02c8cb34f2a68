"""What the key of an answer was made of, in a form that can be kept beside the answer and read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias
from urllib.parse import urlsplit, urlunsplit

from sagemaker_eval.calling.cache_key import cache_key, endpoint_key
from sagemaker_eval.calling.cache_sketch import Sketch, body_digest, sketch_of
from sagemaker_eval.model import Operation, Request, compact_json

Routing: TypeAlias = tuple[tuple[str, str], ...]

_NAMES_OF_MODELS = frozenset({"InferenceComponentName", "TargetContainerHostname", "TargetModel", "TargetVariant"})
"""Members of a call whose values are names of AWS resources; those of all others may be anybody's secret."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The parts of a key. It holds no text of the body, no value of a header, no credentials of a URL."""

    endpoint: str
    body: str
    """The digest of the body."""
    body_bytes: int
    content_type: str = "application/json"
    accept: str = "application/json"
    routing: Routing = ()
    operation: str = Operation.INVOKE.value
    repeat: int = 0
    identity: str | None = None
    """None, as for the next two: not told by whoever stored the answer."""
    url: str | None = None
    region: str | None = None
    fingerprint: str = ""
    revision: str = ""
    sketch: Sketch | None = field(default=None, compare=False)
    run: str = field(default="", compare=False)
    """The id of the run that made the call, where there was one."""

    @classmethod
    def of(cls, request: Request) -> Origin:
        """What the request alone tells."""
        return cls(
            endpoint=shown_address(request.endpoint),
            body=body_digest(request.body),
            body_bytes=len(request.body),
            content_type=request.content_type,
            accept=request.accept,
            routing=tuple((name, _shown_member(name, value)) for name, value in sorted(request.routing)),
            operation=request.operation.value,
            repeat=request.repeat,
            sketch=sketch_of(request.body),
        )

    def written(self, run: str = "") -> str:
        """As JSON, without what is as usual and without the endpoint, which has a column of its own."""
        told = {name: value for name, usual in _USUAL if (value := getattr(self, name)) != usual}
        return compact_json({**told, "run": run} if run else told)

    @classmethod
    def read(cls, endpoint: str, written: str) -> Origin:
        """What was `written`, by this version or by one that knows more parts. Raises `ValueError`."""
        told = json.loads(written)
        try:
            known = {name: told[name] for name, _ in _USUAL if name in told}
            routing = tuple((str(name), str(value)) for name, value in told.get("routing", ()))
            return cls(endpoint, **{**known, "routing": routing})
        except (TypeError, AttributeError) as error:
            raise ValueError("the parts of a key cannot be read") from error


_REQUIRED = object()
_USUAL = tuple(
    (part.name, _REQUIRED if part.name in ("body", "body_bytes") else part.default)
    for part in fields(Origin)
    if part.name != "endpoint"
)
"""The parts that are written, each with the value for which it is left out."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Makes the keys of one endpoint's answers, and tells what they are made of.

    `fingerprint` is asked for each key, since it may become known late; the empty text stands for not known.
    """

    identity: str
    url: str
    region: str
    revision: str = ""
    fingerprint: Callable[[], str] = str

    def __call__(self, request: Request) -> str:
        """The key of a request, as `cache_key` has it."""
        return cache_key(self.identity, self.url, self.region, request, self.fingerprint(), self.revision)

    def origin(self, request: Request) -> Origin:
        """What the key of a request is made of."""
        return replace(
            Origin.of(request),
            identity=self.identity,
            url=shown_address(self.url),
            region=self.region,
            fingerprint=self.fingerprint(),
            revision=self.revision,
        )

    def endpoint_key(self, endpoint: str) -> str:
        """What the last known fingerprint of an endpoint is kept by."""
        return endpoint_key(self.identity, self.url, self.region, endpoint)


def shown_address(address: str) -> str:
    """A name as it is; of a URL with a user, a password or a query, these as the beginning of a digest."""
    if "?" not in address and "@" not in address:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return f"#{_digest(address)}"
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return f"{bare}#{_digest(address)}"


def _shown_member(name: str, value: str) -> str:
    return value if name in _NAMES_OF_MODELS else f"#{_digest(value)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
