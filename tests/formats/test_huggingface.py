"""Request bodies of the `huggingface` model type, byte for byte."""

from __future__ import annotations

from sagemaker_eval.formats import huggingface
from sagemaker_eval.model import Sampling

FORMAT = huggingface.HuggingFaceFormat()


def body(prompt: str, sampling: Sampling = Sampling()) -> str:
    return FORMAT.body(prompt, sampling, "application/json").decode()


def test_text_is_the_input_and_is_kept_out_of_the_answer() -> None:
    assert body("Hi") == (
        '{"inputs":"Hi","parameters":'
        '{"max_new_tokens":1024,"temperature":0.7,"do_sample":true,"return_full_text":false}}'
    )


def test_temperature_0_is_greedy_decoding() -> None:
    assert body("Hi", Sampling(max_tokens=8, temperature=0.0, top_p=0.9, stop=("</s>",))) == (
        '{"inputs":"Hi","parameters":'
        '{"max_new_tokens":8,"do_sample":false,"top_p":0.9,"return_full_text":false,"stop":["</s>"]}}'
    )


def test_a_json_array_stays_text() -> None:
    assert body('[{"role":"user"}]').startswith('{"inputs":"[{\\"role\\":\\"user\\"}]",')


def test_chat_sends_a_json_array_as_messages() -> None:
    assert body('[{"role":"user","content":"Hi"}]', Sampling(chat=True, stop=("END",))) == (
        '{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1024,"temperature":0.7,"stop":["END"]}'
    )
