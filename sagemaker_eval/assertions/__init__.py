"""Floor 5: what judges a `Response`: one function per kind, in families. Importing this registers all kinds."""

from sagemaker_eval.assertions import (
    finish_reason,
    graded,
    html,
    lengths,
    lists,
    max_score,
    measured,
    metrics,
    scripted,
    similar,
    sql,
    structured,
    text,
    webhook,
    xml,
)

__all__ = [
    "finish_reason",
    "graded",
    "html",
    "lengths",
    "lists",
    "max_score",
    "measured",
    "metrics",
    "scripted",
    "similar",
    "sql",
    "structured",
    "text",
    "webhook",
    "xml",
]
