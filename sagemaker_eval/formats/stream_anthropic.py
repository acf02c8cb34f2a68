"""Streams of Anthropic's Messages API."""

from __future__ import annotations

import json

from sagemaker_eval.formats.stream_joining import joined
from sagemaker_eval.model import Json

EVENT_TYPES = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
    }
)
"""The types of the events, by which these streams are known."""

_TEXT_OF_DELTA = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_PIECES_OF_SIGNATURE = {"signature_delta": "signature"}


class AnthropicStream:
    """A message without content, then its blocks piece by piece, then why it stopped; the document is the message."""

    def __init__(self) -> None:
        self._message: dict[str, Json] = {}
        self._blocks: dict[int, dict[str, Json]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self.ended = False

    def take(self, event: dict[str, Json]) -> int:
        match event:
            case {"type": "message_start", "message": dict(message)}:
                self._message.update(message)
            case {"type": "content_block_start", "index": int(index), "content_block": dict(block)}:
                self._blocks[index] = block
            case {"type": "content_block_delta", "index": int(index), "delta": dict(delta)}:
                return self._take_delta(index, delta)
            case {"type": "message_delta", "delta": dict(delta)}:
                self._take_end(delta, event.get("usage"))
            case {"type": "message_stop"}:
                self.ended = True
        return 0

    def document(self) -> Json:
        return {**self._message, "content": [self._block(index) for index in sorted(self._blocks)]}

    def _take_delta(self, index: int, delta: dict[str, Json]) -> int:
        self._blocks.setdefault(index, {"type": "text", "text": ""})
        for kind, key in (_TEXT_OF_DELTA | _PIECES_OF_SIGNATURE).items():
            piece = delta.get(key)
            if delta.get("type") == kind and isinstance(piece, str):
                self._pieces.setdefault((index, key), []).append(piece)
                return int(piece != "" and kind in _TEXT_OF_DELTA)
        return 0

    def _take_end(self, delta: dict[str, Json], usage: Json) -> None:
        self._message.update({key: value for key, value in delta.items() if value is not None})
        if isinstance(usage, dict):
            before = self._message.get("usage")
            self._message["usage"] = {**before, **usage} if isinstance(before, dict) else usage
        self.ended = self.ended or delta.get("stop_reason") is not None

    def _block(self, index: int) -> dict[str, Json]:
        block = {**self._blocks[index]}
        for (of, key), pieces in self._pieces.items():
            if of != index:
                continue
            if key == "partial_json":
                block["input"] = _json_or_text(joined(pieces), block.get("input"))
            else:
                block[key] = str(block.get(key) or "") + joined(pieces)
        return block


def _json_or_text(text: str, without: Json) -> Json:
    """The input of a tool, as text where a limit of tokens cut it."""
    try:
        return json.loads(text) if text else without
    except (ValueError, RecursionError):
        return text
