"""Objects in S3, where asynchronous endpoints take their requests from and leave their answers.

boto3 does the talking, in threads of its own: it finds buckets in other regions and signs as S3 wants it. The client
is made when the first object is asked for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.sagemaker.object_faults import ObjectCall, is_missing, object_error

T = TypeVar("T")

THREADS = 10
"""Calls to S3 at a time: as many as botocore keeps connections."""

_SCHEME = "s3://"


class S3Client(Protocol):
    """What is used of boto3's client."""

    meta: Any

    def put_object(self, **members: Any) -> Mapping[str, Any]: ...

    def get_object(self, **members: Any) -> Mapping[str, Any]: ...

    def head_object(self, **members: Any) -> Mapping[str, Any]: ...

    def delete_object(self, **members: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Location:
    """Where an object is."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> Location | None:
        """The location that `s3://bucket/key` names, None for any other text."""
        bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
        return cls(bucket, key) if uri.startswith(_SCHEME) and bucket and key else None

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it was read; `modified` is when it was written by S3's clock, in whole seconds."""

    body: bytes
    content_type: str
    modified: datetime | None


class Objects:
    """Puts, gets and deletes objects with one client. Use it in one event loop.

    `make_client` is called once, in a thread. `notice` is told, once, that objects could not be deleted.
    Each method raises `SetupError` for what no other call could survive either (permission, credentials, a bucket
    that does not exist), with the IAM statement that is missing in its hint, and `EndpointFault` for what may pass.
    """

    def __init__(self, make_client: Callable[[], S3Client], notice: Callable[[str], None]) -> None:
        self._make_client = make_client
        self._notice = notice
        self._noticed = False
        self._client: S3Client | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sageval-s3")
        self._closed = False
        self._discards: dict[Location, asyncio.Future[None]] = {}

    async def make_ready(self) -> None:
        """Have the client made, so that nothing keeps a call from going out."""
        await self._run(lambda client: None)

    async def put(self, location: Location, body: bytes, content_type: str) -> None:
        """Write an object, over the one that may be there."""
        if discard := self._discards.get(location):
            await asyncio.wait([discard])  # lest it delete what is written now
        await self._run(partial(_put, location, body, content_type))

    async def get(self, location: Location) -> StoredObject | None:
        """The object, None where there is none.

        S3 says 404 for a missing object only to those who may list the bucket; to others it says 403, which counts
        as missing where it names `s3:ListBucket` as what was denied.
        """
        return await self._run(partial(_get, location))

    async def exists(self, location: Location) -> bool:
        """Whether there is such an object; True where S3 does not tell."""
        return await self._run(partial(_exists, location))

    async def delete(self, location: Location) -> None:
        """Delete an object; one that is not there is no error."""
        await self._run(partial(_delete, location))

    def discard(self, location: Location) -> None:
        """Delete an object while the caller goes on; where that fails, it is said once for all objects."""
        if self._closed:
            return
        act = partial(_delete, location)
        task = asyncio.get_running_loop().run_in_executor(self._threads, self._call, act)
        self._discards[location] = task
        task.add_done_callback(partial(self._discarded, location))

    def _discarded(self, location: Location, task: asyncio.Future[None]) -> None:
        if self._discards.get(location) is task:
            del self._discards[location]
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._noticed:
            self._noticed = True
            advice = f"; {error.hint}" if isinstance(error, SagevalError) and error.hint else ""
            self._notice(f"requests stay in S3 although they were answered: {error}{advice}")

    async def close(self) -> None:
        """Wait for what is still being deleted, and let the threads go; closing twice does nothing."""
        self._closed = True
        if self._discards:
            await asyncio.wait(list(self._discards.values()))
        self._threads.shutdown(wait=False)

    async def _run(self, act: Callable[[S3Client], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, act)

    def _call(self, act: Callable[[S3Client], T]) -> T:
        with self._lock:
            if self._client is None:
                self._client = self._make_client()
        return act(self._client)


def _put(location: Location, body: bytes, content_type: str, client: S3Client) -> None:
    members = {"ContentType": content_type} if content_type else {}
    with _told(client, "s3:PutObject", location):
        client.put_object(Bucket=location.bucket, Key=location.key, Body=body, **members)


def _get(location: Location, client: S3Client) -> StoredObject | None:
    with _told(client, "s3:GetObject", location):
        try:
            found = client.get_object(Bucket=location.bucket, Key=location.key)
        except Exception as error:
            if is_missing(error):
                return None
            raise
        body: bytes = found["Body"].read()
    return StoredObject(body, str(found.get("ContentType") or ""), found.get("LastModified"))


def _exists(location: Location, client: S3Client) -> bool:
    try:
        client.head_object(Bucket=location.bucket, Key=location.key)
    except Exception as error:
        return not is_missing(error)
    return True


def _delete(location: Location, client: S3Client) -> None:
    with _told(client, "s3:DeleteObject", location):
        client.delete_object(Bucket=location.bucket, Key=location.key)


@contextmanager
def _told(client: S3Client, action: str, location: Location) -> Iterator[None]:
    """Turns what boto3 raises within into errors of ours."""
    try:
        yield
    except Exception as error:
        meta = client.meta
        call = ObjectCall(action, location.bucket, location.key, meta.region_name, meta.partition)
        told = object_error(error, call)
        if told is error:
            raise
        raise told from error
