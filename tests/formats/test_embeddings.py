"""Request bodies of embedding endpoints, byte for byte."""

from __future__ import annotations

import inspect

import pytest

from sagemaker_eval.formats import embeddings
from sagemaker_eval.formats.base import EMBEDDING_FORMATS, FORMATS
from sagemaker_eval.model import Sampling


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("openai", '{"input":"Grüße"}'),
        ("huggingface", '{"inputs":"Grüße"}'),
        ("jumpstart", '{"text_inputs":["Grüße"],"mode":"embedding"}'),
        ("cohere", '{"texts":["Grüße"],"input_type":"search_document","truncate":"END"}'),
        ("custom", '{"input":"Grüße","text":"Grüße","inputs":"Grüße"}'),
    ],
)
def test_the_text_is_sent_in_the_shape_of_the_server(shape: str, body: str) -> None:
    assert EMBEDDING_FORMATS.get(shape).body("Grüße", Sampling(), "application/json") == body.encode()


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("openai", '{"input":["Grüße","b"]}'),
        ("huggingface", '{"inputs":["Grüße","b"]}'),
        ("jumpstart", '{"text_inputs":["Grüße","b"],"mode":"embedding"}'),
        ("cohere", '{"texts":["Grüße","b"],"input_type":"search_document","truncate":"END"}'),
    ],
)
def test_several_texts_are_sent_in_the_shape_of_the_server(shape: str, body: str) -> None:
    format_ = embeddings.batch_format(shape)
    assert format_ is not None
    assert format_.batch_body(["Grüße", "b"]) == body.encode()


def test_custom_endpoints_are_asked_for_one_text_at_a_time() -> None:
    assert embeddings.batch_format("custom") is None


def test_custom_sends_the_text_alone_where_it_is_not_json() -> None:
    assert embeddings.CustomEmbedding().body("Grüße", Sampling(), "text/plain") == "Grüße".encode()


def test_the_registries_hold_what_the_documentation_names() -> None:
    assert FORMATS.names() == ("anthropic", "custom", "huggingface", "jumpstart", "llama", "openai")
    assert EMBEDDING_FORMATS.names() == ("cohere", "custom", "huggingface", "jumpstart", "openai")


def test_each_format_says_what_it_is() -> None:
    formats = [FORMATS.get(name) for name in FORMATS] + [EMBEDDING_FORMATS.get(name) for name in EMBEDDING_FORMATS]
    assert all(inspect.getdoc(type(each)) for each in formats)
