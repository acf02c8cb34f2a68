from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from botocore.eventstream import ChecksumMismatch
from botocore.exceptions import ClientError, EventStreamError
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from sagemaker_eval.model import Json

TEXT = "Der Tee ist kalt. 茶は冷たい 😀 und noch sechs Wörter mehr."
ANSWERED = f'answers: [{{answer: "{TEXT}"}}]'
DIALECTS: dict[str, dict[str, Json]] = {
    "tgi": {"inputs": "Hi"},
    "lmi": {"inputs": "Hi"},
    "openai": {"messages": [{"role": "user", "content": "Hi"}]},
    "text": {"inputs": "Hi"},
}
DIALECT = pytest.mark.parametrize("shape", list(DIALECTS))


def script(shape: str, stream: str = "{}", faults: str = "{}") -> str:
    return f'endpoints: {{"*": {{shape: {shape}, {ANSWERED}, stream: {stream}, faults: {faults}}}}}'


def streaming(shape: str) -> dict[str, Json]:
    return {**DIALECTS[shape], "stream": True}


def before_the_break(parts: Any, error: type[Exception]) -> tuple[bytes, Any]:
    """What came before a stream failed with `error`, and the failure."""
    got: list[bytes] = []
    with pytest.raises(error) as caught:
        got.extend(parts)
    return b"".join(got), caught.value


@DIALECT
@pytest.mark.parametrize("size", ["1", "3", "7", "whole", "random"])
def test_however_it_is_cut_a_stream_is_the_same(serve: Any, connect: Any, shape: str, size: str) -> None:
    plain = connect(serve(script(shape)))
    cut = connect(serve(script(shape, f"{{partSize: {size}}}")))

    pieces = list(plain.parts("llama-3", streaming(shape)))
    parts = list(cut.parts("llama-3", streaming(shape)))

    assert b"".join(parts) == b"".join(pieces)
    sizes = {len(part) for part in parts[:-1]}
    if size.isdigit():
        assert sizes == {int(size)}
    elif size == "whole":
        assert len(parts) == 1
    else:
        assert len(sizes) > 1


def test_a_multi_byte_character_may_be_cut(serve: Any, connect: Any) -> None:
    parts = list(connect(serve(script("text", "{partSize: 1}"))).parts("llama-3", streaming("text")))

    with pytest.raises(UnicodeDecodeError):
        [part.decode() for part in parts]
    assert b"".join(parts).decode() == TEXT


def test_a_stream_tells_its_type_variant_and_attributes(serve: Any, connect: Any) -> None:
    client = connect(serve(script("tgi"))).client
    response = client.invoke_endpoint_with_response_stream(
        EndpointName="llama-3", Body=json.dumps(streaming("tgi")).encode(), CustomAttributes="trace=1"
    )

    assert response["ContentType"] == "text/event-stream"
    assert response["InvokedProductionVariant"] == "AllTraffic"
    assert response["CustomAttributes"] == "trace=1"
    assert sum(1 for _ in response["Body"]) > 10


@DIALECT
def test_a_container_that_was_not_asked_to_stream_answers_whole_in_one_part(
    serve: Any, connect: Any, shape: str
) -> None:
    caller = connect(serve(script(shape)))

    (part,) = caller.parts("llama-3", DIALECTS[shape])

    assert part == caller.invoke("llama-3", DIALECTS[shape])["Body"]


def test_a_container_that_was_asked_to_stream_does_so_in_a_plain_invocation_too(serve: Any, connect: Any) -> None:
    response = connect(serve(script("tgi"))).invoke("llama-3", streaming("tgi"))

    assert response["ContentType"] == "text/event-stream"
    assert response["Body"].startswith(b"data:{")


@DIALECT
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("streamBroken", "ModelStreamError"),
        ("streamTimeLimit", "ModelStreamError"),
        ("internalStreamFailure", "InternalStreamFailure"),
        ("streamError", "InternalServerException"),
    ],
)
def test_a_stream_breaks_with_an_error_of_the_service(
    serve: Any, connect: Any, shape: str, fault: str, message: str
) -> None:
    whole = b"".join(connect(serve(script(shape))).parts("llama-3", streaming(shape)))
    broken = connect(serve(script(shape, faults=f"{{{fault}: {{share: 1, message: midway}}}}")))

    got, error = before_the_break(broken.parts("llama-3", streaming(shape)), EventStreamError)

    assert 0 < len(got) < len(whole) and whole.startswith(got)
    assert error.response["Error"] == {"Code": message, "Message": "midway"}


@DIALECT
def test_a_frame_may_have_a_bad_checksum(serve: Any, connect: Any, shape: str) -> None:
    caller = connect(serve(script(shape, faults="{badChecksum: 1}")))

    got, _ = before_the_break(caller.parts("llama-3", streaming(shape)), ChecksumMismatch)

    assert got


@DIALECT
def test_a_connection_may_be_reset_midway(serve: Any, connect: Any, shape: str) -> None:
    caller = connect(serve(script(shape, faults="{streamCut: 1}")))

    before_the_break(caller.parts("llama-3", streaming(shape)), ProtocolError)


@DIALECT
def test_a_truncated_stream_ends_properly_without_its_last_part(serve: Any, connect: Any, shape: str) -> None:
    whole = b"".join(connect(serve(script(shape))).parts("llama-3", streaming(shape)))
    caller = connect(serve(script(shape, faults="{streamTruncated: 1}")))

    got = b"".join(caller.parts("llama-3", streaming(shape)))

    assert 0 < len(got) < len(whole) and whole.startswith(got)
    assert not any(marker in got for marker in (b"[DONE]", b'finish_reason":"', b'"details":{'))


