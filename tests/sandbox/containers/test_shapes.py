from __future__ import annotations

import json
from typing import Any

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked, decode
from sagemaker_eval.sandbox.containers.base import ContainerAnswer
from sagemaker_eval.sandbox.containers.shapes import answer, recognise, shape_names

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a tea shop"}]


def asked(document: Json, endpoint: str = "model-1", **more: Any) -> Asked:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Asked(endpoint, body, decode(body), **more)


def reply(document: Json, shape: str | None = None, **more: Any) -> ContainerAnswer:
    return answer(asked(document, **more), shape)


def read(document: Json, shape: str | None = None, **more: Any) -> Any:
    """The decoded answer; the script says `one two three. four` unless told otherwise."""
    found = reply(document, shape, **{"scripted": "one two three. four", **more})
    assert found.status == 200
    return json.loads(found.body)


def inputs(**parameters: Json) -> Json:
    return {"inputs": "Name a tea shop", "parameters": parameters}


@pytest.mark.parametrize(
    ("document", "endpoint", "shape"),
    [
        ({"messages": CHAT}, "model-1", "openai"),
        ({"messages": CHAT}, "my-claude-3", "anthropic"),
        ({"messages": CHAT, "anthropic_version": "x"}, "model-1", "anthropic"),
        ({"prompt": "Hi"}, "model-1", "openai"),
        ({"prompt": "Hi"}, "anthropic-1", "anthropic"),
        (inputs(return_full_text=False), "model-1", "tgi"),
        (inputs(), "model-1", "lmi"),
        ({"inputs": "Hi"}, "model-1", "lmi"),
        ({"inputs": [CHAT]}, "model-1", "llama2"),
        ({"inputs": CHAT, "parameters": {}}, "model-1", "lmi"),
        ({"inputs": "Hi"}, "my-embedding-endpoint", "embedding"),
        ({"inputs": "Hi"}, "e5-large", "embedding"),
        ({"inputs": "Hi"}, "subgenre-e50", "lmi"),
        ({"input": "Hi"}, "model-1", "embedding"),
        ({"input": "Hi", "text": "Hi", "inputs": "Hi"}, "model-1", "embedding"),
        ({"texts": ["Hi"]}, "model-1", "embedding"),
        ({"text_inputs": "Hi", "mode": "embedding"}, "model-1", "embedding"),
        ({"text_inputs": ["Hi"]}, "model-1", "embedding"),
        ({"text_inputs": "Hi"}, "model-1", "text2text"),
        ({"question": "Hi"}, "model-1", "custom"),
        ([1, 2], "model-1", "custom"),
        (b"1,2,3", "model-1", "text"),
    ],
)
def test_the_request_and_the_name_suggest_the_shape(document: Json, endpoint: str, shape: str) -> None:
    assert recognise(asked(document, endpoint)) == shape


def test_every_shape_survives_every_request() -> None:
    documents = [
        {"messages": CHAT},
        {"prompt": ""},
        inputs(),
        {"inputs": None},
        {"input": 5},
        {},
        [],
        None,
        b"\xff",
        "x",
    ]
    documents += [{"messages": "x"}, {"messages": [{"content": None}]}, {"inputs": [["a"]]}, {"texts": {}}]

    for shape in [None, *shape_names()]:
        for document in documents:
            assert reply(document, shape).status in {200, 400, 422, 424}


def test_tgi_answers_with_a_list() -> None:
    assert read(inputs(return_full_text=False)) == [{"generated_text": "one two three. four"}]
    assert read(inputs(return_full_text=True)) == [{"generated_text": "Name a tea shopone two three. four"}]


def test_tgi_gives_details_on_request() -> None:
    parameters = {"details": True, "decoder_input_details": True, "max_new_tokens": 2, "seed": 7}

    (found,) = read(inputs(**parameters), "tgi")

    assert found["generated_text"] == "one two"
    assert found["details"] == {
        "finish_reason": "length",
        "generated_tokens": 2,
        "seed": 7,
        "prefill": [
            {"id": 1, "text": "Name ", "logprob": -0.1},
            {"id": 2, "text": "a ", "logprob": -0.1},
            {"id": 3, "text": "tea ", "logprob": -0.1},
            {"id": 4, "text": "shop", "logprob": -0.1},
        ],
        "tokens": [
            {"id": 1, "text": "one ", "logprob": -0.1, "special": False},
            {"id": 2, "text": "two", "logprob": -0.1, "special": False},
        ],
    }


@pytest.mark.parametrize(
    ("parameters", "flaw"),
    [
        ({"temperature": 0}, "`temperature` must be strictly positive"),
        ({"temperature": -1.5}, "`temperature` must be strictly positive"),
        ({"top_k": 0}, "`top_k` must be strictly positive"),
        ({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"top_p": 0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"stop": list("abcde")}, "`stop` supports up to 4 stop sequences. Given: 5"),
    ],
)
def test_tgi_refuses_neutral_sampling_values(parameters: dict[str, Json], flaw: str) -> None:
    refused = reply(inputs(**parameters), "tgi")

    assert refused.status == 422
    assert json.loads(refused.body) == {"error": f"Input validation error: {flaw}", "error_type": "validation"}


def test_tgi_refuses_empty_inputs_and_shapes_it_does_not_know() -> None:
    empty, unknown = reply({"inputs": ""}, "tgi"), reply({"question": "Hi"}, "tgi")

    assert (empty.status, unknown.status) == (422, 422)
    assert b"`inputs` cannot be empty" in empty.body
    assert unknown.body.startswith(b"Failed to deserialize the JSON body into the target type")


def test_tgi_also_serves_chat() -> None:
    assert read({"messages": CHAT, "temperature": 0}, "tgi")["object"] == "chat.completion"


