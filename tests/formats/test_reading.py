"""The shapes that containers answer with, one literal example of each, read by every model type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.reading import read_text
from sagemaker_eval.model import Json, TokenUsage


def usage(prompt: int, completion: int) -> TokenUsage:
    return TokenUsage(prompt=prompt, completion=completion, requests=1)


ANSWERS: dict[str, tuple[Json, str, TokenUsage | None, str | None]] = {
    "TGI generate": (
        [
            {
                "generated_text": " Paris.",
                "details": {"finish_reason": "eos_token", "generated_tokens": 3, "prefill": []},
            }
        ],
        " Paris.",
        usage(0, 3),
        "eos_token",
    ),
    "TGI generate with prefill": (
        [
            {
                "generated_text": "x",
                "details": {"finish_reason": "length", "generated_tokens": 1, "prefill": [{"id": 1}, {"id": 2}]},
            }
        ],
        "x",
        usage(2, 1),
        "length",
    ),
    "TGI chat": (
        {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13},
        },
        "Hello!",
        usage(10, 3),
        "stop",
    ),
    "LMI generate": (
        {"generated_text": " Paris.", "details": {"finish_reason": "eos_token", "generated_tokens": 3, "inputs": "?"}},
        " Paris.",
        usage(0, 3),
        "eos_token",
    ),
    "LMI with input length": (
        {
            "generated_text": "x",
            "details": {"finish_reason": "stop_sequence", "generated_tokens": 2, "input_length": 5},
        },
        "x",
        usage(5, 2),
        "stop_sequence",
    ),
    "LMI 3p": (
        {
            "body": {"generation": "Hi", "prompt_token_count": 5, "generation_token_count": 3, "stop_reason": "stop"},
            "metering": {"inputTokenCount": 5, "outputTokenCount": 3},
        },
        "Hi",
        usage(5, 3),
        "stop",
    ),
    "LMI 3p without metering": (
        {"body": {"generation": "Hi", "prompt_token_count": 5, "generation_token_count": 3}},
        "Hi",
        usage(5, 3),
        None,
    ),
    "LMI dynamic batch": ({"outputs": [" Paris"]}, " Paris", None, None),
    "vLLM completion": (
        {"choices": [{"index": 0, "text": " upon", "finish_reason": "length"}], "usage": {"prompt_tokens": 1}},
        " upon",
        usage(1, 0),
        "length",
    ),
    "reasoning without content": (
        {"choices": [{"message": {"content": None, "reasoning_content": "hm"}, "finish_reason": "length"}]},
        "hm",
        None,
        "length",
    ),
    "refusal": ({"choices": [{"message": {"content": None, "refusal": "No."}}]}, "No.", None, None),
    "nothing said": ({"choices": [{"message": {"role": "assistant", "content": None}}]}, "", None, None),
    "content parts": (
        {"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}}]},
        "ab",
        None,
        None,
    ),
    "text2text": ([{"generated_text": "salut"}], "salut", None, None),
    "batch of batches": ([[{"generated_text": "salut"}]], "salut", None, None),
    "pipeline chat": (
        [{"generated_text": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}],
        "Hello",
        None,
        None,
    ),
    "summary": ([{"summary_text": "short"}], "short", None, None),
    "translation": ([{"translation_text": "salut"}], "salut", None, None),
    "question answering": ({"score": 0.9, "start": 0, "end": 1, "answer": "c"}, "c", None, None),
    "Llama 2 chat": ([{"generation": {"role": "assistant", "content": "Hello"}}], "Hello", None, None),
    "Llama 2 base": ([{"generation": " upon"}], " upon", None, None),
    "Llama on Bedrock": (
        {"generation": "Hi", "prompt_token_count": 4, "generation_token_count": 1, "stop_reason": "stop"},
        "Hi",
        usage(4, 1),
        "stop",
    ),
    "Flan-T5": ({"generated_texts": ["Hi"]}, "Hi", None, None),
    "Cohere Command": (
        {
            "text": "Hello",
            "finish_reason": "COMPLETE",
            "meta": {"billed_units": {"input_tokens": 3.0, "output_tokens": 2}},
        },
        "Hello",
        usage(3, 2),
        "COMPLETE",
    ),
    "Cohere generate": (
        {"generations": [{"text": "Hello", "finish_reason": "MAX_TOKENS"}]},
        "Hello",
        None,
        "MAX_TOKENS",
    ),
    "Cohere chat v2": (
        {
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
            "usage": {"billed_units": {"input_tokens": 3, "output_tokens": 2}},
        },
        "Hello",
        usage(3, 2),
        None,
    ),
    "AI21": (
        {"completions": [{"data": {"text": "Hello"}, "finishReason": {"reason": "endoftext"}}]},
        "Hello",
        None,
        "endoftext",
    ),
    "Anthropic": (
        {"content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": {"input_tokens": 2}},
        "Hi",
        usage(2, 0),
        "end_turn",
    ),
    "Triton": ({"outputs": [{"name": "OUT", "datatype": "BYTES", "data": ["Hello"]}]}, "Hello", None, None),
    "MLflow": ({"predictions": ["Hello"]}, "Hello", None, None),
    "response": ({"response": "Hello"}, "Hello", None, None),
    "completion": ({"completion": "Hello"}, "Hello", None, None),
    "a JSON string": ("Hello", "Hello", None, None),
    "a list of one string": (["Hello"], "Hello", None, None),
}


@pytest.mark.parametrize("model_type", FORMATS.names())
@pytest.mark.parametrize("container", ANSWERS)
def test_every_type_reads_every_container(container: str, model_type: str) -> None:
    document, output, tokens, reason = ANSWERS[container]
    reading = FORMATS.get(model_type).read(document)
    assert reading.found
    assert reading.output == output
    assert reading.usage == tokens
    assert reading.finish_reason == reason


STRUCTURED: dict[str, tuple[Json, Json]] = {
    "text classification": ([{"label": "POSITIVE", "score": 0.99}], {"label": "POSITIVE", "score": 0.99}),
    "token classification": (
        [{"word": "Bob", "score": 0.9}, {"word": "Rome", "score": 0.8}],
        [{"word": "Bob", "score": 0.9}, {"word": "Rome", "score": 0.8}],
    ),
    "zero shot": (
        {"sequence": "t", "labels": ["b"], "scores": [0.8]},
        {"sequence": "t", "labels": ["b"], "scores": [0.8]},
    ),
    "TensorFlow Serving": ({"predictions": [[0.1, 0.9]]}, [[0.1, 0.9]]),
    "XGBoost": (0.93, 0.93),
    "tool calls": (
        {"choices": [{"message": {"content": None, "tool_calls": [{"function": {"name": "f"}}]}}]},
        [{"function": {"name": "f"}}],
    ),
    "tool calls beside an empty content": (
        {"choices": [{"message": {"content": "", "tool_calls": [{"function": {"name": "f"}}]}}]},
        [{"function": {"name": "f"}}],
    ),
}


@pytest.mark.parametrize("container", STRUCTURED)
def test_answers_that_are_no_text_stay_what_they_are(container: str) -> None:
    document, output = STRUCTURED[container]
    assert read_text(document).output == output


@pytest.mark.parametrize(
    "document",
    [
        {"generated_text": ""},
        [{"generated_text": ""}],
        {"choices": [{"message": {"content": "", "reasoning_content": "hm"}}]},
        {"choices": [{"text": ""}]},
        {"text": "", "output": "no"},
    ],
)
def test_an_empty_text_is_an_answer(document: Json) -> None:
    reading = read_text(document)
    assert reading.found
    assert reading.output == ""


@pytest.mark.parametrize(
    "document",
    [{}, [], None, {"label": "x"}, {"choices": []}, {"generated_text": None}, ["a", "b"], [[]], [{}], [1, 2]],
)
def test_an_unknown_shape_is_not_found(document: Json) -> None:
    assert not read_text(document).found


KEYS = st.sampled_from(
    ["choices", "message", "content", "text", "generated_text", "details", "usage", "error", "code", "output", "data"]
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(0, 600) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS, st.sampled_from(FORMATS.names()))
def test_any_document_is_read_or_told_to_be_an_error(document: Json, model_type: str) -> None:
    try:
        reading = FORMATS.get(model_type).read(document)
    except EndpointFault as fault:
        assert fault.code == "ModelError"
        return
    assert reading.found == (reading.output is not None)
