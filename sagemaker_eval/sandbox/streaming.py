"""Streams: how the answer of a container is cut, paced and framed, and the faults that break it off midway.

| name | after the first half, the caller sees |
|---|---|
| `streamBroken`, `streamTimeLimit` | a ModelStreamError of code StreamBroken, ModelInvocationTimeExceeded |
| `internalStreamFailure` | an InternalStreamFailure |
| `streamError` | an error that the operation's model does not know |
| `badChecksum` | a frame whose checksum does not fit |
| `streamCut` | a connection that is reset |
| `streamTruncated` | a proper end of the response, with the rest of the answer and its terminal marker missing |
| `containerStreamError` | an error line of the container, in its own dialect |
| `stall` | nothing more, on an open connection |

Without frames, on the path for OpenAI's clients, a frame that tells of a fault is a connection that closes too early.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sagemaker_eval.registry import Registry
from sagemaker_eval.sandbox import event_stream
from sagemaker_eval.sandbox.attempts import Attempt
from sagemaker_eval.sandbox.containers.base import ContainerAnswer, Piece
from sagemaker_eval.sandbox.faults import Circumstance
from sagemaker_eval.sandbox.replies import Chunk, Ending, Reply
from sagemaker_eval.sandbox.rules import PartSize, StreamPace

_LONGEST_RANDOM_PART = 40
_EVERYTHING = 1 << 62


@dataclass(frozen=True, slots=True)
class Break:
    """What comes in place of the second half: a line of the container, a frame of the service, and an ending."""

    line: bytes = b""
    frame: bytes = b""
    ending: Ending = Ending.COMPLETE


StreamFault = Callable[[Circumstance, ContainerAnswer, bytes], Break]
"""From whom it strikes, the whole answer and the bytes that are not to come."""

STREAM_FAULTS: Registry[StreamFault] = Registry("fault of a stream")


@STREAM_FAULTS.register("streamBroken")
def stream_broken(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    return _model_stream_error("StreamBroken", at.message("The model closed the connection before the stream ended."))


@STREAM_FAULTS.register("streamTimeLimit")
def stream_time_limit(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    message = at.message("The invocation took longer than the time that a streamed response may take.")
    return _model_stream_error("ModelInvocationTimeExceeded", message)


@STREAM_FAULTS.register("internalStreamFailure")
def internal_stream_failure(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    message = at.message("The stream failed because of an internal error. Try your request again.")
    return Break(frame=event_stream.exception("InternalStreamFailure", {"Message": message}))


@STREAM_FAULTS.register("streamError")
def stream_error(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    return Break(frame=event_stream.error("InternalServerException", at.message("The service failed midway.")))


@STREAM_FAULTS.register("badChecksum")
def bad_checksum(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    return Break(frame=event_stream.corrupted(event_stream.payload_part(rest)))


@STREAM_FAULTS.register("streamCut")
def stream_cut(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    return Break(ending=Ending.CUT)


@STREAM_FAULTS.register("streamTruncated")
def stream_truncated(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    return Break()


@STREAM_FAULTS.register("containerStreamError")
def container_stream_error(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    failure = answer.failure
    return Break(line=failure(at.message("CUDA error: device-side assert triggered")) if failure else b"")


@STREAM_FAULTS.register("stall")
def stall(at: Circumstance, answer: ContainerAnswer, rest: bytes) -> Break:
    return Break(ending=Ending.NEVER)


@dataclass(frozen=True, slots=True)
class StreamWriter:
    """Writes answers as streams: in frames of AWS's event stream, or bare."""

    pace: StreamPace
    attempt: Attempt
    framed: bool = True

    def reply(self, answer: ContainerAnswer, fault: Circumstance | None) -> Reply:
        """The streamed reply; with a fault, it breaks after the first half. An answer in one piece is cut in two."""
        pieces = answer.pieces or ((Piece(answer.body),) if answer.body else ())
        broken = Break()
        if fault is not None:
            pieces, rest = _halved(pieces)
            broken = STREAM_FAULTS.get(fault.setting.name)(fault, answer, rest)
            pieces = (*pieces, Piece(broken.line)) if broken.line else pieces
        chunks = list(self._chunks(pieces))
        ending = broken.ending
        if broken.frame and self.framed:
            chunks.append(Chunk(broken.frame))
        elif broken.frame:
            ending = Ending.TRUNCATED
        reply = Reply(answer.status, b"", answer.content_type, chunks=tuple(chunks), ending=ending)
        return with_frames(reply) if self.framed else reply

    def _chunks(self, pieces: Sequence[Piece]) -> Iterator[Chunk]:
        for burst, wait in self._bursts(pieces):
            has_token = any(piece.has_token for piece in burst)
            yield Chunk(b"".join(self._parts(burst)), wait, has_token)

    def _bursts(self, pieces: Sequence[Piece]) -> Iterator[tuple[list[Piece], float]]:
        """The pieces that are written without a pause between them, and the pause before them in ms."""
        if self.pace.part_size == "whole":
            if pieces:
                yield list(pieces), sum(self._waits(pieces))
            return
        burst: list[Piece] = []
        pause = 0.0
        for piece, wait in zip(pieces, self._waits(pieces), strict=True):
            if wait and burst:
                yield burst, pause
                burst = []
            pause = pause if burst else wait
            burst.append(piece)
        if burst:
            yield burst, pause

    def _waits(self, pieces: Sequence[Piece]) -> Iterator[float]:
        """The pause before each piece: tokens are waited for, what stands around them comes at once."""
        wait = self.pace.first_token
        for piece in pieces:
            yield wait if piece.has_token else 0.0
            wait = self.pace.inter_token if piece.has_token else wait

    def _parts(self, burst: Sequence[Piece]) -> Iterator[bytes]:
        """What is written for a burst: its parts, each in its frame where there are frames."""
        size = self.pace.part_size
        parts: Iterator[bytes] = (piece.data for piece in burst)
        if size is not None:
            parts = _cut(b"".join(parts), self._sizes(size, burst))
        return map(event_stream.payload_part, parts) if self.framed else parts

    def _sizes(self, size: PartSize, burst: Sequence[Piece]) -> Iterator[int]:
        drawn = random.Random(self.attempt.key + burst[0].data)
        while True:
            if size == "random":
                yield drawn.randint(1, _LONGEST_RANDOM_PART)
            else:
                yield _EVERYTHING if size == "whole" else size


