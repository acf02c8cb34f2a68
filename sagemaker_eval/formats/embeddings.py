"""The request shapes of embedding endpoints. All answers are read by `vectors.read_vector`."""

from __future__ import annotations

from sagemaker_eval.formats.base import EMBEDDING_FORMATS
from sagemaker_eval.formats.bodies import encode, encode_text, is_json
from sagemaker_eval.formats.vectors import read_vector
from sagemaker_eval.model import Json, Reading, Sampling


class _Embedding:
    def read(self, document: Json) -> Reading:
        return read_vector(document)


class OpenAIEmbedding(_Embedding):
    """OpenAI-compatible servers (vLLM, TEI's `/v1`, Voyage): `{"input": text}`, without `model`, which vLLM refuses
    where it is not its own."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return encode({"input": prompt})


class HuggingFaceEmbedding(_Embedding):
    """Hugging Face containers (TEI, feature extraction, LMI): `{"inputs": text}`."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return encode({"inputs": prompt})


class JumpStartEmbedding(_Embedding):
    """JumpStart's BGE, MiniLM, E5, GTE and GPT-J: `{"text_inputs": [text], "mode": "embedding"}`."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return encode({"text_inputs": [prompt], "mode": "embedding"})


class CohereEmbedding(_Embedding):
    """Cohere Embed: `{"texts": [text], "input_type": "search_document", "truncate": "END"}`."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        return encode({"texts": [prompt], "input_type": "search_document", "truncate": "END"})


class CustomEmbedding(_Embedding):
    """Any other endpoint: the text under each of the names `input`, `text` and `inputs`; with a `contentType` other
    than JSON the text alone."""

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        if not is_json(content_type):
            return encode_text(prompt)
        return encode({"input": prompt, "text": prompt, "inputs": prompt})


EMBEDDING_FORMATS.register("openai")(OpenAIEmbedding())
EMBEDDING_FORMATS.register("huggingface")(HuggingFaceEmbedding())
EMBEDDING_FORMATS.register("jumpstart")(JumpStartEmbedding())
EMBEDDING_FORMATS.register("cohere")(CohereEmbedding())
EMBEDDING_FORMATS.register("custom")(CustomEmbedding())
