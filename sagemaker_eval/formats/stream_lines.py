"""Streams of JSON documents without a protocol of their own, and documents that were not streamed."""

from __future__ import annotations

from sagemaker_eval.formats.stream_joining import joined
from sagemaker_eval.model import Json

PIECE_KEYS = ("generation", "text", "completion", "response", "content", "output")
"""Where a document may hold its piece of the text."""


class LineStream:
    """Documents that each hold a piece of the text under the same key, such as LMI's `{"outputs": [" Par"]}`.

    The document is the last value of each key, with all pieces joined. One document alone is an answer that was not
    streamed; several without a known key are a list. Such streams have no mark of their end.
    """

    ended = True

    def __init__(self) -> None:
        self._documents: list[Json] = []
        self._pieces: dict[str, list[str]] = {}
        self._outputs: dict[int, list[str]] = {}

    def take(self, event: dict[str, Json]) -> int:
        self._documents.append(event)
        outputs = event.get("outputs")
        if isinstance(outputs, list) and all(isinstance(output, str) for output in outputs):
            for position, output in enumerate(outputs):
                self._outputs.setdefault(position, []).append(output)
            return int(any(outputs))
        pieces = {key: event[key] for key in PIECE_KEYS if isinstance(event.get(key), str)}
        for key, piece in pieces.items():
            self._pieces.setdefault(key, []).append(piece)
        return int(any(pieces.values()))

    def take_list(self, document: list[Json]) -> int:
        """A list is never a piece."""
        self._documents.append(document)
        return 0

    def document(self) -> Json:
        if len(self._documents) == 1:
            return self._documents[0]
        if not (self._pieces or self._outputs):
            return self._documents
        merged: dict[str, Json] = {}
        for document in self._documents:
            if isinstance(document, dict):
                merged.update({key: value for key, value in document.items() if value is not None})
        merged.update({key: joined(pieces) for key, pieces in self._pieces.items()})
        if self._outputs:
            merged["outputs"] = [joined(pieces) for pieces in self._outputs.values()]
        return merged
