"""sageval: evaluate the models behind Amazon SageMaker endpoints from one promptfoo-style file."""

__version__ = "0.1.0"
