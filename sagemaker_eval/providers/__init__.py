"""Floor 5: what turns a prompt into a `Response`. Importing this registers all kinds."""

from sagemaker_eval.providers import echo, sagemaker

__all__ = ["echo", "sagemaker"]