def test_lmi_answers_with_an_object() -> None:
    assert read(inputs(temperature=0, top_p=1)) == {"generated_text": "one two three. four"}


def test_lmi_gives_details_on_request() -> None:
    found = read(inputs(details=True, stop_sequences=["three"]), "lmi")

    assert found["generated_text"] == "one two "
    assert found["details"]["finish_reason"] == "stop_sequence"
    assert found["details"]["generated_tokens"] == 2
    assert found["details"]["tokens"][0] == {"id": 1, "text": "one ", "log_prob": -0.1}


def test_lmi_cuts_a_written_answer_at_its_default_of_30_tokens_and_a_scripted_one_not() -> None:
    story = {"inputs": "Write a story of 200 words", "parameters": {"details": True}}

    written = json.loads(reply(story, "lmi").body)
    scripted = read(story, "lmi", scripted="word " * 50)

    assert (written["details"]["generated_tokens"], written["details"]["finish_reason"]) == (30, "length")
    assert scripted["details"]["generated_tokens"] == 50


def test_the_toolkit_repeats_the_prompt_unless_told_not_to() -> None:
    assert read(inputs(), "toolkit") == [{"generated_text": "Name a tea shopone two three. four"}]
    assert read(inputs(return_full_text=False), "toolkit") == [{"generated_text": "one two three. four"}]
    assert reply({}, "toolkit").status == 400


def test_llama_2_wants_its_licence_accepted() -> None:
    refused = reply({"inputs": [CHAT]})

    assert refused.status == 424
    assert json.loads(refused.body)["error"].startswith("Need to pass custom_attributes='accept_eula=true'")
    assert read({"inputs": [CHAT]}, custom_attributes="accept_eula=true") == [
        {"generation": {"role": "assistant", "content": "one two three. four"}}
    ]
    assert read({"inputs": "Hi"}, "llama2", custom_attributes="a=b;accept_eula=true") == [
        {"generation": "one two three. four"}
    ]


def test_a_chat_completion_reports_its_usage() -> None:
    found = read({"messages": CHAT, "max_tokens": 3})

    assert found["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "one two three",
                "reasoning_content": None,
                "tool_calls": [],
            },
            "logprobs": None,
            "finish_reason": "length",
            "stop_reason": None,
        }
    ]
    assert found["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def test_a_completion_has_text_and_stops_at_a_stop_sequence() -> None:
    found = read({"prompt": "Once", "max_tokens": 9, "stop": ["three"]})

    assert (found["object"], found["choices"][0]["text"]) == ("text_completion", "one two ")
    assert (found["choices"][0]["finish_reason"], found["choices"][0]["stop_reason"]) == ("stop", "three")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"messages": []},
        {"prompt": "a", "temperature": -1},
        {"prompt": "a", "top_p": 0},
        {"prompt": "a", "max_tokens": 0},
    ],
)
def test_an_openai_server_refuses_in_its_own_envelope(document: Json) -> None:
    refused = reply(document, "openai")

    assert refused.status == 400
    assert json.loads(refused.body)["error"]["type"] == "BadRequestError"


def test_a_claude_answers_in_blocks_of_content() -> None:
    found = read({"messages": CHAT, "max_tokens": 3}, endpoint="my-claude")

    assert found["content"] == [{"type": "text", "text": "one two three"}]
    assert (found["stop_reason"], found["usage"]) == ("max_tokens", {"input_tokens": 7, "output_tokens": 3})


def test_a_claude_needs_max_tokens_for_messages_and_completes_a_prompt_without() -> None:
    refused = reply({"messages": CHAT}, "anthropic")

    assert refused.status == 400
    assert json.loads(refused.body)["error"]["message"] == "max_tokens: Field required"
    assert read({"prompt": "Hi"}, "anthropic")["completion"] == "one two three. four"


def test_the_plain_shapes() -> None:
    assert read({"question": "Hi"}) == {"output": "one two three. four"}
    assert read({"text_inputs": "Hi"}) == {"generated_texts": ["one two three. four"]}
    text = reply(b"Hi", scripted="yes")
    assert (text.body, text.content_type) == (b"yes", "text/plain; charset=utf-8")


def dimensions(value: Json) -> Json:
    """A nested list of numbers with each vector replaced by its length."""
    return [dimensions(item) for item in value] if isinstance(value[0], list) else len(value)


def test_each_embedding_server_has_its_shape() -> None:
    openai = read({"input": ["a b", "c"]})
    assert [item["index"] for item in openai["data"]] == [0, 1]
    assert [len(item["embedding"]) for item in openai["data"]] == [64, 64]
    assert openai["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert dimensions(read({"inputs": "a"}, "embedding")) == [64]
    assert dimensions(read({"inputs": ["a", "b"]}, "embedding")) == [64, 64]
    assert dimensions(read({"text_inputs": "a", "mode": "embedding"})["embedding"]) == 64
    assert dimensions(read({"text_inputs": ["a"]})["embedding"]) == [64]
    assert dimensions(read({"texts": ["a"]})["embeddings"]) == [64]
    assert dimensions(read({"texts": ["a"], "embedding_types": ["float"]})["embeddings"]["float"]) == [64]
    assert dimensions(read({"inputs": "a b c"}, "features")) == [[64, 64, 64]]
    assert dimensions(read({"input": "a", "dimensions": 8})["data"][0]["embedding"]) == 8


def test_nothing_to_embed_is_refused() -> None:
    refused = reply({"inputs": ""}, "embedding")

    assert (refused.status, json.loads(refused.body)["error"]) == (422, "`inputs` cannot be empty")


def test_half_a_surrogate_pair_in_a_prompt_does_no_harm() -> None:
    assert reply(b'{"inputs": "\\ud83d names"}').status == 200
