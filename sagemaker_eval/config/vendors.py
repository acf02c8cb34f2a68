"""Providers of promptfoo that sageval does not have, and what to use in their place."""

from __future__ import annotations

from collections.abc import Collection

from sagemaker_eval.config.explaining import shortened
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

VENDORS = frozenset(
    {
        "ai21",
        "aimlapi",
        "anthropic",
        "azure",
        "azureopenai",
        "bedrock",
        "cerebras",
        "cloudera",
        "cloudflare-ai",
        "cohere",
        "databricks",
        "deepseek",
        "fireworks",
        "github",
        "google",
        "groq",
        "huggingface",
        "hyperbolic",
        "litellm",
        "llama.cpp",
        "llamafile",
        "localai",
        "mistral",
        "ollama",
        "openai",
        "openrouter",
        "palm",
        "perplexity",
        "portkey",
        "replicate",
        "together",
        "togetherai",
        "vercel",
        "vertex",
        "vllm",
        "voyage",
        "watsonx",
        "webhook",
        "xai",
    }
)
"""First words of ids that call a model of somebody else's."""

_PROGRAMS = frozenset({"exec", "golang", "ruby", "package", "mcp", "browser", "websocket", "ws", "wss"})
_CALL_IT = "call it from a provider of your own: `call_api(prompt, options, context)` in a `file://provider.py`"


def vendor_refusal(text: str, formats: Collection[str], where: Place) -> ConfigError | None:
    """The error of an id that promptfoo knows and sageval does not, with what does the same; None for any other."""
    shown = shortened(text, 60)
    if text.startswith(("http://", "https://")):
        hint = f"a container that answers `POST /invocations` is `container:{shown}`; for any other API, {_CALL_IT}"
        return ConfigError.of(f"the provider `{shown}` is a bare URL, which sageval does not call", where, hint)
    prefix, colon, _ = text.partition(":")
    if not colon:
        return None
    if prefix in _PROGRAMS:
        return ConfigError.of(f"`{prefix}:` providers are not supported: `{shown}`", where, _CALL_IT)
    if prefix not in VENDORS:
        return None
    hint = f"{_CALL_IT}, or from a server of yours as `container:<url>`"
    if prefix in formats:
        hint = f"such a model on a SageMaker endpoint is `sagemaker:{prefix}:<endpoint>`; else {hint}"
    return ConfigError.of(f"sageval does not call `{prefix}`: the provider `{shown}` is out of scope", where, hint)
