"""Embedding servers: TEI, OpenAI-compatible ones, JumpStart's and Cohere's, by the member that holds the text."""

from __future__ import annotations

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked, limit
from sagemaker_eval.sandbox.containers.base import CONTAINERS, ContainerAnswer, answer_id, answer_json
from sagemaker_eval.sandbox.containers.tokens import count_tokens
from sagemaker_eval.sandbox.containers.vectors import DIMENSIONS, embed

_MOST_DIMENSIONS = 4096


@CONTAINERS.register("embedding")
def embedding(asked: Asked) -> ContainerAnswer:
    """An embedding server: which one depends on `input`, `text_inputs`, `texts` or `inputs`."""
    fields = asked.fields
    if "input" in fields:
        return openai_embeddings(asked)
    if "text_inputs" in fields:
        return _jumpstart(asked)
    if "texts" in fields:
        return _cohere(asked)
    return _tei(asked)


@CONTAINERS.register("features")
def features(asked: Asked) -> ContainerAnswer:
    """The toolkit's feature extraction: a vector for each token of each text, `[[[...]]]`."""
    texts = _texts(asked.fields.get("inputs"))
    if texts is None:
        document = {"code": 400, "type": "InternalServerException", "message": "feature extraction needs `inputs`"}
        return answer_json(document, 400)
    return answer_json([[_vector(asked, word) for word in text.split() or [""]] for text in texts])


def openai_embeddings(asked: Asked) -> ContainerAnswer:
    """`{"data": [{"embedding": [...]}]}` for `input`, with usage."""
    texts = _texts(asked.fields.get("input"))
    if texts is None:
        error = {"message": "`input` must be a text or a list of texts", "type": "BadRequestError", "code": 400}
        return answer_json({"error": error}, 400)
    tokens = sum(count_tokens(text) for text in texts)
    document: Json = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _vector(asked, text)}
            for index, text in enumerate(texts)
        ],
        "model": asked.fields.get("model") or asked.endpoint,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return answer_json(document)


def _jumpstart(asked: Asked) -> ContainerAnswer:
    """One text gives one vector, a list of texts a list of vectors."""
    given = asked.fields["text_inputs"]
    texts = _texts(given)
    if texts is None:
        document = {"code": 400, "type": "InternalServerException", "message": "`text_inputs` must be text"}
        return answer_json(document, 400)
    vectors = [_vector(asked, text) for text in texts]
    return answer_json({"embedding": vectors[0] if isinstance(given, str) else vectors})


def _cohere(asked: Asked) -> ContainerAnswer:
    texts = _texts(asked.fields["texts"])
    if texts is None:
        return answer_json({"message": "invalid request: texts must be a list of strings"}, 422)
    vectors: Json = [_vector(asked, text) for text in texts]
    if asked.fields.get("embedding_types"):
        vectors = {"float": vectors}
    units = {"input_tokens": sum(count_tokens(text) for text in texts)}
    return answer_json({"id": answer_id(asked), "texts": texts, "embeddings": vectors, "meta": {"billed_units": units}})


def _tei(asked: Asked) -> ContainerAnswer:
    """Always a list of vectors, also for a single text."""
    texts = _texts(asked.fields.get("inputs"))
    if texts is None or not all(texts):
        return answer_json({"error": "`inputs` cannot be empty", "error_type": "Validation"}, 422)
    return answer_json([_vector(asked, text) for text in texts])


def _texts(value: Json) -> list[str] | None:
    """The texts to embed; None where `value` is neither a text nor a list of some."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return list(value)
    return None


def _vector(asked: Asked, text: str) -> list[float]:
    wanted = limit(asked.fields.get("dimensions")) or DIMENSIONS
    return embed(text, min(wanted, _MOST_DIMENSIONS), asked.endpoint)
