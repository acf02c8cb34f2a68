"""Request bodies of the `jumpstart` model type, byte for byte."""

from __future__ import annotations

from sagemaker_eval.formats import jumpstart
from sagemaker_eval.model import Sampling

FORMAT = jumpstart.JumpStartFormat()


def body(prompt: str, sampling: Sampling = Sampling()) -> str:
    return FORMAT.body(prompt, sampling, "application/json").decode()


def test_text_is_the_input() -> None:
    assert body("Hi") == '{"inputs":"Hi","parameters":{"max_new_tokens":1024,"temperature":0.7,"do_sample":true}}'


def test_temperature_0_is_greedy_decoding() -> None:
    assert body("Hi", Sampling(temperature=0, top_p=0.5)) == (
        '{"inputs":"Hi","parameters":{"max_new_tokens":1024,"do_sample":false,"top_p":0.5}}'
    )


def test_stop_sequences_are_sent() -> None:
    assert '"stop":["<|eot_id|>"]' in body("Hi", Sampling(stop=("<|eot_id|>",)))


def test_chat_is_an_openai_chat() -> None:
    assert body("Hi", Sampling(chat=True)) == (
        '{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1024,"temperature":0.7}'
    )


def test_an_answer_in_a_list_is_unwrapped() -> None:
    assert FORMAT.read([{"generated_text": "Paris"}]).output == "Paris"
