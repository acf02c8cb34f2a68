"""Labels and their scores, in the shapes in which classification endpoints answer."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sagemaker_eval.assertions.base import shortened
from sagemaker_eval.assertions.graded.asking import GraderError
from sagemaker_eval.assertions.values import finite_number
from sagemaker_eval.model import Json, Response

_WRAPPERS = ("predictions", "outputs", "results", "data", "result", "output", "classifications", "generated_text")
"""Members that hold the answer proper: MLflow, Triton, OpenAI-like servers, samples."""

_LISTS = (("labels", "scores"), ("labels", "probabilities"), ("labels", "probs"), ("classes", "scores"))
"""Two lists side by side: zero-shot classification (Hugging Face), JumpStart, samples."""

_SCORE_NAMES = ("score", "confidence", "probability", "probs")
_LONGEST_LABEL = 64
_DEEPEST = 6


def label_scores(response: Response) -> dict[str, float]:
    """The labels of an answer with their scores, in the order of the answer.

    Read are: a map of label to score from 0 to 1; objects of `label` and `score` (or `probs`), also in lists and inside
    other objects; a list of labels beside a list of scores; `category_scores`; a label as plain text, which scores 1.
    Raises `GraderError` where there are none, and for a score that is no finite number.
    """
    for document in documents(response):
        if found := _found(document, 0):
            return _checked(found)
    text = response.text.strip().strip("\"'`.")
    if text and len(text) <= _LONGEST_LABEL and not any(sign in text for sign in " \n{}[]<>:"):
        return {text: 1.0}
    raise GraderError(
        f"the classification endpoint gave no labels with scores: {shortened(response.text) or 'nothing'}",
        'known shapes are like `[{"label": "positive", "score": 0.9}]` and `{"positive": 0.9}`',
    )


def documents(response: Response) -> list[Json]:
    """What an endpoint answered, as far as it is JSON: the output, then the whole body."""
    decoded = [_decoded(response.output), _decoded(response.raw)]
    return [document for document in decoded if isinstance(document, dict | list)]


def is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _decoded(value: Json) -> Json:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _found(node: Json, depth: int) -> dict[str, float]:
    if depth > _DEEPEST:
        return {}
    if isinstance(node, list):
        merged: dict[str, float] = {}
        for item in node:
            merged = _found(item, depth + 1) | merged
        return dict(sorted(merged.items(), key=lambda one: -one[1]))
    if not isinstance(node, dict):
        return {}
    return _of_object(node) or next((found for name in _WRAPPERS if (found := _found(node.get(name), depth + 1))), {})


def _of_object(node: Mapping[str, Json]) -> dict[str, float]:
    label = node.get("label", node.get("class"))
    if isinstance(label, str):
        score = next((node[name] for name in _SCORE_NAMES if name in node), None)
        numbers = list(filter(is_number, score if isinstance(score, list) else [score]))
        return {label: max(numbers)} if numbers else {}
    for label_name, score_name in _LISTS:
        labels, scores = node.get(label_name), node.get(score_name)
        if isinstance(labels, list) and isinstance(scores, list) and len(labels) == len(scores):
            return {str(label): score for label, score in zip(labels, scores, strict=True) if is_number(score)}
    if isinstance(node.get("category_scores"), dict):
        return dict(node["category_scores"])
    return dict(node) if all(is_number(score) and 0 <= score <= 1 for score in node.values()) else {}


def _checked(found: Mapping[str, float]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for label, written in found.items():
        if (score := finite_number(written)) is None:
            shown = shortened(str(written), 60)
            raise GraderError(f"the classification endpoint gave `{label}` the score `{shown}`", "a score is a number")
        scores[label] = score
    return scores
