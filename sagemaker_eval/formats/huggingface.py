"""The `huggingface` model type."""

from __future__ import annotations

from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.bodies import container_chat_body, encode, generation_parameters, json_array
from sagemaker_eval.formats.reading import Shape, read_text
from sagemaker_eval.model import Json, Reading, Sampling

PREFERRED: tuple[Shape, ...] = ((0, "generated_text"), ("generated_text",))


class HuggingFaceFormat:
    """Hugging Face containers (TGI, LMI, the inference toolkit), such as Mistral's.

    The prompt is always the string `inputs`, and `return_full_text: false` keeps it out of the answer. With
    `chat: true` the request is OpenAI's chat instead. Temperature 0 is sent as `do_sample: false`; a `topP` of 1 is
    left out.
    """

    def body(self, prompt: str, sampling: Sampling, content_type: str) -> bytes:
        if sampling.chat:
            return encode(container_chat_body(prompt, json_array(prompt), sampling))
        parameters = generation_parameters(sampling, do_sample=sampling.temperature > 0, return_full_text=False)
        return encode({"inputs": prompt, "parameters": parameters})

    def read(self, document: Json) -> Reading:
        return read_text(document, PREFERRED)


FORMATS.register("huggingface")(HuggingFaceFormat())
