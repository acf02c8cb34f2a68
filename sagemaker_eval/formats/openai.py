"""The `openai` model type."""

from __future__ import annotations

from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.bodies import chat_body, encode, json_array, openai_sampling
from sagemaker_eval.formats.reading import Shape, read_text
from sagemaker_eval.model import Json, Reading, Sampling

PREFERRED: tuple[Shape, ...] = (("choices", 0, "message"), ("choices", 0, "text"), ("generation",))


class OpenAIFormat:
    """OpenAI-compatible servers (vLLM, SGLang, LMI).

    A prompt that is a JSON array is sent as chat `messages`, other text as a completion `prompt`, or with
    `chat: true` as one user message. `model` is never sent: vLLM refuses a name other than its own.
    """

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        messages = json_array(prompt)
        if messages is None and not sampling.chat:
            return encode({"prompt": prompt, **openai_sampling(sampling)})
        return encode(chat_body(prompt, messages, sampling))

    def read(self, document: Json) -> Reading:
        return read_text(document, PREFERRED)


FORMATS.register("openai")(OpenAIFormat())
