"""Streams of OpenAI's chat and completions APIs: vLLM, SGLang, TGI's chat, LMI's chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sagemaker_eval.formats.stream_joining import joined
from sagemaker_eval.model import Json


class OpenAiStream:
    """Chunks with a part of each choice. The last one of a choice has its `finish_reason`; the usage may come after.

    The document is a `chat.completion` where the chunks have a `delta`, else a `text_completion`.
    """

    def __init__(self) -> None:
        self._head: dict[str, Json] = {}
        self._choices: dict[int, _Choice] = {}
        self._chat = False

    @property
    def ended(self) -> bool:
        return bool(self._choices) and all(choice.rest.get("finish_reason") for choice in self._choices.values())

    def take(self, event: dict[str, Json]) -> int:
        self._head.update({key: value for key, value in event.items() if key != "choices" and value is not None})
        generated = False
        for position, part in enumerate(_objects(event.get("choices"))):
            index = part.get("index")
            choice = self._choices.setdefault(index if isinstance(index, int) else position, _Choice())
            self._chat = self._chat or "delta" in part
            generated = choice.take(part) or generated
        return int(generated)

    def document(self) -> Json:
        kind = "chat.completion" if self._chat else "text_completion"
        choices = [{"index": index, **self._choices[index].document(self._chat)} for index in sorted(self._choices)]
        return {**self._head, "object": kind, "choices": choices}


class _Choice:
    """One choice, put together from its parts."""

    def __init__(self) -> None:
        self.rest: dict[str, Json] = {"finish_reason": None}
        self._texts: dict[str, list[str]] = {}
        self._message: dict[str, Json] = {"role": "assistant"}
        self._tool_calls: dict[int, dict[str, Any]] = {}
        self._log_probs: dict[str, list[Json]] = {}

    def take(self, part: dict[str, Json]) -> bool:
        """Whether the part holds generated text: content, reasoning, a refusal, a piece of a tool call."""
        generated = False
        for key, value in part.items():
            if key == "delta" and isinstance(value, dict):
                generated = self._take_delta(value) or generated
            elif key == "text" and isinstance(value, str):
                generated = self._take_text("text", value) or generated
            elif key == "logprobs" and isinstance(value, dict):
                self._take_log_probs(value)
            elif key != "index" and value is not None:
                self.rest[key] = value
        return generated

    def document(self, chat: bool) -> dict[str, Json]:
        texts = {key: joined(pieces) for key, pieces in self._texts.items()}
        choice: dict[str, Json] = {"message": self._whole_message(texts)} if chat else {"text": texts.get("text", "")}
        choice["logprobs"] = self._log_probs or None
        return {**choice, **self.rest}

    def _take_text(self, key: str, text: str) -> bool:
        self._texts.setdefault(key, []).append(text)
        return text != ""

    def _take_delta(self, delta: Mapping[str, Json]) -> bool:
        generated = False
        for key, value in delta.items():
            if key == "tool_calls":
                for position, call in enumerate(_objects(value)):
                    generated = self._take_call(call, position) or generated
            elif isinstance(value, str) and key != "role":
                generated = self._take_text(key, value) or generated
            elif isinstance(value, list) and isinstance(self._message.get(key), list):
                self._message[key] = [*self._message[key], *value]
            elif value is not None:
                self._message[key] = value
        return generated

    def _take_call(self, part: Mapping[str, Json], position: int) -> bool:
        """A tool call comes as its id, type and name, and then piece by piece its arguments."""
        index = part.get("index")
        call = self._tool_calls.setdefault(index if isinstance(index, int) else position, {})
        told = part.get("function")
        function = call.setdefault("function", {"name": "", "arguments": ""})
        call.update({key: value for key, value in part.items() if key not in ("index", "function") and value})
        if not isinstance(told, dict):
            return False
        function["name"] = function["name"] or told.get("name") or ""
        arguments = told.get("arguments")
        if isinstance(arguments, str) and isinstance(function["arguments"], str):
            function["arguments"] = joined((function["arguments"], arguments))
        elif arguments is not None:
            function["arguments"] = arguments
        return bool(arguments or told.get("name"))

    def _take_log_probs(self, told: Mapping[str, Json]) -> None:
        for key, value in told.items():
            if isinstance(value, list):
                self._log_probs.setdefault(key, []).extend(value)

    def _whole_message(self, texts: dict[str, str]) -> dict[str, Json]:
        """The message; its content is null where it is empty and something else was said instead."""
        message = {**self._message, **texts}
        if self._tool_calls:
            message["tool_calls"] = [self._tool_calls[index] for index in sorted(self._tool_calls)]
        said_otherwise = bool(self._tool_calls) or any(text for key, text in texts.items() if key != "content")
        if "content" not in message or (message["content"] == "" and said_otherwise):
            message["content"] = None if said_otherwise else ""
        return message


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
