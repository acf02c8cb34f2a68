"""The `llama` model type."""

from __future__ import annotations

from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.bodies import container_chat_body, encode, generation_parameters, json_array
from sagemaker_eval.formats.reading import Shape, read_text
from sagemaker_eval.model import Json, Reading, Sampling

PREFERRED: tuple[Shape, ...] = (("generation",), (0, "generation"))


class LlamaFormat:
    """Llama containers that take `inputs` and `parameters`.

    A prompt that is a JSON array is sent as it is in `inputs`, other text as a string. With `chat: true` the request
    is OpenAI's chat instead. Temperature 0 is sent as `do_sample: false`; a `topP` of 1 is left out.
    """

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        messages = json_array(prompt)
        if sampling.chat:
            return encode(container_chat_body(prompt, messages, sampling))
        inputs = prompt if messages is None else messages
        return encode({"inputs": inputs, "parameters": generation_parameters(sampling)})

    def read(self, document: Json) -> Reading:
        return read_text(document, PREFERRED)


FORMATS.register("llama")(LlamaFormat())
