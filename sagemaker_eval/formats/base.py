"""What a format is, and the registries that the formats of this package file themselves in."""

from __future__ import annotations

from typing import Protocol

from sagemaker_eval.model import Json, Reading, Sampling
from sagemaker_eval.registry import Registry


class Format(Protocol):
    """How one type of model is asked and how its answers are read."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        """The request body for a rendered prompt. Raises `FormatError` where the prompt cannot become one."""
        ...

    def read(self, document: Json) -> Reading:
        """Output, usage and finish reason from a decoded answer; `found=False` where no known shape fits.

        Raises `EndpointFault` where the document is an error that came with HTTP 200.
        """
        ...


FORMATS: Registry[Format] = Registry("model type")
"""Formats of text endpoints, by the model type that ids and `modelType` name."""

EMBEDDING_FORMATS: Registry[Format] = Registry("embedding model type")
"""Formats of embedding endpoints; `read` yields one vector, a list of floats."""
