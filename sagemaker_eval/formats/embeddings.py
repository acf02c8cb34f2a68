"""The request shapes of embedding endpoints. All answers are read by `vectors`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from sagemaker_eval.formats.base import EMBEDDING_FORMATS
from sagemaker_eval.formats.bodies import encode, encode_text, is_json
from sagemaker_eval.formats.vectors import read_vector, split_batch
from sagemaker_eval.model import Json, Reading, Sampling


class _Embedding:
    def read(self, document: Json) -> Reading:
        return read_vector(document)


class BatchEmbedding(_Embedding, ABC):
    """A format whose servers take several texts in one request."""

    @abstractmethod
    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes: ...

    @abstractmethod
    def batch_body(self, texts: Sequence[str]) -> bytes:
        """The request body for several texts. Raises `FormatError` where one of them cannot be sent."""

    def split(self, document: Json, count: int) -> list[Json]:
        """The answer to `count` texts as one answer for each text, in their order.

        Raises `EndpointFault` where the document is an error, `ExtractionError` where it cannot be taken apart.
        """
        return split_batch(document, count)


class OpenAIEmbedding(BatchEmbedding):
    """OpenAI-compatible servers (vLLM, TEI's `/v1`, Voyage): `{"input": text}`, without `model`, which vLLM refuses
    where it is not its own."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return encode({"input": prompt})

    def batch_body(self, texts: Sequence[str]) -> bytes:
        return encode({"input": list(texts)})


class HuggingFaceEmbedding(BatchEmbedding):
    """Hugging Face containers (TEI, feature extraction, LMI): `{"inputs": text}`."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return encode({"inputs": prompt})

    def batch_body(self, texts: Sequence[str]) -> bytes:
        return encode({"inputs": list(texts)})


class JumpStartEmbedding(BatchEmbedding):
    """JumpStart's BGE, MiniLM, E5, GTE and GPT-J: `{"text_inputs": [text], "mode": "embedding"}`."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return self.batch_body((prompt,))

    def batch_body(self, texts: Sequence[str]) -> bytes:
        return encode({"text_inputs": list(texts), "mode": "embedding"})


class CohereEmbedding(BatchEmbedding):
    """Cohere Embed: `{"texts": [text], "input_type": "search_document", "truncate": "END"}`."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return self.batch_body((prompt,))

    def batch_body(self, texts: Sequence[str]) -> bytes:
        return encode({"texts": list(texts), "input_type": "search_document", "truncate": "END"})


class CustomEmbedding(_Embedding):
    """Any other endpoint: the text under each of the names `input`, `text` and `inputs`; with a `contentType` other
    than JSON the text alone."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        if not is_json(content_type):
            return encode_text(prompt)
        return encode({"input": prompt, "text": prompt, "inputs": prompt})


def batch_format(model_type: str) -> BatchEmbedding | None:
    """The format of an embedding model type whose servers take several texts at once; None where they do not."""
    found = EMBEDDING_FORMATS.get(model_type)
    return found if isinstance(found, BatchEmbedding) else None


EMBEDDING_FORMATS.register("openai")(OpenAIEmbedding())
EMBEDDING_FORMATS.register("huggingface")(HuggingFaceEmbedding())
EMBEDDING_FORMATS.register("jumpstart")(JumpStartEmbedding())
EMBEDDING_FORMATS.register("cohere")(CohereEmbedding())
EMBEDDING_FORMATS.register("custom")(CustomEmbedding())
