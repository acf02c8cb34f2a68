"""Streams of the generate API: TGI's server-sent events, LMI's JSON lines."""

from __future__ import annotations

from sagemaker_eval.formats.stream_joining import joined
from sagemaker_eval.model import Json


class GenerateStream:
    """One event for each token; the last one has `generated_text` and `details`.

    The document is a list of one object for TGI, which alone sends these as server-sent events with a `logprob`, and
    an object for LMI. Its `details` tell all tokens, as they do where a request without streaming asks for them.
    """

    def __init__(self, sse: bool) -> None:
        self._as_list = sse
        self._tokens: list[Json] = []
        self._pieces: list[str] = []
        self._text: str | None = None
        self._details: dict[str, Json] | None = None

    @property
    def ended(self) -> bool:
        return self._text is not None or self._details is not None

    def take(self, event: dict[str, Json]) -> int:
        token = event.get("token")
        if isinstance(event.get("generated_text"), str):
            self._text = event["generated_text"]
        if isinstance(event.get("details"), dict):
            self._details = event["details"]
        if not isinstance(token, dict):
            return 0
        self._tokens.append(token)
        self._as_list = self._as_list and "log_prob" not in token
        text = token.get("text")
        if not isinstance(text, str) or not text or token.get("special") or token.get("special_token"):
            return 0
        self._pieces.append(text)
        return 1

    def document(self) -> Json:
        answer: dict[str, Json] = {"generated_text": joined(self._pieces) if self._text is None else self._text}
        details = {**(self._details or {})}
        if self._tokens and not details.get("tokens"):
            details["tokens"] = self._tokens
        if details:
            answer["details"] = details
        return [answer] if self._as_list else answer