def framed(reply: Reply) -> Reply:
    """A success that was not meant as a stream, as one: its body is a single part, and breaks off as it would have."""
    chunks = (Chunk(event_stream.payload_part(reply.body)),) if reply.body else ()
    return with_frames(replace(reply, body=b"", chunks=chunks))


def with_frames(reply: Reply) -> Reply:
    """The same with the headers of an event stream; the container's content type has one of its own."""
    headers = (*reply.headers, ("X-Amzn-SageMaker-Content-Type", reply.content_type))
    return replace(reply, content_type=event_stream.CONTENT_TYPE, headers=headers)


def _model_stream_error(code: str, message: str) -> Break:
    return Break(frame=event_stream.exception("ModelStreamError", {"Message": message, "ErrorCode": code}))


def _halved(pieces: Sequence[Piece]) -> tuple[tuple[Piece, ...], bytes]:
    """The pieces up to the middle token, one at least, and the bytes of the others."""
    tokens = [index for index, piece in enumerate(pieces) if piece.has_token]
    if len(pieces) == 1:
        data = pieces[0].data
        middle = len(data) // 2
        return (replace(pieces[0], data=data[:middle]),), data[middle:]
    last = tokens[(len(tokens) - 1) // 2] if tokens else 0
    return tuple(pieces[: last + 1]), b"".join(piece.data for piece in pieces[last + 1 :])


def _cut(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = start + next(sizes)
        yield data[start:end]
        start = end
