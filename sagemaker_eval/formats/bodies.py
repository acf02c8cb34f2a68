"""What the request bodies of the model types share: JSON on the wire, prompts that hold JSON, sampling parameters."""

from __future__ import annotations

import json
from typing import NoReturn

from sagemaker_eval.errors import FormatError
from sagemaker_eval.model import Json, Sampling


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def encode(document: Json) -> bytes:
    """Compact JSON in UTF-8, non-ASCII kept. Raises `FormatError` for what JSON or UTF-8 cannot carry."""
    try:
        text = _ENCODER.encode(document)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            "the request cannot be written as JSON: a number is too large or lists are nested too deeply",
            hint="look at the numbers and brackets of the prompt, which is sent as the JSON that it is",
        ) from error
    return encode_text(text)


def encode_text(text: str) -> bytes:
    """The UTF-8 of a text. Raises `FormatError` where it holds half of a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(
            f"the prompt holds a character that UTF-8 cannot carry: U+{ord(text[error.start]):04X}",
            hint="half of a surrogate pair is left over, often from a text cut in the middle of an emoji",
        ) from error


def parse_json(prompt: str) -> Json:
    """A prompt as the JSON that it is, by the rules of JavaScript's JSON.parse. Raises ValueError where it is none."""
    try:
        return _DECODER.decode(prompt)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def json_array(prompt: str) -> list[Json] | None:
    """The JSON array that a prompt is, such as a list of chat messages; None for any other text."""
    if not prompt.lstrip().startswith("["):
        return None
    try:
        document = parse_json(prompt)
    except ValueError:
        return None
    return document if isinstance(document, list) else None


def is_json(content_type: str) -> bool:
    """Whether a content type says JSON: `application/json`, `application/vnd.x+json`, with or without parameters."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.endswith(("/json", "+json"))


def number(value: float) -> float:
    """A number as JavaScript's JSON.stringify would write it: 1.0 goes out as `1`."""
    return int(value) if float(value).is_integer() else value


def user_message(prompt: str) -> list[Json]:
    """A plain prompt as the only message of a chat."""
    return [{"role": "user", "content": prompt}]


def openai_sampling(sampling: Sampling) -> dict[str, Json]:
    """The sampling parameters of OpenAI's chat and completions APIs; 0 and 1 are legal there."""
    parameters: dict[str, Json] = {
        "max_tokens": sampling.max_tokens,
        "temperature": number(sampling.temperature),
        "top_p": number(sampling.top_p),
    }
    if sampling.stop:
        parameters["stop"] = list(sampling.stop)
    return parameters


def chat_body(prompt: str, messages: list[Json] | None, sampling: Sampling) -> dict[str, Json]:
    """An OpenAI chat request, which TGI, LMI and vLLM know by its `messages`.

    `messages` is what `json_array` found in the prompt; where that is nothing, the prompt is one user message.
    """
    return {"messages": user_message(prompt) if messages is None else messages, **openai_sampling(sampling)}


def container_chat_body(prompt: str, messages: list[Json] | None, sampling: Sampling) -> dict[str, Json]:
    """The chat request of a type whose containers refuse a `top_p` of 1: that, being neutral, is left out."""
    body = chat_body(prompt, messages, sampling)
    if sampling.top_p == 1:
        del body["top_p"]
    return body


def generation_parameters(sampling: Sampling, **more: Json) -> dict[str, Json]:
    """The `parameters` of a TGI or LMI generate request.

    TGI refuses temperature 0 and top_p 1: the first goes out as greedy decoding, the second, being neutral, not at all.
    """
    parameters: dict[str, Json] = {"max_new_tokens": sampling.max_tokens}
    if sampling.temperature == 0:
        parameters["do_sample"] = False
    else:
        parameters["temperature"] = number(sampling.temperature)
    if sampling.top_p != 1:
        parameters["top_p"] = number(sampling.top_p)
    parameters.update(more)
    if sampling.stop:
        parameters["stop"] = list(sampling.stop)
    return parameters
