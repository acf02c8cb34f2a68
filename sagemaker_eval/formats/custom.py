"""The `custom` model type."""

from __future__ import annotations

from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.bodies import encode, encode_text, is_json, parse_json
from sagemaker_eval.formats.reading import Shape, read_text
from sagemaker_eval.model import Json, Reading, Sampling

PREFERRED: tuple[Shape, ...] = (
    ("output", "message"),
    ("output",),
    ("generation",),
    ("response",),
    ("text",),
    ("generated_text",),
    ("choices", 0, "message"),
    ("choices", 0, "text"),
)


class CustomFormat:
    """Any other endpoint: the prompt is the request.

    A prompt that is JSON is sent as that JSON, other text as `{"prompt": ...}`, and with a `contentType` other than
    JSON as it stands. Nothing is added: temperature, token limit, stop sequences and `chat` do not apply.
    """

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        if not is_json(content_type):
            return encode_text(prompt)
        try:
            return encode(parse_json(prompt))
        except ValueError:
            return encode({"prompt": prompt})

    def read(self, document: Json) -> Reading:
        return read_text(document, PREFERRED)


FORMATS.register("custom")(CustomFormat())
