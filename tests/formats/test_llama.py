"""Request bodies of the `llama` model type, byte for byte."""

from __future__ import annotations

from sagemaker_eval.formats import llama
from sagemaker_eval.model import Sampling

FORMAT = llama.LlamaFormat()


def body(prompt: str, sampling: Sampling = Sampling()) -> str:
    return FORMAT.body(prompt, sampling, "application/json").decode()


def test_plain_text_is_the_input() -> None:
    assert body("Hi") == '{"inputs":"Hi","parameters":{"max_new_tokens":1024,"temperature":0.7}}'


def test_a_json_array_is_sent_as_it_is() -> None:
    assert body('[[{"role": "user", "content": "Hi"}]]', Sampling(top_p=0.9)) == (
        '{"inputs":[[{"role":"user","content":"Hi"}]],'
        '"parameters":{"max_new_tokens":1024,"temperature":0.7,"top_p":0.9}}'
    )


def test_temperature_0_is_greedy_decoding() -> None:
    assert body("Hi", Sampling(temperature=0, stop=("END",))) == (
        '{"inputs":"Hi","parameters":{"max_new_tokens":1024,"do_sample":false,"stop":["END"]}}'
    )


def test_chat_is_an_openai_chat() -> None:
    assert body("Hi", Sampling(temperature=0, chat=True)) == (
        '{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1024,"temperature":0}'
    )


def test_generation_wins_over_other_shapes() -> None:
    assert FORMAT.read({"generated_text": "other", "generation": "mine"}).output == "mine"
