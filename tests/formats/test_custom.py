"""Request bodies of the `custom` model type, byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import FormatError
from sagemaker_eval.formats import custom
from sagemaker_eval.model import Sampling

FORMAT = custom.CustomFormat()

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def body(prompt: str, content_type: str = "application/json") -> bytes:
    return FORMAT.body(prompt, Sampling(stop=("END",), chat=True), content_type)


def test_text_is_wrapped_and_nothing_is_added() -> None:
    assert body("Grüße") == '{"prompt":"Grüße"}'.encode()


def test_a_json_object_is_the_request() -> None:
    assert body('{"query": "Où?", "k": [1, 2.5, null]}') == '{"query":"Où?","k":[1,2.5,null]}'.encode()


@pytest.mark.parametrize("prompt", ["42", "true", "null", '"text"', "[]"])
def test_any_json_is_the_request(prompt: str) -> None:
    assert body(prompt) == prompt.encode()


@pytest.mark.parametrize("prompt", ["NaN", "-Infinity", "{'a': 1}", "1" * 5000, "[" * 100_000])
def test_what_javascript_would_not_parse_is_text(prompt: str) -> None:
    assert json.loads(body(prompt)) == {"prompt": prompt}


@given(JSON_VALUES)
def test_the_request_means_what_the_prompt_means(value: object) -> None:
    assert json.loads(body(json.dumps(value))) == value


def test_another_content_type_sends_the_text_untouched() -> None:
    assert body(' {"a": 1}\n', "text/csv") == b' {"a": 1}\n'


def test_a_json_content_type_may_carry_parameters() -> None:
    assert body("Hi", "Application/JSON; charset=utf-8") == b'{"prompt":"Hi"}'


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(FormatError, match=r"^the prompt holds a character that UTF-8 cannot carry: U\+D83D$"):
        body("cut \ud83d")


def test_a_number_beyond_json_is_refused() -> None:
    with pytest.raises(FormatError, match="a number is too large"):
        body("1e999")


@pytest.mark.parametrize(
    ("document", "output"),
    [
        ({"output": "a", "text": "b"}, "a"),
        ({"response": "a", "choices": [{"text": "b"}]}, "a"),
        ({"output": {"message": {"role": "assistant", "content": [{"text": "a"}]}}}, "a"),
        ({"output": {"label": "cat"}}, {"label": "cat"}),
    ],
)
def test_output_comes_before_what_other_servers_say(document: object, output: object) -> None:
    assert FORMAT.read(document).output == output


def test_an_unknown_shape_is_told_as_such() -> None:
    assert not FORMAT.read({"label": "cat"}).found
