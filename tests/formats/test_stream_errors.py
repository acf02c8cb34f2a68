"""Streams that end too early or report an error are faults, of the class that the error has elsewhere."""

from __future__ import annotations

import pytest

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.formats.streams import StreamDecoder, read_stream
from sagemaker_eval.model import Json
from tests.formats.stream_samples import chunk, compact, json_lines, lmi_token, sse, tgi_token


def fault_of(body: bytes, content_type: str = "") -> EndpointFault:
    with pytest.raises(EndpointFault) as caught:
        read_stream(body, content_type)
    return caught.value


@pytest.mark.parametrize(("body", "status", "retry", "message"), [
    (sse(tgi_token(1, "a"), {"error": "Request failed during generation", "error_type": "generation"}),
     424, Retry.ONCE, "Request failed during generation"),
    (sse({"error": "Model is overloaded", "error_type": "overloaded"}), 429, Retry.COUNTED, "Model is overloaded"),
    (sse(chunk({"content": "a"}), {"error": {"message": "engine died", "code": 500}}), 500, Retry.ONCE, "engine died"),
    (sse(chunk({"content": "a"}), {"object": "error", "message": "too long", "code": 400}),
     400, Retry.NEVER, "too long"),
    (json_lines(lmi_token("a"), {"code": 424, "message": "prediction failure", "error": "cannot go on"}),
     424, Retry.ONCE, "prediction failure: cannot go on"),
    (json_lines(lmi_token("a"), {"token": {"id": -1, "text": "", "log_prob": -1}, "error": "no memory", "code": 503}),
     503, Retry.COUNTED, "no memory"),
    (json_lines(lmi_token("a"), lmi_token("no memory", generated_text="a", details={"finish_reason": "error"})),
     None, Retry.NEVER, "no memory"),
    (json_lines(chunk({"content": "a"}), chunk({}, "error")), None, Retry.NEVER,
     "the container answered with an error and no message"),
    (b'event: error\ndata: {"type": "overloaded_error", "message": "busy"}\n\n', 503, Retry.COUNTED, "busy"),
    (sse({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}), 503, Retry.COUNTED, "busy"),
])  # fmt: skip
def test_an_error_in_the_stream_is_the_containers(body: bytes, status: int | None, retry: Retry, message: str) -> None:
    fault = fault_of(body)
    assert (fault.code, fault.original_status, fault.retry, fault.message) == ("ModelError", status, retry, message)


def test_an_error_event_of_plain_text_is_an_error() -> None:
    assert fault_of(b"event: error\ndata: out of luck\n\n", "text/event-stream").message == "out of luck"


def test_an_error_is_raised_when_it_comes() -> None:
    decoder = StreamDecoder()
    assert decoder.feed(sse(chunk({"content": "a"}))) == 1
    with pytest.raises(EndpointFault, match="engine died"):
        decoder.feed(sse({"error": {"message": "engine died"}}))


def test_a_remark_beside_a_whole_text_is_no_error() -> None:
    answer: Json = {"generated_text": "fine", "error": "slow"}
    assert read_stream(compact(answer).encode()).document == answer


@pytest.mark.parametrize("body", [b"", b"\n\n", b": ping\n\n", b"data: [DONE]\n\n"])
def test_a_stream_in_which_nothing_came_is_empty(body: bytes) -> None:
    fault = fault_of(body, "text/event-stream")
    assert (fault.code, fault.retry) == ("EmptyBody", Retry.ONCE)


def test_each_choice_has_its_own_end() -> None:
    both = (chunk({"content": "a"}, "stop"), chunk({"content": "b"}, index=1))
    assert fault_of(sse(*both)).code == "StreamTruncated"
    assert read_stream(sse(*both, chunk({}, "length", index=1))).document["choices"][1]["finish_reason"] == "length"
    assert read_stream(sse(*both, "[DONE]")).document["choices"][1]["finish_reason"] is None


def test_a_line_that_is_no_json_is_a_fault() -> None:
    assert fault_of(json_lines(lmi_token("a")) + b"{oops\n" + json_lines(lmi_token("b"))).code == "StreamTruncated"
    corrupted = fault_of(sse(chunk({"content": "a"}), "{oops", "[DONE]"))
    assert (corrupted.code, corrupted.retry) == ("StreamCorrupted", Retry.COUNTED)
