"""A small S3 in memory: what asynchronous inference reads its requests from and writes its answers to.

PutObject, GetObject, HeadObject, DeleteObject, ListObjectsV2 and HeadBucket, the bucket in the path or in the host's
name. Every bucket exists. Source of the shapes: Amazon S3 API reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from urllib.parse import parse_qs, unquote

from sagemaker_eval.sandbox import object_listing
from sagemaker_eval.sandbox.aws_chunked import CHECKSUM, ENCODING, BrokenUpload, encodings, upload
from sagemaker_eval.sandbox.json_service import code_and_message
from sagemaker_eval.sandbox.object_listing import Listed
from sagemaker_eval.sandbox.replies import Refusal, Reply
from sagemaker_eval.sandbox.s3_errors import XML, s3_error
from sagemaker_eval.sandbox.signature import OBJECT_STORE, Incoming, SignatureCheck, claimed_scope

_METADATA = "x-amz-meta-"
_KEPT = ("content-disposition", "content-language", "cache-control")
_DEFAULT_TYPE = "binary/octet-stream"
_LOCAL_HOSTS = (".localhost", ".127.0.0.1")
_LONGEST_KEY = 1024
_CODES = {
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "UnrecognizedClientException": "InvalidAccessKeyId",
    "MissingAuthenticationTokenException": "AccessDenied",
    "IncompleteSignatureException": "AuthorizationHeaderMalformed",
}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object. `headers` are those that reading it gives back beside its type; `modified` is seconds."""

    body: bytes = field(repr=False)
    content_type: str = _DEFAULT_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    checksums: tuple[tuple[str, str], ...] = ()
    modified: float = 0.0

    @property
    def etag(self) -> str:
        return f'"{md5(self.body, usedforsecurity=False).hexdigest()}"'


def _always() -> bool:
    return True


