"""What cuts the bytes of a stream into events, one reader for each dialect.

Bytes may be cut anywhere: within a line, an escape or a character. Server-sent events are those of the "HTML Living
Standard", section 9.2.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Final, Protocol, TypeAlias

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Json


class Done:
    """The mark `[DONE]`, after which nothing comes."""


DONE: Final = Done()

Event: TypeAlias = "str | dict[str, Json] | list[Json] | Done"
"""A piece of plain text, a JSON document, or the mark that ends the stream."""

BOM = codecs.BOM_UTF8
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR_THE_END = 6
"""Characters that a cut may leave of `false` or of an escape, which json then finds fault with."""


def truncated(what: str) -> EndpointFault:
    """The fault of a stream that lacks its end; `what` completes "the stream ended"."""
    return EndpointFault(
        f"the stream ended {what}",
        code="StreamTruncated",
        retry=Retry.COUNTED,
        hint="the answer is not complete: look at the container's log for what ended it",
    )


class Reader(Protocol):
    """Cuts the bytes of one dialect into events."""

    def feed(self, data: bytes) -> Iterator[Event]: ...

    def close(self) -> Iterator[Event]: ...


class TextReader:
    """Plain text: every character that is complete is passed on at once."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> Iterator[Event]:
        if text := self._decoder.decode(data):
            yield text

    def close(self) -> Iterator[Event]:
        if text := self._decoder.decode(b"", final=True):
            yield text


class SseReader:
    """Server-sent events. A `data:` line that is a JSON document by itself need not wait for the blank line after it.

    The data of an event named `error` is an error, whatever it looks like. A stream that begins with plain text is text
    throughout: there, braces are nothing but characters.
    """

    def __init__(self) -> None:
        self._lines = _Lines()
        self._name = ""
        self._pending: str | None = None
        self._plain: bool | None = None

    def feed(self, data: bytes) -> Iterator[Event]:
        for line in self._lines.feed(data):
            yield from self._line(line.removesuffix("\r"))

    def close(self) -> Iterator[Event]:
        yield from self._line(self._lines.rest().removesuffix("\r"))
        pending = (self._pending or "").lstrip()
        if pending.startswith(("{", "[")) and not self._plain and self._name != "error":
            raise truncated("in the middle of a JSON document")
        yield from self._line("")

    def _line(self, line: str) -> Iterator[Event]:
        if not line:
            pending, self._pending = self._pending, None
            if pending is not None and self._name == "error":
                yield {"error": pending}
            elif pending is not None:
                self._plain = self._plain is not False
                yield pending
            self._name = ""
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value.strip()
        elif name == "data":
            yield from self._data(value if self._pending is None else f"{self._pending}\n{value}")

    def _data(self, value: str) -> Iterator[Event]:
        stripped = value.strip()
        if stripped == "[DONE]":
            self._pending = None
            yield DONE
            return
        documents = _decoded(stripped) if stripped.startswith(("{", "[")) and not self._plain else None
        self._pending = value if documents is None else None
        if documents:
            self._plain = False
        for document in documents or ():
            is_error = self._name == "error" and isinstance(document, dict) and "error" not in document
            yield {"error": document} if is_error else document


class JsonReader:
    """JSON lines, or a document over many lines that was not streamed.

    `text_allowed` says that what is no JSON in the end may be text that merely looks like its beginning.
    """

    def __init__(self, text_allowed: bool) -> None:
        self._lines = _Lines()
        self._text_allowed = text_allowed
        self._seen = False
        self._whole: list[str] | None = None

    def feed(self, data: bytes) -> Iterator[Event]:
        for line in self._lines.feed(data):
            if self._whole is not None:
                self._whole.append(line)
            else:
                yield from self._line(line)

    def close(self) -> Iterator[Event]:
        rest = self._lines.rest()
        if self._whole is not None:
            yield from self._documents_of("\n".join([*self._whole, rest]))
        elif not self._seen:
            yield from self._documents_of(rest)
        elif rest.strip():
            yield from self._next(rest)

    def _line(self, line: str) -> Iterator[Event]:
        if not line.strip():
            return
        if self._seen:
            yield from self._next(line)
            return
        documents = _decoded(line)
        if documents is None:
            self._whole = [line]
            return
        self._seen = True
        yield from documents

    def _next(self, line: str) -> Iterator[Event]:
        if line.strip() in {"[DONE]", "data: [DONE]", "data:[DONE]"}:
            yield DONE
            return
        documents = _decoded(line)
        if documents is None:
            raise truncated("in the middle of a JSON document")
        yield from documents

    def _documents_of(self, text: str) -> Iterator[Event]:
        documents = _decoded(text)
        if documents is not None:
            yield from documents
        elif not self._text_allowed and _is_cut(text):
            raise truncated("in the middle of a JSON document")
        else:
            yield text


class _Lines:
    """Cuts bytes at line feeds alone, which no other character of UTF-8 holds; JSON may hold other line ends raw."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._first = True

    def feed(self, data: bytes) -> Iterator[str]:
        if b"\n" not in data:
            self._pieces.append(data)
            return
        *lines, rest = data.split(b"\n")
        lines[0] = b"".join([*self._pieces, lines[0]])
        self._pieces = [rest]
        for line in lines:
            yield self._text(line)

    def rest(self) -> str:
        return self._text(b"".join(self._pieces))

    def _text(self, line: bytes) -> str:
        if self._first:
            self._first, line = False, line.removeprefix(BOM)
        return line.decode("utf-8", "replace")


def _decoded(text: str) -> list[dict[str, Json] | list[Json]] | None:
    """The JSON objects and lists that a text is made of, mostly one; None where it is anything else."""
    documents = []
    place = _after_space(text, 0)
    try:
        while place < len(text):
            document, place = _DECODER.raw_decode(text, place)
            if not isinstance(document, dict | list):
                return None
            documents.append(document)
            place = _after_space(text, place)
    except (ValueError, RecursionError):
        return None
    return documents or None


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _is_cut(text: str) -> bool:
    """Whether a text that is no JSON would be if it went on."""
    text = text.strip()
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Unterminated") or error.pos >= len(text) - _NEAR_THE_END
    except RecursionError:
        return False
    return False
