"""What the user's own provider returns: promptfoo's ProviderResponse, as a `Response` or an error of the case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from sagemaker_eval.errors import CaseError, ScriptError
from sagemaker_eval.model import Json, Response, Timings, TokenUsage, compact_json
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.python_values import NotJson, to_json_value

KEYS = (
    "cached",
    "cost",
    "error",
    "finishReason",
    "firstTokenMs",
    "latencyMs",
    "logProbs",
    "metadata",
    "output",
    "raw",
    "tokenUsage",
)
_WITHOUT_EFFECT = frozenset({"conversationEnded", "guardrails", "isRefusal", "prompt", "sessionId"})
"""Keys of promptfoo's that mean nothing to an evaluation here."""

_COUNTS = ("prompt", "completion", "total", "cached", "numRequests")
_EXAMPLES = {"output": '"text"', "embedding": "[0.1, 0.2]", "classification": '{"label": 0.9}'}
"""What a provider answers with, by the name that its function gives it."""


class AnswerReader:
    """Reads what one provider returns; `name` is the provider's in notices, which it gives once each.

    `key` is where its function puts what it answers: `output`, `embedding` or `classification`.
    """

    def __init__(self, name: str, notice: Callable[[str], None], key: str = "output") -> None:
        self._name = name
        self._notice = notice
        self._key = key
        self._known = {*KEYS, *_WITHOUT_EFFECT, key}

    def read(self, told: Any, *, queue: float, took: float) -> Response:
        """The response. `took` is the measured time of the call in ms, which a `latencyMs` replaces.

        Raises `CaseError` for an `error` that the provider tells, and `ScriptError` for what is no answer.
        """
        if not isinstance(told, Mapping):
            raise ScriptError(f"the provider returned {_described(told)} instead of a dict", self._shape)
        self._mention_unknown(told)
        response = _response(told, self._key, queue, took)
        failure: CaseError | None = None
        if told.get("error"):
            failure = CaseError(" ".join(_text(told["error"]).split()))
        elif response.output is None:
            failure = ScriptError(f"the provider returned neither `{self._key}` nor `error`", self._shape)
        if failure is not None:
            failure.response = response
            raise failure
        return response

    @property
    def _shape(self) -> str:
        return f'return a dict such as `{{"{self._key}": {_EXAMPLES[self._key]}}}` or `{{"error": "what went wrong"}}`'

    def _mention_unknown(self, told: Mapping[Any, Any]) -> None:
        for key in told.keys() - self._known:
            self._known.add(key)
            nearest = nearest_name(str(key), KEYS)
            meant = f": did you mean `{nearest}`?" if nearest else ""
            self._notice(f"the answers of `{self._name}` have the key `{key}`, which has no effect{meant}")


def _response(told: Mapping[str, Any], key: str, queue: float, took: float) -> Response:
    cached = bool(told.get("cached"))
    latency = _number(told, "latencyMs")
    wire = took if latency is None else latency
    return Response(
        output=_json(told, key),
        raw=_text(told["raw"]) if told.get("raw") is not None else "",
        usage=_usage(told.get("tokenUsage"), cached),
        finish_reason=None if told.get("finishReason") is None else str(told["finishReason"]),
        attempts=0 if cached else 1,
        timings=Timings(queue=queue, wire=wire, first_token=_number(told, "firstTokenMs"), total=queue + wire),
        cached=cached,
        cost=_number(told, "cost"),
        log_probs=_log_probs(told.get("logProbs")),
        metadata=_metadata(told),
    )


def _usage(told: Any, cached: bool) -> TokenUsage:
    """Token counts as told. A total alone counts as completion; of a cached answer all tokens are cached ones."""
    if told is None:
        told = {}
    if not isinstance(told, Mapping):
        raise _unusable("tokenUsage", told, f"a dict of numbers: {', '.join(_COUNTS)}")
    counts = (_number(told, key, "tokenUsage.") for key in _COUNTS)
    prompt, completion, total, kept, requests = (int(count or 0) for count in counts)
    if not prompt and not completion:
        completion = max(0, total - kept)
    if cached:
        return TokenUsage(prompt, completion, kept or total or prompt + completion)
    return TokenUsage(prompt, completion, kept, requests=requests or 1)


def _log_probs(told: Any) -> tuple[float, ...] | None:
    if told is None:
        return None
    if not isinstance(told, list | tuple) or not all(_is_number(one) for one in told):
        raise _unusable("logProbs", told, "a list of numbers")
    return tuple(float(one) for one in told)


def _metadata(told: Mapping[str, Any]) -> dict[str, Json]:
    metadata = _json(told, "metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise _unusable("metadata", metadata, "a dict")
    return metadata


def _json(told: Mapping[str, Any], key: str) -> Json:
    try:
        return to_json_value(told.get(key))
    except NotJson as error:
        raise ScriptError(f"the provider returned as `{key}` what is not JSON: {error}", error.advice) from None


def _number(told: Mapping[str, Any], key: str, prefix: str = "") -> float | None:
    value = told.get(key)
    if value is None:
        return None
    if not _is_number(value) or value < 0:
        raise _unusable(prefix + key, value, "a number of at least 0")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _unusable(key: str, value: Any, expected: str) -> ScriptError:
    return ScriptError(f"the provider returned {_described(value)} as `{key}`", f"it must be {expected}")


def _described(value: Any) -> str:
    return "nothing" if value is None else f"a value of type `{type(value).__name__}`"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return compact_json(to_json_value(value))
    except NotJson:
        return str(value)
