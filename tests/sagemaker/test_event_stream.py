from __future__ import annotations

import json
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.sagemaker.event_stream import Frames
from tests.sagemaker.frames import error, exception, frame, payload_part


def reported(code: str, payload: bytes) -> EndpointFault:
    return EndpointFault(json.loads(payload)["Message"], code=code)


def payloads(*pieces: bytes) -> list[bytes]:
    frames = Frames(reported)
    found = [payload for piece in pieces for payload in frames.feed(piece)]
    frames.close()
    return found


@given(st.lists(st.binary(max_size=50), max_size=8), st.data())
def test_payloads_come_out_however_the_stream_is_cut(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(payload_part, sent))
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    assert payloads(*pieces) == sent


def test_a_payload_is_passed_on_before_the_error_after_it() -> None:
    frames = Frames(reported).feed(payload_part(b"a") + exception("ModelStreamError", "broken"))
    assert next(frames) == b"a"
    with pytest.raises(EndpointFault, match="broken") as caught:
        next(frames)
    assert caught.value.code == "ModelStreamError"


def test_an_error_that_no_model_describes_is_told_by_its_headers() -> None:
    with pytest.raises(EndpointFault, match="try later") as caught:
        payloads(error("InternalFailure", "try later"))
    assert caught.value.code == "InternalFailure"


def test_events_of_another_type_are_passed_over() -> None:
    assert payloads(frame(b"?", message_type="event", event_type="initial-response"), payload_part(b"a")) == [b"a"]


@pytest.mark.parametrize("size", [1, 11, 12, 40, -1])
def test_a_stream_that_ends_within_a_frame_is_truncated(size: int) -> None:
    with pytest.raises(EndpointFault, match="the stream ended in the middle of a frame") as caught:
        payloads(payload_part(b"whole"), payload_part(b"cut")[:size])
    assert (caught.value.code, caught.value.retry) == ("StreamTruncated", Retry.COUNTED)


def flipped(stream: bytes, place: int) -> bytes:
    return stream[:place] + bytes([stream[place] ^ 1]) + stream[place + 1 :]


def test_no_bit_can_change_unnoticed() -> None:
    stream = payload_part(b"payload")
    for place in range(len(stream)):
        with pytest.raises(EndpointFault) as caught:
            payloads(flipped(stream, place))
        assert (caught.value.code, caught.value.retry) == ("StreamCorrupted", Retry.COUNTED)


def signed_frame(total: int, headers: bytes, payload: bytes = b"") -> bytes:
    """A frame whose checksums are right, whatever its lengths and headers say."""
    prelude = struct.pack("!II", total, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


@pytest.mark.parametrize(
    "stream",
    [
        signed_frame(0, b""),
        signed_frame(16 + 4, b"\x01a\x63x"),
        signed_frame(16 + 6, b"\x01\xff\x07\x00\x01x"),
        signed_frame(16 + 12, b"\x01a\x07\x00\x01x" * 2),
        signed_frame(0x7FFFFFFF, b""),
    ],
)
def test_frames_that_make_no_sense_are_faults(stream: bytes) -> None:
    with pytest.raises(EndpointFault, match="the stream is damaged") as caught:
        payloads(stream)
    assert caught.value.code == "StreamCorrupted"


@given(st.binary(max_size=100))
def test_any_bytes_are_payloads_or_a_fault(stream: bytes) -> None:
    try:
        payloads(stream)
    except EndpointFault as fault:
        assert fault.retry is Retry.COUNTED
    else:
        assert stream == b""
