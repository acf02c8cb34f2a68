"""Counts and cuts text in tokens: a token here is a word or a single mark of punctuation."""

from __future__ import annotations

import re
import sys
from itertools import islice, pairwise

_TOKEN = re.compile(r"\w+|[^\w\s]")


def count_tokens(text: str) -> int:
    return sum(1 for _ in _TOKEN.finditer(text))


def token_texts(text: str) -> list[str]:
    """`text` as pieces, one for each token, that give it again when joined; space belongs to the token before it."""
    starts = [match.start() for match in _TOKEN.finditer(text)]
    if not starts:
        return [text] if text else []
    bounds = [0, *starts[1:], len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def cut_to_tokens(text: str, limit: int) -> tuple[str, bool]:
    """The first `limit` tokens of `text`, and whether anything was cut off."""
    following = next(islice(_TOKEN.finditer(text), min(limit, sys.maxsize), None), None)
    if following is None:
        return text, False
    return text[: following.start()].rstrip(), True
