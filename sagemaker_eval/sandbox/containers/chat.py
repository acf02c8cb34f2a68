"""The containers that take `messages` or `prompt`: vLLM and SGLang (OpenAI's shapes), and Anthropic's messages."""

from __future__ import annotations

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked, limit, number, stops
from sagemaker_eval.sandbox.containers.base import CONTAINERS, ContainerAnswer, answer_id, answer_json
from sagemaker_eval.sandbox.containers.embedding import openai_embeddings
from sagemaker_eval.sandbox.containers.generation import End, Generated, generate
from sagemaker_eval.sandbox.containers.streams import SERVER_SENT_EVENTS, Dialect, stream_anthropic, stream_openai

_SERVED_MODEL = "/opt/ml/model"
_CREATED = 1735689600
"""2025-01-01, in every answer: the same request gets the same answer, byte by byte."""
_COMPLETION_DEFAULT_TOKENS = 16
_ANTHROPIC_STOP = {End.DONE: "end_turn", End.LIMIT: "max_tokens", End.STOP: "stop_sequence"}


@CONTAINERS.register("openai")
def openai(asked: Asked) -> ContainerAnswer:
    """vLLM or SGLang: chat completions, completions and embeddings, by the members of the request."""
    if "input" in asked.fields and "messages" not in asked.fields:
        return openai_embeddings(asked)
    return completions(asked)


def completions(asked: Asked, dialect: Dialect = SERVER_SENT_EVENTS) -> ContainerAnswer:
    """OpenAI's chat completion for `messages`, its completion for `prompt`, streamed in `dialect` where asked for."""
    fields = asked.fields
    if flaw := _openai_flaw(asked):
        error = {"message": flaw, "type": "BadRequestError", "param": None, "code": 400}
        return answer_json({"error": error}, 400)
    wanted = limit(fields.get("max_completion_tokens")) or limit(fields.get("max_tokens"))
    stop = stops(fields.get("stop"))
    if "messages" in fields:
        document = _chat(asked, generate(asked, wanted, stop))
    else:
        document = _completion(asked, generate(asked, wanted, stop, _COMPLETION_DEFAULT_TOKENS))
    return stream_openai(document, asked, dialect) if asked.streams else answer_json(document)


@CONTAINERS.register("anthropic")
def anthropic(asked: Asked) -> ContainerAnswer:
    """Anthropic's message for `messages`, its older completion for `prompt`."""
    fields = asked.fields
    if "messages" not in fields and "prompt" in fields:
        return _anthropic_completion(asked)
    for name in ("messages", "max_tokens"):
        if not fields.get(name):
            error = {"type": "invalid_request_error", "message": f"{name}: Field required"}
            return answer_json({"type": "error", "error": error}, 400)
    made = generate(asked, limit(fields["max_tokens"]), stops(fields.get("stop_sequences")))
    message: dict[str, Json] = {
        "id": f"msg_{answer_id(asked)}",
        "type": "message",
        "role": "assistant",
        "model": fields.get("model") or asked.endpoint,
        "content": [{"type": "text", "text": made.text}],
        "stop_reason": _ANTHROPIC_STOP[made.end],
        "stop_sequence": made.stopped_by,
        "usage": {"input_tokens": made.prompt_tokens, "output_tokens": made.tokens},
    }
    return stream_anthropic(message) if asked.streams else answer_json(message)


def _anthropic_completion(asked: Asked) -> ContainerAnswer:
    fields = asked.fields
    wanted = limit(fields.get("max_tokens_to_sample")) or limit(fields.get("max_tokens"))
    made = generate(asked, wanted, stops(fields.get("stop_sequences")))
    document: Json = {
        "type": "completion",
        "id": f"compl_{answer_id(asked)}",
        "completion": made.text,
        "stop_reason": "max_tokens" if made.end is End.LIMIT else "stop_sequence",
        "stop": made.stopped_by,
        "model": fields.get("model") or asked.endpoint,
    }
    return answer_json(document)


def _openai_flaw(asked: Asked) -> str | None:
    """What vLLM's validation says to the request, None where it accepts it."""
    fields = asked.fields
    if "messages" in fields:
        if not isinstance(fields["messages"], list) or not fields["messages"]:
            return "`messages` must be a non-empty list"
    elif "prompt" not in fields:
        return "Field required: `messages` or `prompt`"
    temperature, top_p = number(fields.get("temperature")), number(fields.get("top_p"))
    if temperature is not None and temperature < 0:
        return f"temperature must be non-negative, got {temperature}."
    if top_p is not None and not 0 < top_p <= 1:
        return f"top_p must be in (0, 1], got {top_p}."
    most = number(fields.get("max_tokens"))
    if most is not None and most < 1:
        return f"max_tokens must be at least 1, got {most}."
    return None


def _chat(asked: Asked, made: Generated) -> dict[str, Json]:
    message: Json = {"role": "assistant", "content": made.text, "reasoning_content": None, "tool_calls": []}
    return {
        "id": f"chatcmpl-{answer_id(asked)}",
        "object": "chat.completion",
        "created": _CREATED,
        "model": asked.fields.get("model") or _SERVED_MODEL,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": _finish_reason(made),
                "stop_reason": made.stopped_by,
            }
        ],
        "usage": _usage(made),
    }


def _completion(asked: Asked, made: Generated) -> dict[str, Json]:
    return {
        "id": f"cmpl-{answer_id(asked)}",
        "object": "text_completion",
        "created": _CREATED,
        "model": asked.fields.get("model") or _SERVED_MODEL,
        "choices": [
            {
                "index": 0,
                "text": made.text,
                "logprobs": None,
                "finish_reason": _finish_reason(made),
                "stop_reason": made.stopped_by,
            }
        ],
        "usage": _usage(made),
    }


def _finish_reason(made: Generated) -> str:
    return "length" if made.end is End.LIMIT else "stop"


def _usage(made: Generated) -> Json:
    return {
        "prompt_tokens": made.prompt_tokens,
        "completion_tokens": made.tokens,
        "total_tokens": made.prompt_tokens + made.tokens,
    }
