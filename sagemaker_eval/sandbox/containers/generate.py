"""The containers that take `inputs`: TGI, LMI, the Hugging Face toolkit, the first Llama 2 images, Flan-T5."""

from __future__ import annotations

from typing import Any

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked, limit, number, stops
from sagemaker_eval.sandbox.containers.base import CONTAINERS, ContainerAnswer, answer_json, answer_text
from sagemaker_eval.sandbox.containers.chat import completions
from sagemaker_eval.sandbox.containers.generation import End, Generated, generate
from sagemaker_eval.sandbox.containers.streams import JSON_LINES, LOGPROB, stream_lmi, stream_text, stream_tgi
from sagemaker_eval.sandbox.containers.tokens import token_texts

_FINISH = {End.DONE: "eos_token", End.LIMIT: "length", End.STOP: "stop_sequence"}
_TGI_DEFAULT_TOKENS = 1024
_LMI_DEFAULT_TOKENS = 30
_TGI_MOST_STOPS = 4
_UNPARSABLE = (
    "Failed to deserialize the JSON body into the target type: "
    "data did not match any variant of untagged enum SagemakerRequest"
)
_EULA = (
    "Need to pass custom_attributes='accept_eula=true' as part of header. This means you have read and accept the "
    "end-user license agreement (EULA) of the model."
)


@CONTAINERS.register("tgi")
def tgi(asked: Asked) -> ContainerAnswer:
    """Text Generation Inference: `[{"generated_text": ...}]` for `inputs`; it refuses neutral sampling values."""
    fields = asked.fields
    if "inputs" not in fields:
        return completions(asked) if "messages" in fields or "prompt" in fields else answer_text(_UNPARSABLE, 422)
    if not isinstance(fields["inputs"], str):
        return answer_text(_UNPARSABLE, 422)
    if flaw := _tgi_flaw(asked):
        return answer_json({"error": f"Input validation error: {flaw}", "error_type": "validation"}, 422)
    parameters = asked.parameters
    made = generate(asked, limit(parameters.get("max_new_tokens")), stops(parameters.get("stop")), _TGI_DEFAULT_TOKENS)
    text = _with_prompt(asked, made, default=False)
    if asked.streams:
        return stream_tgi(text, made, _FINISH[made.end], parameters.get("seed"))
    answer: dict[str, Any] = {"generated_text": text}
    if parameters.get("details") is True:
        prefill = _tokens(asked.prompt, "logprob") if parameters.get("decoder_input_details") is True else []
        answer["details"] = {
            "finish_reason": _FINISH[made.end],
            "generated_tokens": made.tokens,
            "seed": parameters.get("seed"),
            "prefill": prefill,
            "tokens": [{**token, "special": False} for token in _tokens(made.text, "logprob")],
        }
    return answer_json([answer])


@CONTAINERS.register("lmi")
def lmi(asked: Asked) -> ContainerAnswer:
    """DJL Serving with LMI, also most of JumpStart: `{"generated_text": ...}` for `inputs`."""
    fields = asked.fields
    if "inputs" not in fields:
        if "messages" in fields or "prompt" in fields:
            return completions(asked, JSON_LINES)
        return answer_json({"error": "Missing `inputs` in the request payload", "code": 424}, 424)
    parameters = asked.parameters
    stop = stops(parameters.get("stop_sequences")) or stops(parameters.get("stop"))
    made = generate(asked, limit(parameters.get("max_new_tokens")), stop, _LMI_DEFAULT_TOKENS)
    text = _with_prompt(asked, made, default=False)
    if asked.streams:
        return stream_lmi(text, made, _FINISH[made.end])
    answer: dict[str, Any] = {"generated_text": text}
    if parameters.get("details") is True:
        answer["details"] = {
            "finish_reason": _FINISH[made.end],
            "generated_tokens": made.tokens,
            "inputs": asked.prompt,
            "tokens": _tokens(made.text, "log_prob"),
        }
        if parameters.get("decoder_input_details") is True:
            answer["details"]["prefill"] = _tokens(asked.prompt, "log_prob")
    return answer_json(answer)


@CONTAINERS.register("toolkit")
def toolkit(asked: Asked) -> ContainerAnswer:
    """The Hugging Face inference toolkit: a list that repeats the prompt, unless `return_full_text` is false."""
    if "inputs" not in asked.fields:
        message = "text generation needs `inputs`"
        return answer_json({"code": 400, "type": "InternalServerException", "message": message}, 400)
    made = generate(asked, limit(asked.parameters.get("max_new_tokens")))
    return answer_json([{"generated_text": _with_prompt(asked, made, default=True)}])


@CONTAINERS.register("llama2")
def llama2(asked: Asked) -> ContainerAnswer:
    """Llama 2 as JumpStart first had it: a licence to accept with each request, and `[{"generation": ...}]`."""
    if "accept_eula=true" not in asked.custom_attributes.replace(" ", ""):
        return answer_json({"code": 424, "message": "prediction failure", "error": _EULA}, 424)
    made = generate(asked, limit(asked.parameters.get("max_new_tokens")))
    chat = isinstance(asked.fields.get("inputs"), list)
    generation: Json = {"role": "assistant", "content": made.text} if chat else made.text
    return answer_json([{"generation": generation}])


@CONTAINERS.register("text2text")
def text2text(asked: Asked) -> ContainerAnswer:
    """Flan-T5 and its kin in JumpStart: `{"generated_texts": [...]}` for `text_inputs`."""
    made = generate(asked, limit(asked.fields.get("max_length")))
    return answer_json({"generated_texts": [made.text]})


@CONTAINERS.register("custom")
def custom(asked: Asked) -> ContainerAnswer:
    """A container of one's own: `{"output": ...}` for whatever is asked."""
    return answer_json({"output": generate(asked).text})


@CONTAINERS.register("text")
def text(asked: Asked) -> ContainerAnswer:
    """A container that answers in plain text."""
    made = generate(asked)
    return stream_text(made.text) if asked.streams else answer_text(made.text)


def _tgi_flaw(asked: Asked) -> str | None:
    """What TGI's validation says to the request, None where it accepts it."""
    parameters = asked.parameters
    if not asked.fields["inputs"]:
        return "`inputs` cannot be empty"
    for name in ("temperature", "repetition_penalty", "top_k", "max_new_tokens"):
        value = number(parameters.get(name))
        if value is not None and value <= 0:
            return f"`{name}` must be strictly positive"
    for name in ("top_p", "typical_p"):
        value = number(parameters.get(name))
        if value is not None and not 0 < value < 1:
            return f"`{name}` must be > 0.0 and < 1.0"
    given = len(stops(parameters.get("stop")))
    if given > _TGI_MOST_STOPS:
        return f"`stop` supports up to {_TGI_MOST_STOPS} stop sequences. Given: {given}"
    return None


def _with_prompt(asked: Asked, made: Generated, *, default: bool) -> str:
    repeated = asked.parameters.get("return_full_text", default) is True
    return asked.prompt + made.text if repeated else made.text


def _tokens(text: str, logprob: str) -> list[dict[str, Json]]:
    return [{"id": index, "text": token, logprob: LOGPROB} for index, token in enumerate(token_texts(text), 1)]
