"""Reading the bodies of answers: what stands in them, and what a format makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable

from sagemaker_eval.formats.base import Format
from sagemaker_eval.formats.streams import read_stream
from sagemaker_eval.model import Answer, Json, Reading

NO_JSON = object()
"""Stands for the document of a body that is none: some containers answer in plain text."""


class BodyReader:
    """Reads bodies with one format. A fresh body, which the check and then the provider ask for, is read once.

    `streamed`: bodies are whole streams, which are put together first.
    """

    def __init__(self, format_: Format, streamed: bool = False) -> None:
        self._format = format_
        self._decoded = _streamed if streamed else _decoded
        self._last: tuple[bytes, Json, Reading] = (b"", NO_JSON, Reading(""))

    def read(self, answer: Answer) -> tuple[Json, Reading]:
        """The JSON of an answer's body, or `NO_JSON`, and what it says; text that is no JSON is all output.

        Raises what the format raises: `EndpointFault` for an error, `ExtractionError` for what it cannot read.
        """
        last, document, reading = self._last
        if answer.body is not last:
            document, text = self._decoded(answer)
            reading = Reading(text()) if document is NO_JSON else self._format.read(document)
            self._last = answer.body, document, reading
        return document, reading


def _decoded(answer: Answer) -> tuple[Json, Callable[[], str]]:
    try:
        return json.loads(answer.body), str
    except (ValueError, RecursionError):
        return NO_JSON, lambda: answer.body.decode("utf-8", "replace")


def _streamed(answer: Answer) -> tuple[Json, Callable[[], str]]:
    streamed = read_stream(answer.body, answer.content_type)
    return (NO_JSON, lambda: str(streamed.document)) if streamed.is_text else (streamed.document, str)
