"""Floor 5: what judges a `Response`: one function per kind, in families. Importing this registers all kinds."""

from sagemaker_eval.assertions import measured, structured, text

__all__ = ["measured", "structured", "text"]
