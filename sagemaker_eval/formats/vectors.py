"""The reader that all embedding formats share: vectors out of every shape that embedding servers answer with."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sagemaker_eval.errors import ExtractionError
from sagemaker_eval.formats.failures import check_failure
from sagemaker_eval.formats.reading import Shape, follow
from sagemaker_eval.formats.usage import read_usage
from sagemaker_eval.model import Json, Reading

SHAPES: tuple[Shape, ...] = (
    ("embedding",),
    ("embeddings", "float"),
    ("embeddings",),
    ("vectors",),
    ("outputs", 0, "data"),
    ("predictions",),
)
"""Where servers other than OpenAI's put vectors: JumpStart, Cohere (two), Hugging Face samples, Triton, MLflow."""

_BATCH_DEPTH = 2
_PIPELINE_DEPTH = 3
"""Of what Hugging Face's feature extraction answers for each text: a batch of one text, of tokens, of numbers."""

_ONE_BY_ONE = "such an endpoint has to be asked for one text at a time: set `modelType: custom`"


def read_vector(document: Json) -> Reading:
    """The embedding in an answer, a list of floats; `found` is False where no known shape fits.

    Raises `EndpointFault` where the document is an error, `ExtractionError` where what is found is no vector.
    """
    value = _find(document)
    check_failure(document, answered=value is not None)
    if value is None:
        return Reading(found=False)
    return Reading(output=to_vector(value), usage=read_usage(document))


def split_batch(document: Json, count: int) -> list[Json]:
    """The answer to a batch of `count` texts as the answers that each text alone would have got, in their order.

    Raises `EndpointFault` where the document is an error, `ExtractionError` where it cannot be taken apart.
    """
    check_failure(document, answered=_find(document) is not None)
    objects = _objects(document)
    if objects is not None:
        shape: Shape = () if objects is document else ("data",)
        parts = [[{**item, "index": 0}] for item in _ordered(objects)]
    else:
        shape, rows = _rows(document)
        parts = [row if _depth(row) == _PIPELINE_DEPTH else [row] for row in rows]
    if len(parts) != count:
        raise ExtractionError(f"the answer to {count} texts has {len(parts)} embeddings", _ONE_BY_ONE)
    return [_wrapped(shape, part) for part in parts]


def to_vector(value: Json) -> list[float]:
    """One vector from a vector, a batch of vectors (its first), or a batch of vectors per token (their mean).

    Raises `ExtractionError` for anything else, for an empty vector and for elements that are not finite numbers.
    """
    depth = _depth(value)
    if depth == 1:
        return _checked(value)
    if depth == 2:
        return _checked(value[0])
    if depth == 3:
        return _mean([_checked(token) for token in value[0]])
    raise ExtractionError(
        f"an embedding is a list of numbers, but the answer has {_describe(value, depth)}",
        hint="check that the endpoint serves embeddings, or set `responseFormat.path` to where the vector is",
    )


def _find(document: Json) -> Json:
    data = follow(document, ("data",))
    if _holds_embeddings(data):
        return min(data, key=_index)["embedding"]
    for shape in SHAPES:
        value = follow(document, shape)
        if value is not None:
            return value
    if isinstance(document, list):
        inner = follow(document, (0, "embedding"))
        return document if inner is None else inner
    return None


def _holds_embeddings(value: Json) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(item, dict) and "embedding" in item for item in value)


def _objects(document: Json) -> list[dict[str, Json]] | None:
    """The objects of a batch that hold one embedding each; None where it is made of lists alone."""
    for value in (follow(document, ("data",)), document):
        if _holds_embeddings(value):
            objects: list[dict[str, Json]] = value
            return objects
    return None


def _ordered(objects: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """The objects in the order of their texts: as their indices say, or as they stand where these say nothing."""
    indices = [item.get("index") for item in objects]
    if sorted(map(_index, objects)) == list(range(len(objects))):
        return sorted(objects, key=_index)
    if len(set(map(str, indices))) == 1:
        return objects
    raise ExtractionError("the embeddings in the answer have indices that are not those of the texts", _ONE_BY_ONE)


def _rows(document: Json) -> tuple[Shape, list[Json]]:
    """Where the list of embeddings is in a batch, and the list."""
    shapes: Sequence[Shape] = ((),) if isinstance(document, list) else SHAPES
    for shape in shapes:
        value = follow(document, shape)
        if value is not None:
            if _depth(value) < _BATCH_DEPTH:
                break
            return shape, value
    raise ExtractionError("the answer to several texts holds no list of embeddings that is known", _ONE_BY_ONE)


def _wrapped(shape: Shape, value: Json) -> Json:
    """A document with nothing but a value at the end of a shape."""
    for step in reversed(shape):
        value = {step: value}
    return value


def _index(item: dict[str, Json]) -> int:
    """The position that OpenAI's API gives an embedding in its batch; servers need not keep the order."""
    index = item.get("index")
    return index if isinstance(index, int) else 0


def _depth(value: Json) -> int:
    depth = 0
    while isinstance(value, list):
        depth += 1
        value = value[0] if value else None
    return depth


def _checked(vector: Json) -> list[float]:
    if not isinstance(vector, list) or not vector:
        raise ExtractionError("the embedding in the answer is empty", hint="check what the endpoint was sent")
    if not set(map(type, vector)) <= {int, float}:
        position = next(i for i, element in enumerate(vector) if type(element) not in (int, float))
        raise ExtractionError(
            f"element {position} of the embedding is not a number: {_shown(vector[position])}",
            hint="ask the endpoint for floats (`encoding_format: float`), or check `responseFormat.path`",
        )
    try:
        floats = list(map(float, vector))
    except OverflowError:
        floats = [math.inf]
    if not all(map(math.isfinite, floats)):
        raise ExtractionError(
            "the embedding holds a number that is not finite",
            hint="the model overflowed or was given nothing to embed; similarity with such a vector means nothing",
        )
    return floats


def _mean(tokens: list[list[float]]) -> list[float]:
    if len({len(token) for token in tokens}) > 1:
        raise ExtractionError("the vectors of the tokens differ in length, so they have no mean")
    return [math.fsum(column) / len(tokens) for column in zip(*tokens, strict=True)]


def _describe(value: Json, depth: int) -> str:
    return f"lists nested {depth} deep" if depth else _shown(value)


def _shown(value: Json) -> str:
    text = repr(value)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:37]}...`"
