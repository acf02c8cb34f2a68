"""Errors that containers report within a stream, after HTTP 200 went out."""

from __future__ import annotations

from sagemaker_eval.formats.failures import check_failure
from sagemaker_eval.model import Json

FAILED_ID = -1
"""The id of the token in which LMI reports that generation broke off."""

_FAILED: dict[str, Json] = {"finish_reason": "error"}


def check_event(event: dict[str, Json]) -> None:
    """Raises `EndpointFault` where a decoded event is an error, with the code of an error in an answer that came whole.

    Beside a whole text an `error` may be a remark; in the event of a token it always ends the stream.
    """
    token = event.get("token")
    if isinstance(token, dict):
        if token.get("id") == FAILED_ID or _is_failed(event.get("details")):
            event = {**event, "error": event.get("error") or token.get("text"), "details": _FAILED}
        check_failure(event, answered=False)
        return
    choices = event.get("choices")
    if isinstance(choices, list) and any(map(_is_failed, choices)):
        check_failure({**event, "details": _FAILED}, answered=False)
    check_failure(event, answered=bool(event.get("generated_text") or choices))


def _is_failed(told: Json) -> bool:
    return isinstance(told, dict) and told.get("finish_reason") == "error"
