"""The pages of S3's ListObjectsV2. Source: Amazon S3 API reference."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from sagemaker_eval.sandbox.replies import Reply
from sagemaker_eval.sandbox.s3_errors import XML, s3_error

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST_KEYS = 1000
_AFTER_ALL = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Listed:
    """An object in a list. `size` is bytes, `modified` seconds since the epoch."""

    key: str
    etag: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class _Page:
    objects: list[Listed]
    prefixes: list[str]
    last: str | None
    """The key or prefix that the next page comes after; None where there is no further page."""


def reply(bucket: str, objects: Sequence[Listed], query: Mapping[str, str]) -> Reply:
    """The page that the query asks for. `objects` are those of the bucket, sorted by key."""
    most = _most(query.get("max-keys", str(_MOST_KEYS)))
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = _key(query["continuation-token"]) if "continuation-token" in query else query.get("start-after", "")
    remaining = [each for each in objects if each.key.startswith(prefix) and each.key > after]
    found = _page(remaining, prefix, delimiter, most)
    encoded = query.get("encoding-type") == "url"

    def shown(text: str) -> str:
        return quote(text) if encoded else text

    members = {
        "Name": bucket,
        "Prefix": shown(prefix),
        "Delimiter": shown(delimiter) if delimiter else None,
        "MaxKeys": str(most),
        "KeyCount": str(len(found.objects) + len(found.prefixes)),
        "EncodingType": "url" if encoded else None,
        "IsTruncated": "false" if found.last is None else "true",
        "ContinuationToken": query.get("continuation-token"),
        "NextContinuationToken": None if found.last is None else _token(found.last),
        "StartAfter": shown(query["start-after"]) if "start-after" in query else None,
    }
    root = Element("ListBucketResult", xmlns=_NAMESPACE)
    _add(root, members)
    for each in found.objects:
        _add(SubElement(root, "Contents"), _contents(each, shown(each.key)))
    for common in found.prefixes:
        _add(SubElement(root, "CommonPrefixes"), {"Prefix": shown(common)})
    return Reply(200, tostring(root, "utf-8", xml_declaration=True), XML)


def _page(objects: Sequence[Listed], prefix: str, delimiter: str, most: int) -> _Page:
    """The first `most` entries; keys with the delimiter after the prefix are one entry, up to the delimiter."""
    kept: list[Listed] = []
    prefixes: list[str] = []
    last = ""
    for each in objects:
        cut = each.key.find(delimiter, len(prefix)) if delimiter else -1
        common = each.key[: cut + len(delimiter)] if cut >= 0 else None
        if common is not None and prefixes and prefixes[-1] == common:
            continue
        if len(kept) + len(prefixes) == most:
            return _Page(kept, prefixes, last if most else None)
        if common is None:
            kept.append(each)
            last = each.key
        else:
            prefixes.append(common)
            last = common + _AFTER_ALL
    return _Page(kept, prefixes, None)


def _contents(each: Listed, key: str) -> dict[str, str | None]:
    modified = datetime.fromtimestamp(each.modified, UTC)
    return {
        "Key": key,
        "LastModified": modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "ETag": each.etag,
        "Size": str(each.size),
        "StorageClass": "STANDARD",
    }


def _add(parent: Element, members: Mapping[str, str | None]) -> None:
    for name, text in members.items():
        if text is not None:
            SubElement(parent, name).text = text


def _most(text: str) -> int:
    if not text.isdecimal():
        raise s3_error(400, "InvalidArgument", "max-keys must be a whole number")
    return min(int(text), _MOST_KEYS)


def _token(key: str) -> str:
    return urlsafe_b64encode(key.encode()).decode()


def _key(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError:
        raise s3_error(400, "InvalidArgument", "The continuation token provided is incorrect") from None
