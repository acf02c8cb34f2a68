from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.containers.tokens import count_tokens, cut_to_tokens, token_texts


def test_a_token_is_a_word_or_a_mark() -> None:
    assert count_tokens("It's 3.5, naïve!") == 9
    assert token_texts("  Hello, world! ") == ["  Hello", ", ", "world", "! "]


@given(st.text())
def test_the_pieces_give_the_text_again(text: str) -> None:
    assert "".join(token_texts(text)) == text


@given(st.text(), st.integers(min_value=1, max_value=20))
def test_a_cut_text_is_a_beginning_of_at_most_the_limit(text: str, limit: int) -> None:
    start, cut = cut_to_tokens(text, limit)

    assert text.startswith(start)
    assert cut == (count_tokens(text) > limit)
    assert count_tokens(start) == min(limit, count_tokens(text))
