"""Token counts: what the containers report in their answers, and the estimate for those that report nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sagemaker_eval.model import Json, TokenUsage

COUNTS: Final = (
    (
        ("usage",),
        ("prompt_tokens", "input_tokens", "inputTokens"),
        ("completion_tokens", "output_tokens", "outputTokens"),
    ),
    (("metering",), ("inputTokenCount",), ("outputTokenCount",)),
    (("body",), ("prompt_token_count",), ("generation_token_count",)),
    ((), ("prompt_token_count",), ("generation_token_count",)),
    (("details",), ("input_length",), ("generated_tokens",)),
    (("meta", "billed_units"), ("input_tokens",), ("output_tokens",)),
    (("usage", "billed_units"), ("input_tokens",), ("output_tokens",)),
)
"""Where the counts are: the way to an object, its names for prompt tokens, its names for completion tokens.

OpenAI, Anthropic and Bedrock's Converse; LMI's "3p" formatter (three places); TGI and LMI generate; Cohere (two).
"""


def read_usage(document: Json) -> TokenUsage | None:
    """The token counts that an answer reports, None where it reports none. A count that is not told is 0."""
    if isinstance(document, list):
        document = document[0] if document else None
    if not isinstance(document, dict):
        return None
    for way, prompt_names, completion_names in COUNTS:
        counts = _descend(document, way)
        if counts is None:
            continue
        prompt, completion = _count(counts, prompt_names), _count(counts, completion_names)
        if prompt is None and way == ("details",):
            prompt = _prefill(counts)
        if prompt is not None or completion is not None:
            return TokenUsage(prompt=prompt or 0, completion=completion or 0, requests=1)
    return None


def estimate_usage(prompt_text: str, output_text: str) -> TokenUsage:
    """One token for each four UTF-16 units begun, as promptfoo estimates, of the prompt and of the output.

    promptfoo measures the whole request document; here the prompt alone counts, so that the JSON around it does not.
    """
    return TokenUsage(prompt=_tokens(prompt_text), completion=_tokens(output_text), estimated=True, requests=1)


def _tokens(text: str) -> int:
    units = len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)
    return -(-units // 4)


def _descend(document: Mapping[str, Json], way: tuple[str, ...]) -> Mapping[str, Json] | None:
    for key in way:
        inner = document.get(key)
        if not isinstance(inner, dict):
            return None
        document = inner
    return document


def _count(counts: Mapping[str, Json], names: tuple[str, ...]) -> int | None:
    """The first of the names that holds a count; Cohere writes counts as floats."""
    for name in names:
        value = counts.get(name)
        if type(value) is int and value >= 0:
            return value
        if type(value) is float and value >= 0 and value.is_integer():
            return int(value)
    return None


def _prefill(details: Mapping[str, Json]) -> int | None:
    """TGI lists the tokens of the prompt in `prefill` if asked to, else the list is empty."""
    prefill = details.get("prefill")
    return len(prefill) if isinstance(prefill, list) and prefill else None
