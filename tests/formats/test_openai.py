"""Request bodies of the `openai` model type, byte for byte."""

from __future__ import annotations

from sagemaker_eval.formats import openai
from sagemaker_eval.model import Sampling

FORMAT = openai.OpenAIFormat()


def body(prompt: str, sampling: Sampling = Sampling()) -> str:
    return FORMAT.body(prompt, sampling, "application/json").decode()


def test_plain_text_is_a_completion_prompt() -> None:
    assert body("Grüße!") == '{"prompt":"Grüße!","max_tokens":1024,"temperature":0.7,"top_p":1}'


def test_a_json_array_is_a_chat() -> None:
    assert body('\n [{"role": "user", "content": "Hi"}]') == (
        '{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1024,"temperature":0.7,"top_p":1}'
    )


def test_a_json_object_is_plain_text() -> None:
    assert body('{"a": 1}').startswith('{"prompt":"{\\"a\\": 1}",')


def test_text_that_only_begins_like_an_array_is_plain_text() -> None:
    assert body("[INST] Hi [/INST]").startswith('{"prompt":"[INST] Hi [/INST]",')


def test_chat_wraps_plain_text_in_a_user_message() -> None:
    assert body("Hi", Sampling(max_tokens=5, temperature=0.0, chat=True)) == (
        '{"messages":[{"role":"user","content":"Hi"}],"max_tokens":5,"temperature":0,"top_p":1}'
    )


def test_stop_sequences_are_sent_where_there_are_any() -> None:
    assert body("Hi", Sampling(top_p=0.5, stop=("\n", "END"))) == (
        '{"prompt":"Hi","max_tokens":1024,"temperature":0.7,"top_p":0.5,"stop":["\\n","END"]}'
    )


def test_a_content_type_other_than_json_does_not_change_the_body() -> None:
    assert FORMAT.body("Hi", Sampling(), "text/plain") == FORMAT.body("Hi", Sampling(), "application/json")


def test_the_choice_of_a_chat_wins_over_other_shapes() -> None:
    document = {"generated_text": "other", "choices": [{"message": {"content": "mine"}}]}
    assert FORMAT.read(document).output == "mine"
