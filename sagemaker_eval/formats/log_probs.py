"""The log probabilities of the tokens that a model chose, where an answer tells them.

They are there where the request asked for them: `logprobs` of OpenAI-compatible servers (chat and completions),
`details` of TGI and LMI.
"""

from __future__ import annotations

import math

from sagemaker_eval.model import Json


def read_log_probs(document: Json) -> tuple[float, ...] | None:
    """The natural logarithms in the order of the tokens; None where the answer has none, or has one that is none.

    Tokens whose logarithm is null (the first one of a completion that echoes its prompt) are left out.
    """
    if isinstance(document, list):
        document = document[0] if document else None
    if not isinstance(document, dict):
        return None
    told = _of_choice(document.get("choices")) or _of_details(document.get("details"))
    figures = [figure for figure in told or () if figure is not None]
    if not figures or not all(_is_log_probability(figure) for figure in figures):
        return None
    return tuple(map(float, figures))


def _of_choice(choices: Json) -> list[Json] | None:
    first = choices[0] if isinstance(choices, list) and choices else None
    told = first.get("logprobs") if isinstance(first, dict) else None
    if not isinstance(told, dict):
        return None
    if isinstance(told.get("content"), list):
        return _each(told["content"], "logprob")
    return told["token_logprobs"] if isinstance(told.get("token_logprobs"), list) else None


def _of_details(details: Json) -> list[Json] | None:
    """TGI's `logprob` and LMI's `log_prob`."""
    tokens = details.get("tokens") if isinstance(details, dict) else None
    if not isinstance(tokens, list):
        return None
    return _each(tokens, "logprob") or _each(tokens, "log_prob")


def _each(tokens: list[Json], name: str) -> list[Json] | None:
    if all(isinstance(token, dict) and name in token for token in tokens):
        return [token[name] for token in tokens]
    return None


def _is_log_probability(figure: Json) -> bool:
    return isinstance(figure, int | float) and not isinstance(figure, bool) and not math.isnan(figure)
