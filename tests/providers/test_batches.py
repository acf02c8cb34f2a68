"""How the tokens of a batch are shared out among its texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.model import TokenUsage
from sagemaker_eval.providers.batches import shared_out


@given(st.lists(st.text(max_size=50), min_size=1, max_size=40), st.integers(0, 10_000), st.integers(0, 100))
def test_shares_add_up_to_what_was_reported(texts: list[str], prompt: int, completion: int) -> None:
    shares = shared_out(TokenUsage(prompt, completion), texts)
    known = [share for share in shares if share is not None]
    assert len(known) == len(texts)
    assert sum(share.prompt for share in known) == prompt
    assert sum(share.completion for share in known) == completion
    assert min(share.prompt for share in known) >= 0


def test_a_longer_text_gets_the_larger_share() -> None:
    short, long = shared_out(TokenUsage(prompt=100), ["tea", "a much longer text about tea and coffee"])
    assert short is not None and long is not None
    assert short.prompt < long.prompt


def test_shares_are_estimates() -> None:
    assert all(share is not None and share.estimated for share in shared_out(TokenUsage(prompt=9), ["a", "b"]))


def test_what_was_not_reported_is_not_made_up() -> None:
    assert shared_out(None, ["a", "b"]) == [None, None]
