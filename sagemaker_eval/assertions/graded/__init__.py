"""Assertions that ask a model: rubrics, retrieval, relevance, comparison. Importing this registers all kinds."""

from sagemaker_eval.assertions.graded import (
    factuality,
    g_eval,
    relevance,
    retrieval,
    rubric,
    select_best,
)

__all__ = [
    "factuality",
    "g_eval",
    "relevance",
    "retrieval",
    "rubric",
    "select_best",
]
