"""Assertions that ask a model: rubrics, retrieval, relevance, comparison. Importing this registers all kinds."""

from sagemaker_eval.assertions.graded import (
    classifier,
    factuality,
    g_eval,
    moderation,
    relevance,
    retrieval,
    rubric,
    select_best,
)

__all__ = [
    "classifier",
    "factuality",
    "g_eval",
    "moderation",
    "relevance",
    "retrieval",
    "rubric",
    "select_best",
]
