"""Floor 3: one file per model type: the request body from a prompt, the text from an answer."""

from __future__ import annotations

from sagemaker_eval.formats import anthropic, custom, embeddings, huggingface, jumpstart, llama, openai

__all__ = ["anthropic", "custom", "embeddings", "huggingface", "jumpstart", "llama", "openai"]