@pytest.mark.parametrize(
    ("shape", "ending"),
    [
        ("tgi", b'data:{"error":"out of memory","error_type":"generation"}\n\n'),
        ("lmi", b'"error":"out of memory","code":424,"details":{"finish_reason":"error"}}\n'),
        (
            "openai",
            b'data: {"error":{"message":"out of memory","type":"InternalServerError","param":null,"code":500}}\n\n'
            b"data: [DONE]\n\n",
        ),
        ("text", b""),
    ],
)
def test_a_container_tells_of_an_error_in_its_own_dialect(serve: Any, connect: Any, shape: str, ending: bytes) -> None:
    faults = "{containerStreamError: {share: 1, message: out of memory}}"

    got = b"".join(connect(serve(script(shape, faults=faults))).parts("llama-3", streaming(shape)))

    assert got.endswith(ending)
    assert TEXT.encode() not in got


def test_a_stream_may_stall_on_an_open_connection(serve: Any, connect: Any) -> None:
    caller = connect(serve(script("tgi", faults="{stall: 1}")), read_timeout=0.2)

    got, _ = before_the_break(caller.parts("llama-3", streaming("tgi")), ReadTimeoutError)

    assert got


def test_an_answer_in_one_piece_is_cut_in_two(serve: Any, connect: Any) -> None:
    caller = connect(serve(script("tgi", faults="{streamTruncated: 1}")))

    (part,) = caller.parts("llama-3", DIALECTS["tgi"])

    assert part.startswith(b'[{"generated_text":"')
    with pytest.raises(ValueError, match=r"Unterminated|unexpected end"):
        json.loads(part)


@pytest.mark.parametrize(("fault", "code"), [("throttling", "ThrottlingException"), ("modelError", "ModelError")])
def test_plain_faults_strike_before_the_stream_begins(serve: Any, connect: Any, fault: str, code: str) -> None:
    caller = connect(serve(script("tgi", faults=f"{{{fault}: 1}}")))

    _, error = before_the_break(caller.parts("llama-3", streaming("tgi")), ClientError)

    assert error.response["Error"]["Code"] == code


def test_errors_of_a_container_with_status_200_come_as_a_part(serve: Any, connect: Any) -> None:
    caller = connect(serve(script("lmi", faults="{batchFailed: 1}")))

    assert list(caller.parts("llama-3", streaming("lmi"))) == [b'{"code":424,"message":"Batch inference failed"}']
    assert list(connect(serve(script("lmi", faults="{emptyBody: 1}"))).parts("llama-3", streaming("lmi"))) == []


def test_a_truncated_answer_breaks_off_in_a_stream_too(serve: Any, connect: Any) -> None:
    caller = connect(serve(script("lmi", faults="{truncated: 1}")))

    got, _ = before_the_break(caller.parts("llama-3", streaming("lmi")), ProtocolError)

    assert b"This answer never comes" in got


def test_faults_of_streams_leave_plain_invocations_alone(serve: Any, connect: Any) -> None:
    caller = connect(serve(script("tgi", faults="{streamCut: {first: 1}, throttling: {first: 1}}")))

    with pytest.raises(ClientError, match="ThrottlingException"):
        caller.invoke("llama-3", DIALECTS["tgi"])
    assert TEXT.encode() in caller.invoke("llama-3", DIALECTS["tgi"])["Body"]


def test_the_first_attempts_at_a_stream_break_and_then_it_succeeds(serve: Any, connect: Any) -> None:
    caller = connect(serve(script("tgi", faults="{streamBroken: {first: 2}}")))

    for _ in range(2):
        before_the_break(caller.parts("llama-3", streaming("tgi")), EventStreamError)
    assert b'"details":{' in b"".join(caller.parts("llama-3", streaming("tgi")))


def test_a_prompt_can_be_bound_to_a_fault_of_its_stream(serve: Any, connect: Any) -> None:
    caller = connect(
        serve('endpoints: {"*": {shape: tgi, answers: [{pattern: poison, fault: streamTruncated}, {answer: a b c}]}}')
    )

    def last(text: str) -> bytes:
        parts: list[bytes] = list(caller.parts("llama-3", {"inputs": text, "stream": True}))
        return parts[-1]

    assert b'"text":"b "' in last("poison")
    assert b'"generated_text":"a b c"' in last("bread")
    assert caller.ask("llama-3", {"inputs": "poison"}) == [{"generated_text": "a b c"}]


def test_tokens_are_waited_for(serve: Any, connect: Any) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    text = 'endpoints: {"*": {shape: openai, answers: [{answer: a b c}], latency: 40, stream: STREAM}}'
    for stream in ("{firstToken: 200, interToken: 10}", "{firstToken: 200, interToken: 10, partSize: whole}"):
        caller = connect(serve(text.replace("STREAM", stream), sleep=sleep))
        list(caller.parts("llama-3", streaming("openai")))

    assert slept == [0.04, 0.2, 0.01, 0.01, 0.04, pytest.approx(0.22)]


def test_the_moment_of_the_first_token_is_kept(serve: Any, connect: Any) -> None:
    sandbox = serve('endpoints: {"*": {shape: openai, answers: [{answer: a b c}], stream: {firstToken: 30}}}')

    list(connect(sandbox).parts("llama-3", streaming("openai")))

    (request,) = sandbox.requests
    assert request.first_token_at - request.answer_started_at >= 0.03


def test_a_stream_that_stalls_does_not_keep_the_sandbox_open(serve: Any, connect: Any) -> None:
    sandbox = serve(script("tgi", faults="{stall: 1}"))
    parts = connect(sandbox).parts("llama-3", streaming("tgi"))
    assert next(parts)

    sandbox.__exit__(None, None, None)

    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", sandbox.port), timeout=5):
        pass
    parts.close()
