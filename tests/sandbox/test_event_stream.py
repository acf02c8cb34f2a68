from __future__ import annotations

from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch, EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox import event_stream


def read(data: bytes) -> Any:
    """The only message in `data`, as botocore reads it."""
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    (message,) = buffer
    return message


@given(st.binary(max_size=300))
def test_botocore_reads_a_part(data: bytes) -> None:
    message = read(event_stream.payload_part(data))

    assert message.payload == data
    assert message.headers == {
        ":message-type": "event",
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
    }


def test_botocore_reads_exceptions_and_errors() -> None:
    exception = read(event_stream.exception("ModelStreamError", {"Message": "no", "ErrorCode": "StreamBroken"}))
    error = read(event_stream.error("Sorry", "é"))

    assert exception.headers[":exception-type"] == "ModelStreamError"
    assert exception.payload == b'{"Message":"no","ErrorCode":"StreamBroken"}'
    assert (error.headers[":error-code"], error.headers[":error-message"], error.payload) == ("Sorry", "é", b"")


def test_a_corrupted_message_has_a_wrong_checksum() -> None:
    with pytest.raises(ChecksumMismatch):
        read(event_stream.corrupted(event_stream.payload_part(b"abc")))
