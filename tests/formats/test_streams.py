"""Streams of every dialect, cut anywhere, stand for the document that the container would have answered at once."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import EndpointFault, FormatError, Retry
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.bodies import encode
from sagemaker_eval.formats.log_probs import read_log_probs
from sagemaker_eval.formats.reading import read_text
from sagemaker_eval.formats.streams import StreamDecoder, Streamed, read_stream, streaming_body
from sagemaker_eval.model import Json, TokenUsage
from tests.formats.stream_samples import SAMPLES, TEXT, Sample, chunk, compact, json_lines, lmi_token, sse, tgi_token

CUTS_OF_EACH_DIALECT = 10_000
PLAIN = Sample(TEXT.encode(), TEXT, 0, marked=False)
every_sample = pytest.mark.parametrize("name", SAMPLES)


def fed(pieces: list[bytes], content_type: str = "") -> tuple[Json, int]:
    decoder = StreamDecoder(content_type)
    tokens = sum(map(decoder.feed, pieces))
    return decoder.close().document, tokens


def cut(body: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def fault_of(body: bytes, content_type: str = "") -> EndpointFault:
    with pytest.raises(EndpointFault) as caught:
        read_stream(body, content_type)
    return caught.value


@every_sample
def test_a_stream_stands_for_the_document_without_streaming(name: str) -> None:
    sample = SAMPLES[name]
    assert read_stream(sample.body) == Streamed(sample.document)
    assert fed([sample.body]) == (sample.document, sample.pieces)


@every_sample
def test_byte_by_byte_it_is_the_same(name: str) -> None:
    sample = SAMPLES[name]
    assert fed([bytes([byte]) for byte in sample.body]) == (sample.document, sample.pieces)


@every_sample
def test_ten_thousand_random_cuts_change_nothing(name: str) -> None:
    sample, random_ = SAMPLES[name], random.Random(name)
    size = len(sample.body)
    for _ in range(CUTS_OF_EACH_DIALECT):
        places = [random_.randrange(size + 1) for _ in range(random_.randrange(1, 6))]
        assert fed(cut(sample.body, places)) == (sample.document, sample.pieces), places


def test_ten_thousand_random_cuts_of_plain_text_change_nothing() -> None:
    random_, size = random.Random("text"), len(PLAIN.body)
    for _ in range(CUTS_OF_EACH_DIALECT):
        places = [random_.randrange(size + 1) for _ in range(random_.randrange(1, 6))]
        assert fed(cut(PLAIN.body, places))[0] == TEXT, places


@every_sample
@given(data=st.data())
def test_any_cut_changes_nothing(name: str, data: st.DataObject) -> None:
    sample = SAMPLES[name]
    places = data.draw(st.lists(st.integers(0, len(sample.body)), max_size=40))
    assert fed(cut(sample.body, places)) == (sample.document, sample.pieces)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=6), st.booleans(), st.data())
def test_any_tokens_come_out_as_they_went_in(texts: list[str], ascii_only: bool, data: st.DataObject) -> None:
    body = sse(*(chunk({"content": text}) for text in texts), chunk({}, "stop"), "[DONE]", ascii_only=ascii_only)
    places = data.draw(st.lists(st.integers(0, len(body)), max_size=20))
    document, tokens = fed(cut(body, places))
    assert document["choices"][0]["message"]["content"] == "".join(texts)
    assert tokens == len(texts)


@given(st.binary(max_size=200), st.sampled_from(["", "text/event-stream", "application/jsonlines", "text/plain"]))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes, content_type: str) -> None:
    try:
        streamed = read_stream(body, content_type)
    except EndpointFault as fault:
        assert fault.code in {"EmptyBody", "StreamTruncated", "StreamCorrupted", "ModelError"}
    else:
        assert isinstance(streamed.document, str) or not streamed.is_text


KEYS = (
    "token", "text", "id", "special", "generated_text", "details", "choices", "delta", "message", "content", "index",
    "finish_reason", "tool_calls", "function", "arguments", "name", "logprobs", "usage", "error", "code", "outputs",
    "type", "content_block", "partial_json", "contentBlockDelta", "messageStop", "metadata", "generation",
)  # fmt: skip
VALUES = ("a", "", "error", "stop", "message_start", "content_block_start", "content_block_delta", "message_delta",
          "input_json_delta", "text_delta")  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-2, 500) | st.sampled_from(VALUES)
odd_documents = st.dictionaries(
    st.sampled_from(KEYS),
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_size=5,
)


@given(st.lists(odd_documents, min_size=1, max_size=4), st.booleans())
def test_documents_of_any_shape_are_an_answer_or_a_fault(documents: list[Json], as_events: bool) -> None:
    body = sse(*documents) if as_events else json_lines(*documents)
    try:
        streamed = read_stream(body)
    except EndpointFault as fault:
        assert fault.code in {"StreamTruncated", "ModelError"}
    else:
        assert json.dumps(streamed.document)


@every_sample
def test_a_stream_is_an_answer_only_once_all_its_text_is_there(name: str) -> None:
    sample = SAMPLES[name]
    incomplete = 0
    for size in range(sample.body.index(b"{") + 1, len(sample.body)) if sample.marked else ():
        try:
            document = read_stream(sample.body[:size]).document
        except EndpointFault as fault:
            assert (fault.code, fault.retry) == ("StreamTruncated", Retry.COUNTED)
            incomplete += 1
        else:
            assert read_text(document).output == TEXT
    assert incomplete > 50 or not sample.marked


@pytest.mark.parametrize(("model_type", "name"), [
    ("huggingface", "TGI generate"), ("jumpstart", "LMI generate, JSON lines"), ("openai", "LMI chat, JSON lines"),
    ("openai", "chat, SSE"), ("openai", "completion, SSE"), ("custom", "outputs, JSON lines"),
])  # fmt: skip
def test_formats_read_a_stream_as_any_answer(model_type: str, name: str) -> None:
    assert FORMATS.get(model_type).read(read_stream(SAMPLES[name].body).document).output == TEXT


def test_what_came_with_the_stream_can_be_read() -> None:
    generate = read_stream(SAMPLES["LMI generate, JSON lines"].body).document
    reading = FORMATS.get("jumpstart").read(generate)
    assert (reading.usage, reading.finish_reason) == (TokenUsage(5, 3, requests=1), "eos_token")
    assert read_log_probs(generate) == (-0.25, -0.25, -0.25, -0.25)
    chat = FORMATS.get("openai").read(read_stream(SAMPLES["chat, SSE"].body).document)
    assert (chat.usage, chat.finish_reason) == (TokenUsage(10, 3, requests=1), "stop")


def test_plain_text_is_text_and_each_arrival_a_piece() -> None:
    assert fed([b"Par", b"is\n", b"is it"]) == ("Paris\nis it", 3)
    assert read_stream(b"data is scarce").document == "data is scarce"
    assert fed([b"d", b"\nd", b"\n"], "text/plain") == ("d\nd\n", 2)
    for text in ("data: scarce", "data: [1] as shown", "data: {x} is a set", "id: 7", ": colon", "datum"):
        assert read_stream(text.encode(), "text/plain") == Streamed(text, is_text=True)
    assert read_stream(b"[Note] yes") == Streamed("[Note] yes", is_text=True)
    assert read_stream(b"{% if %}") == Streamed("{% if %}", is_text=True)


def test_half_a_character_is_no_piece() -> None:
    rocket = "🚀".encode()
    decoder = StreamDecoder()
    assert [decoder.feed(part) for part in (b"x", rocket[:2], rocket[2:])] == [1, 0, 1]
    assert decoder.close().document == "x🚀"


def test_text_that_is_json_is_a_document_as_in_any_answer() -> None:
    assert read_stream(b"42") == Streamed(42)
    assert read_stream(b'"Paris"') == Streamed("Paris")
    assert read_stream(b"[0.5, 1]") == Streamed([0.5, 1])


def test_text_that_begins_like_json_is_text_where_it_cannot_be_json() -> None:
    assert read_stream(b'{"a": nothing} of the kind') == Streamed('{"a": nothing} of the kind', is_text=True)
    assert read_stream(b'{"a": [1, ', "text/plain") == Streamed('{"a": [1, ', is_text=True)
    assert fault_of(b'{"a": [1, ').code == "StreamTruncated"


def test_server_sent_text_is_joined() -> None:
    body = b"data: Par\n\ndata: is\n\ndata:  {\n\ndata: }\n\ndata: [DONE]\n\n"
    assert read_stream(body, "text/event-stream") == Streamed("Paris {}", is_text=True)
    assert read_stream(b"data: two\ndata: lines\n\n", "text/event-stream").document == "two\nlines"


def test_an_event_may_have_its_json_on_several_lines() -> None:
    event = json.dumps(chunk({"content": "hi"}, "stop"), indent=1)
    body = "".join(f"data: {line}\n" for line in event.split("\n")) + "\n"
    assert FORMATS.get("openai").read(read_stream(body.encode()).document).output == "hi"


def test_halves_of_a_character_in_two_events_become_one() -> None:
    parts = (r'{"choices":[{"delta":{"content":"\ud83d"}}]}', r'{"choices":[{"delta":{"content":"\ude80"}}]}')
    document = read_stream(sse(*parts, "[DONE]")).document
    assert document["choices"][0]["message"]["content"] == "🚀"


def test_a_half_that_is_alone_stays() -> None:
    document = read_stream(sse(r'{"choices":[{"delta":{"content":"\ud83d!"}}]}', "[DONE]")).document
    assert document["choices"][0]["message"]["content"] == "\ud83d!"


def test_special_tokens_are_no_text() -> None:
    events = (tgi_token(1, "<s>", special=True), tgi_token(2, "Hi"), tgi_token(3, "</s>", special=True))
    decoder = StreamDecoder()
    assert [decoder.feed(sse(event)) for event in events] == [0, 1, 0]
    assert decoder.feed(sse(tgi_token(4, "", details={"finish_reason": "length"}))) == 0
    [answer] = decoder.close().document
    assert answer["generated_text"] == "Hi"


def test_the_text_that_the_last_event_tells_is_preferred() -> None:
    assert read_stream(json_lines(lmi_token(" a"), lmi_token(" b", generated_text="a b"))).document == {
        "generated_text": "a b",
        "details": {"tokens": [{"id": 7, "text": " a", "log_prob": -0.25}, {"id": 7, "text": " b", "log_prob": -0.25}]},
    }


def test_json_lines_may_be_blank_or_say_that_they_are_done() -> None:
    lines = json_lines(chunk({"content": "a"})) + b"\n" + json_lines(chunk({"content": "b"})) + b"[DONE]\n"
    assert read_text(read_stream(lines).document).output == "ab"


def test_json_that_is_nested_too_deeply_is_text() -> None:
    deep = '{"a":' * 100_000 + "1"
    assert read_stream(deep.encode()).is_text


def test_json_documents_on_one_line_are_all_read() -> None:
    glued = (compact(lmi_token("a")) + compact(lmi_token("b", generated_text="ab")) + "\n").encode()
    assert fed([glued])[1] == 2


def test_line_ends_of_unicode_are_no_ends_of_lines() -> None:
    odd = "a\u2028b\u0085c"
    assert read_stream(json_lines(lmi_token(odd, generated_text=odd))).document["generated_text"] == odd


def test_a_byte_order_mark_is_no_text() -> None:
    assert read_stream(b"\xef\xbb\xbf" + sse(chunk({"content": "x"}, "stop"))).document["choices"]
    assert read_stream(b"\xef\xbb\xbf" + json_lines(WHOLE_LINE)).document == WHOLE_LINE


WHOLE_LINE = {"generated_text": "x"}


def test_lines_without_a_protocol_are_joined_under_their_key() -> None:
    lines = ({"generation": "Par", "stop_reason": None}, {"generation": "is", "stop_reason": "stop"})
    assert fed([json_lines(*lines)]) == ({"generation": "Paris", "stop_reason": "stop"}, 2)
    unknown = ({"score": 1}, {"score": 2})
    assert fed([json_lines(*unknown)]) == (list(unknown), 0)


@pytest.mark.parametrize(("model_type", "body", "streaming"), [
    ("openai", {"prompt": "é"}, {"prompt": "é", "stream": True, "stream_options": {"include_usage": True}}),
    ("openai", {"messages": []}, {"messages": [], "stream": True, "stream_options": {"include_usage": True}}),
    ("huggingface", {"messages": []}, {"messages": [], "stream": True, "stream_options": {"include_usage": True}}),
    ("huggingface", {"inputs": "x", "stream": False}, {"inputs": "x", "stream": True}),
    ("anthropic", {"messages": []}, {"messages": [], "stream": True}),
    ("custom", {"messages": []}, {"messages": [], "stream": True}),
    ("openai", {"messages": [], "stream_options": {"include_usage": False}},
     {"messages": [], "stream_options": {"include_usage": False}, "stream": True}),
])  # fmt: skip
def test_a_container_is_asked_to_stream(model_type: str, body: Json, streaming: Json) -> None:
    assert streaming_body(encode(body), model_type) == encode(streaming)


@pytest.mark.parametrize("body", [b"", b"plain", b"[1]", b'"x"', b"\xff{}", b'{"a": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_json_object_stays_as_it_is(body: bytes) -> None:
    assert streaming_body(body, "custom") is body


def test_a_number_that_json_cannot_carry_cannot_be_sent() -> None:
    with pytest.raises(FormatError, match="cannot be written as JSON"):
        streaming_body(b'{"x": 1e999}', "custom")


def test_an_escape_that_utf8_cannot_carry_stays_an_escape() -> None:
    assert streaming_body(rb'{"inputs": "\ud83d"}', "custom") == rb'{"inputs":"\ud83d","stream":true}'
