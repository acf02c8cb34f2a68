"""Reading the bodies of answers: what stands in them, and what a format makes of it."""

from __future__ import annotations

import json

from sagemaker_eval.formats.base import Format
from sagemaker_eval.model import Json, Reading

NO_JSON = object()
"""Stands for the document of a body that is none: some containers answer in plain text."""


class BodyReader:
    """Reads bodies with one format. A fresh body, which the check and then the provider ask for, is read once."""

    def __init__(self, format_: Format) -> None:
        self._format = format_
        self._last: tuple[bytes, Json, Reading] = (b"", NO_JSON, Reading(""))

    def read(self, body: bytes) -> tuple[Json, Reading]:
        """The JSON of a body, or `NO_JSON`, and what it says; text that is no JSON is all output.

        Raises what the format raises: `EndpointFault` for an error, `ExtractionError` for what it cannot read.
        """
        last, document, reading = self._last
        if body is not last:
            document = _decoded(body)
            reading = Reading(body.decode("utf-8", "replace")) if document is NO_JSON else self._format.read(document)
            self._last = body, document, reading
        return document, reading


def _decoded(body: bytes) -> Json:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NO_JSON
