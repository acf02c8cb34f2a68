"""Streams in the shape of Bedrock's ConverseStream, which containers of Amazon's own models may send."""

from __future__ import annotations

from sagemaker_eval.formats.stream_joining import joined
from sagemaker_eval.model import Json

EVENT_KEYS = frozenset({"messageStart", "contentBlockStart", "contentBlockDelta"})
"""The keys that the first event of such a stream has one of."""


class ConverseStream:
    """The role, then the blocks of text piece by piece, then why it stopped, and the usage last.

    The document is what Converse answers. Blocks that are no text (reasoning, tools) are not put together.
    """

    def __init__(self) -> None:
        self._role: Json = "assistant"
        self._pieces: dict[int, list[str]] = {}
        self._rest: dict[str, Json] = {}
        self.ended = False

    def take(self, event: dict[str, Json]) -> int:
        match event:
            case {"contentBlockDelta": {"delta": {"text": str(text)}, "contentBlockIndex": int(index)}}:
                self._pieces.setdefault(index, []).append(text)
                return int(text != "")
            case {"messageStart": {"role": role}}:
                self._role = role
            case {"messageStop": dict(told)}:
                self._rest.update(told)
                self.ended = True
            case {"metadata": dict(told)}:
                self._rest.update(told)
        return 0

    def document(self) -> Json:
        content = [{"text": joined(self._pieces[index])} for index in sorted(self._pieces)]
        return {"output": {"message": {"role": self._role, "content": content}}, **self._rest}
