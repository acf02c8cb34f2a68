"""The events in the bytes of a stream, in whichever dialect they came.

Server-sent events, JSON lines, a JSON document that was not streamed, and plain text are told apart by how the bytes
begin. The content type counts only where the bytes leave it open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sagemaker_eval.formats.stream_readers import BOM, Event, JsonReader, Reader, SseReader, TextReader

_BLANK = b" \t\r\n"
_FIELDS = (b"event:", b"id:", b"retry:", b":")
"""Lines that may stand before the first `data:`; a comment begins with the colon."""
_JSON_START = re.compile(rb'\{\s*["}]|\[\s*\{')
_JSON_PERHAPS = re.compile(rb"\{\s*|\[\s*")


class Events:
    """Cuts the bytes of a stream into events; `sse` says whether they are server-sent ones, once that is known."""

    def __init__(self, content_type: str = "") -> None:
        self._media_type = content_type.partition(";")[0].strip().lower()
        self._start = b""
        self._reader: Reader | None = None

    @property
    def sse(self) -> bool:
        return isinstance(self._reader, SseReader)

    @property
    def _says_sse(self) -> bool:
        return self._media_type == "text/event-stream"

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete. Raises `EndpointFault` for a line that is broken."""
        if self._reader is None:
            data = self._start = self._start + data
            self._reader = self._found(ended=False)
            if self._reader is None:
                return
            self._start = b""
        yield from self._reader.feed(data)

    def close(self) -> Iterator[Event]:
        """The events that the end completes. Raises `EndpointFault` where it comes in the middle of one."""
        if self._reader is None:
            self._reader = self._found(ended=True) or (SseReader() if self._says_sse else TextReader())
            yield from self._reader.feed(self._start)
        yield from self._reader.close()

    def _found(self, ended: bool) -> Reader | None:
        """The reader of the dialect, None where more has to be seen."""
        start = self._start.removeprefix(BOM).lstrip(_BLANK)
        if _JSON_START.match(start) or (ended and _JSON_PERHAPS.fullmatch(start)):
            return JsonReader(text_allowed=self._media_type.startswith("text/"))
        if not start or _JSON_PERHAPS.fullmatch(start):
            return None
        return self._sse_or_text(start, ended)

    def _sse_or_text(self, start: bytes, ended: bool) -> Reader | None:
        lines = start.split(b"\n")
        for place, line in enumerate(lines, 1):
            whole = ended or place < len(lines)
            if line.startswith(b"data:"):
                return self._by_first_data(line[5:].strip(), whole)
            if line.startswith(_FIELDS) or not line.strip():
                continue
            if not whole and any(field.startswith(line) for field in (b"data:", *_FIELDS)):
                return None
            return TextReader()
        return None

    def _by_first_data(self, value: bytes, whole: bool) -> Reader | None:
        if self._says_sse or value.startswith(b"[DONE]") or _JSON_START.match(value):
            return SseReader()
        if not whole:
            return None
        return SseReader() if _JSON_PERHAPS.fullmatch(value) else TextReader()
