"""Assertions that ask a model: rubrics, retrieval, relevance, comparison. Importing this registers all kinds."""

from sagemaker_eval.assertions.graded import select_best

__all__ = ["select_best"]