class Objects:
    """The objects of all buckets. `clock` gives seconds since the epoch.

    `denied` holds permissions that callers lack: without `ListBucket` a missing object is a 403, as in S3. Without
    `signatures`, which may be those of any service, every caller is believed.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        denied: Iterable[str] = (),
        signatures: SignatureCheck | None = None,
    ) -> None:
        self._clock = clock
        self._denied = frozenset(denied)
        self._signatures = signatures.of_service(OBJECT_STORE) if signatures else None
        self._objects: dict[tuple[str, str], tuple[StoredObject, Callable[[], bool]]] = {}

    def get(self, bucket: str, key: str) -> StoredObject | None:
        """The object, None where there is none yet."""
        stored, is_there = self._objects.get((bucket, key), (None, _always))
        return stored if is_there() else None

    def put(self, bucket: str, key: str, stored: StoredObject, is_there: Callable[[], bool] = _always) -> None:
        """Stores an object, which readers find from the moment on at which `is_there` is true."""
        self._objects[bucket, key] = stored, is_there

    def delete(self, bucket: str, key: str) -> None:
        """Removes an object, if it is there."""
        if self.get(bucket, key) is not None:
            del self._objects[bucket, key]

    def listed(self, bucket: str) -> list[Listed]:
        """The objects of a bucket, by key."""
        keys = sorted(key for owner, key in self._objects if owner == bucket)
        found = ((key, self.get(bucket, key)) for key in keys)
        return [Listed(key, each.etag, len(each.body), each.modified) for key, each in found if each is not None]

    def reply(self, incoming: Incoming) -> Reply | None:
        """The reply to a request that is signed for S3; None for any other."""
        scope = claimed_scope(incoming.headers)
        if scope is None or scope.service != OBJECT_STORE:
            return None
        try:
            self._check(incoming)
            return self._answer(_Asked.of(incoming))
        except Refusal as refusal:
            return refusal.reply

    def _check(self, incoming: Incoming) -> None:
        if self._signatures is None:
            return
        try:
            self._signatures.region(incoming)
        except Refusal as refusal:
            code, message = code_and_message(refusal.reply)
            raise s3_error(403, _CODES.get(code, code), message) from None

    def _answer(self, asked: _Asked) -> Reply:
        incoming = asked.incoming
        if not asked.bucket:
            raise s3_error(403, "AccessDenied", "The sandbox does not list buckets.")
        if not asked.key:
            return self._bucket(asked)
        operation = {"PUT": self._put, "GET": self._get, "HEAD": self._get, "DELETE": self._delete}.get(incoming.method)
        if operation is None or set(asked.query) - {"x-id"} or "x-amz-copy-source" in incoming.headers:
            raise _not_implemented()
        return operation(asked)

    def _bucket(self, asked: _Asked) -> Reply:
        self._allow("ListBucket", asked)
        if asked.incoming.method == "HEAD":
            return Reply(200, b"", XML)
        if asked.incoming.method != "GET" or asked.query.get("list-type") != "2":
            raise _not_implemented()
        return object_listing.reply(asked.bucket, self.listed(asked.bucket), asked.query)

    def _put(self, asked: _Asked) -> Reply:
        self._allow("PutObject", asked)
        if len(asked.key.encode()) > _LONGEST_KEY:
            raise s3_error(400, "KeyTooLongError", "Your key is too long")
        headers = asked.incoming.headers
        if headers.get("if-none-match") == "*" and self.get(asked.bucket, asked.key) is not None:
            raise s3_error(412, "PreconditionFailed", "At least one of the preconditions did not hold", asked.key)
        try:
            sent = upload(headers, asked.incoming.body)
        except BrokenUpload as broken:
            raise s3_error(400, "BadDigest", f"The upload is broken: {broken}", asked.key) from None
        checksums = tuple(sent.checksums.items())
        kind = headers.get("content-type", _DEFAULT_TYPE)
        stored = StoredObject(sent.body, kind, tuple(_kept(headers)), checksums, self._clock())
        self.put(asked.bucket, asked.key, stored)
        return Reply(200, b"", XML, (("ETag", stored.etag), *checksums))

    def _get(self, asked: _Asked) -> Reply:
        self._allow("GetObject", asked)
        stored = self.get(asked.bucket, asked.key)
        if stored is None:
            self._allow("ListBucket", asked)
            raise s3_error(404, "NoSuchKey", "The specified key does not exist.", asked.key)
        headers = [
            ("ETag", stored.etag),
            ("Last-Modified", formatdate(stored.modified, usegmt=True)),
            ("Accept-Ranges", "bytes"),
            *stored.headers,
        ]
        wanted = asked.incoming.headers.get("range")
        if wanted is not None:
            return _part(stored, wanted, headers, asked.key)
        if asked.incoming.headers.get(f"{CHECKSUM}mode", "").upper() == "ENABLED":
            headers.extend(stored.checksums)
        return Reply(200, stored.body, stored.content_type, tuple(headers))

    def _delete(self, asked: _Asked) -> Reply:
        self._allow("DeleteObject", asked)
        self.delete(asked.bucket, asked.key)
        return Reply(204, b"", XML)

    def _allow(self, permission: str, asked: _Asked) -> None:
        if permission in self._denied:
            raise s3_error(403, "AccessDenied", f"Access Denied: s3:{permission}", asked.key)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request to S3: bucket, key and query decoded. Either name may be empty."""

    incoming: Incoming
    bucket: str
    key: str
    query: Mapping[str, str]

    @classmethod
    def of(cls, incoming: Incoming) -> _Asked:
        path, _, query = incoming.target.partition("?")
        decoded = unquote(path.removeprefix("/"))
        host = _bucket_in_host(incoming.headers.get("host", ""))
        bucket, _, key = (host, "", decoded) if host else decoded.partition("/")
        members = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
        return cls(incoming, bucket, key, members)


def _bucket_in_host(host: str) -> str:
    """The bucket of `bucket.localhost` or `bucket.s3.region.amazonaws.com`; empty where the path names it."""
    name = host.rpartition(":")[0] if ":" in host else host
    for suffix in _LOCAL_HOSTS:
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    bucket, found, _ = name.partition(".s3.")
    return bucket if found and name.endswith((".amazonaws.com", ".amazonaws.com.cn")) else ""


def _kept(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, value in headers.items():
        if name.startswith(_METADATA) or name in _KEPT:
            yield name, value
    rest = [each for each in encodings(headers) if each != ENCODING]
    if rest:
        yield "content-encoding", ",".join(rest)


def _part(stored: StoredObject, wanted: str, headers: list[tuple[str, str]], key: str) -> Reply:
    """A range of bytes: `bytes=0-99`, `bytes=100-` or `bytes=-20`."""
    size = len(stored.body)
    first, dash, last = wanted.removeprefix("bytes=").partition("-")
    if not dash or not (first or last).isdecimal() or (first and last and not last.isdecimal()):
        raise s3_error(400, "InvalidArgument", f"The range {wanted} is not valid", key)
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise s3_error(416, "InvalidRange", "The requested range is not satisfiable", key)
    headers.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
    return Reply(206, stored.body[start:end], stored.content_type, tuple(headers))


def _not_implemented() -> Refusal:
    return s3_error(501, "NotImplemented", "The sandbox does not know this operation of S3.")
