from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.aws_chunked import BrokenUpload, upload

CHUNKED = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


def encoded(chunks: list[bytes], trailers: dict[str, str] | None = None) -> bytes:
    lines = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk]
    ending = [f"{name}:{value}\r\n".encode() for name, value in (trailers or {}).items()]
    return b"".join([*lines, b"0\r\n", *ending, b"\r\n"])


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_chunks_of_any_bytes_and_sizes_are_put_together(chunks: list[bytes]) -> None:
    assert upload(CHUNKED, encoded(chunks)).body == b"".join(chunks)


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=4), st.data())
def test_a_body_that_breaks_off_within_its_chunks_is_broken(chunks: list[bytes], data: st.DataObject) -> None:
    whole = encoded(chunks)
    cut = data.draw(st.integers(0, len(whole) - len(b"0\r\n\r\n")))

    with pytest.raises(BrokenUpload):
        upload(CHUNKED, whole[:cut])


def test_trailers_are_checksums_like_headers() -> None:
    trailers = {"x-amz-checksum-crc64nvme": "kept unchecked"}

    assert upload(CHUNKED, encoded([b"x"], trailers)).checksums == trailers
    assert upload(trailers, b"x").checksums == trailers


def test_a_body_without_the_encoding_is_left_alone() -> None:
    assert upload({}, b"3\r\nabc\r\n0\r\n\r\n").body == b"3\r\nabc\r\n0\r\n\r\n"
