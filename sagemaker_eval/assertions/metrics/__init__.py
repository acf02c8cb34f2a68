"""Assertions that measure how near an output is to a reference. Importing this registers all kinds."""

from sagemaker_eval.assertions.metrics import bleu, gleu, levenshtein, meteor, perplexity, rouge

__all__ = ["bleu", "gleu", "levenshtein", "meteor", "perplexity", "rouge"]
