"""The frames that InvokeEndpointWithResponseStream answers in (`application/vnd.amazon.eventstream`).

botocore cuts and checks them; what it lets pass in silence, a stream that ends within a frame, is a fault here.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagemaker_eval.errors import EndpointFault, Retry

MEDIA_TYPE = "application/vnd.amazon.eventstream"

PAYLOAD = "PayloadPart"


class Frames:
    """Takes the payloads out of an event stream that may be cut anywhere.

    `fault` makes the fault of an error that the service reports in a frame: from its code and its body, which is JSON.
    """

    def __init__(self, fault: Callable[[str, bytes], EndpointFault]) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._buffer = EventStreamBuffer()
        self._fault = fault
        self._pending = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The payloads that these bytes complete.

        Raises `EndpointFault` for an error frame, and for one whose checksums or lengths are wrong.
        """
        self._buffer.add_data(data)
        self._pending += len(data)
        while (message := self._next()) is not None:
            self._pending -= message.prelude.total_length
            headers: Mapping[str, Any] = message.headers
            kind = headers.get(":message-type")
            if kind == "exception":
                raise self._fault(str(headers.get(":exception-type", "")), message.payload)
            if kind == "error":
                said = {"Message": headers.get(":error-message")}
                raise self._fault(str(headers.get(":error-code", "")), json.dumps(said, default=str).encode())
            if headers.get(":event-type") == PAYLOAD:
                yield message.payload

    def close(self) -> None:
        """Raises `EndpointFault` where the stream ended within a frame."""
        if self._pending:
            raise EndpointFault(
                f"the stream ended in the middle of a frame: {self._pending:,} bytes of it came",
                code="StreamTruncated",
                retry=Retry.COUNTED,
            )

    def _next(self) -> Any:
        """botocore's next message, None where more bytes are needed; its published types are wrong."""
        from botocore.eventstream import ParserError

        try:
            return next(self._buffer, None)
        except (ParserError, struct.error, LookupError, ValueError) as error:
            raise EndpointFault(
                f"the stream is damaged: {error}",
                code="StreamCorrupted",
                retry=Retry.COUNTED,
                hint="look for a proxy or a gateway on the way that changes what passes through it",
            ) from error
