"""Floor 5: what turns a prompt into a `Response`. Importing this registers all kinds."""

from sagemaker_eval.providers import container, echo, python, sagemaker

__all__ = ["container", "echo", "python", "sagemaker"]
