"""The `anthropic` model type: the Messages API."""

from __future__ import annotations

from sagemaker_eval.errors import FormatError
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.bodies import encode, json_array, number, user_message
from sagemaker_eval.formats.reading import Shape, read_text
from sagemaker_eval.model import Json, Reading, Sampling

PREFERRED: tuple[Shape, ...] = (("content",), ("completion",))

SYSTEM_ROLES = ("system", "developer")


class AnthropicFormat:
    """Servers that speak Anthropic's Messages API.

    A prompt that is a JSON array of messages is sent as `messages`, its system messages joined as `system`; other text
    is one user message.
    """

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        system, messages = _conversation(prompt)
        document: dict[str, Json] = {"messages": messages}
        if system:
            document["system"] = system
        document["max_tokens"] = sampling.max_tokens
        document["temperature"] = number(sampling.temperature)
        document["top_p"] = number(sampling.top_p)
        if sampling.stop:
            document["stop_sequences"] = list(sampling.stop)
        return encode(document)

    def read(self, document: Json) -> Reading:
        return read_text(document, PREFERRED)


def _conversation(prompt: str) -> tuple[str, list[Json]]:
    """What a prompt holds as system text and as messages. Raises `FormatError` where no message is left to answer."""
    array = json_array(prompt)
    if not array or not all(isinstance(message, dict) for message in array):
        return "", user_message(prompt)
    for position, message in enumerate(array, 1):
        if "role" not in message or "content" not in message:
            raise FormatError(
                f"message {position} of the prompt has no `{'content' if 'role' in message else 'role'}`",
                hint='write each message as `{"role": "user", "content": "..."}`',
            )
    system = [_text(message["content"]) for message in array if message["role"] in SYSTEM_ROLES]
    messages = [message for message in array if message["role"] not in SYSTEM_ROLES]
    if not messages:
        raise FormatError(
            "the prompt holds system messages only",
            hint="add a message with the role `user`: the Messages API answers nothing else",
        )
    return "\n\n".join(system), messages


def _text(content: Json) -> str:
    """The text of a system message, which is a string or a list of text blocks."""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(
        isinstance(block, dict) and isinstance(block.get("text"), str) for block in content
    ):
        return "\n\n".join(block["text"] for block in content)
    raise FormatError(
        "the content of a system message is neither a string nor a list of text blocks",
        hint='write it as `{"role": "system", "content": "..."}`',
    )


FORMATS.register("anthropic")(AnthropicFormat())
