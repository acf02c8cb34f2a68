"""Errors that arrive with HTTP 200, as containers word them."""

from __future__ import annotations

import pytest

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.formats.base import EMBEDDING_FORMATS, FORMATS
from sagemaker_eval.formats.failures import BATCH_FAILURE_HINT
from sagemaker_eval.model import Json

FAILURES: dict[str, tuple[Json, str, int | None, Retry]] = {
    "LMI batch": ({"code": 424, "message": "Batch inference failed"}, "Batch inference failed", 424, Retry.ONCE),
    "LMI rolling batch": (
        {"generated_text": "", "error": "out of tokens", "code": 400, "details": {"finish_reason": "error"}},
        "out of tokens",
        400,
        Retry.NEVER,
    ),
    "in a list of one": ([{"generated_text": "", "error": "boom", "code": 500}], "boom", 500, Retry.ONCE),
    "partial text": (
        {"generated_text": "half an", "details": {"finish_reason": "error"}},
        "the container answered with an error and no message",
        None,
        Retry.NEVER,
    ),
    "EULA": (
        {"code": 424, "message": "prediction failure", "error": "Need to pass custom_attributes='accept_eula=true'"},
        "prediction failure: Need to pass custom_attributes='accept_eula=true'",
        424,
        Retry.ONCE,
    ),
    "TGI overloaded": (
        {"error": "Model is overloaded", "error_type": "overloaded"},
        "Model is overloaded",
        429,
        Retry.COUNTED,
    ),
    "TGI validation": (
        {"error": "`top_p` must be < 1", "error_type": "validation"},
        "`top_p` must be < 1",
        422,
        Retry.NEVER,
    ),
    "OpenAI": (
        {"error": {"message": "The model `x` does not exist", "type": "NotFoundError", "param": None, "code": 404}},
        "The model `x` does not exist",
        404,
        Retry.NEVER,
    ),
    "OpenAI, older": (
        {"object": "error", "message": "too long", "type": "x", "code": 400},
        "too long",
        400,
        Retry.NEVER,
    ),
    "Anthropic": (
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        "Overloaded",
        503,
        Retry.COUNTED,
    ),
    "status as text": ({"code": "503", "message": "busy"}, "busy", 503, Retry.COUNTED),
    "several lines": ({"error": "line one\n  line two"}, "line one line two", None, Retry.NEVER),
}


@pytest.mark.parametrize("model_type", FORMATS.names())
@pytest.mark.parametrize("container", FAILURES)
def test_an_error_body_is_a_model_error(container: str, model_type: str) -> None:
    document, message, status, retry = FAILURES[container]
    with pytest.raises(EndpointFault) as raised:
        FORMATS.get(model_type).read(document)
    fault = raised.value
    assert (fault.message, fault.code, fault.original_status, fault.retry) == (message, "ModelError", status, retry)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_container_is_asked_again(status: int) -> None:
    with pytest.raises(EndpointFault) as raised:
        FORMATS.get("custom").read({"code": status, "message": "busy"})
    assert raised.value.retry is Retry.COUNTED


def test_a_failed_batch_says_what_helps() -> None:
    with pytest.raises(EndpointFault) as raised:
        FORMATS.get("jumpstart").read({"code": 424, "message": "Batch inference failed"})
    assert raised.value.hint == BATCH_FAILURE_HINT
    for advice in ("500 ms", "modelType", "contentType", "acceptType", "application/json", "active"):
        assert advice in BATCH_FAILURE_HINT


def test_an_embedding_endpoint_can_fail_as_well() -> None:
    with pytest.raises(EndpointFault, match=r"^Batch inference failed$"):
        EMBEDDING_FORMATS.get("huggingface").read({"code": 424, "message": "Batch inference failed"})


@pytest.mark.parametrize(
    "document",
    [
        {"generated_text": "fine", "error": None},
        {"generated_text": "fine", "error": "only a warning"},
        {"generated_text": "fine", "code": 200, "message": "OK"},
        {"generated_text": "fine", "code": 500, "message": "the text speaks of codes"},
    ],
)
def test_an_answer_with_text_is_no_error(document: Json) -> None:
    assert FORMATS.get("custom").read(document).output == "fine"


@pytest.mark.parametrize("document", [{"code": 200, "message": "OK"}, {"code": True, "message": "x"}, {"code": 500}])
def test_a_code_alone_is_no_error(document: Json) -> None:
    assert not FORMATS.get("custom").read(document).found


def test_a_long_message_is_cut() -> None:
    with pytest.raises(EndpointFault) as raised:
        FORMATS.get("custom").read({"error": "x" * 10_000})
    assert len(raised.value.message) < 600
