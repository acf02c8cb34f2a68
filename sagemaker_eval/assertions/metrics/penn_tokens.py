"""Words and marks of a text as the Penn Treebank divides them.

The rules are those of its tokeniser (R. MacIntyre, 1995): marks stand alone, `can't` is `ca` and `n't`,
double quotes become two back-quotes or two apostrophes, and only the last full stop of a text is a mark.
"""

from __future__ import annotations

import re

_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE if fold else 0), replacement)
    for pattern, replacement, fold in (
        (r'^"', "`` ", False),
        (r'([ (\[{<])"', r"\1 `` ", False),
        (r"\.\.\.", " ... ", False),
        (r"[;@#$%&]", r" \g<0> ", False),
        (r"[,:](?!\d)", r" \g<0> ", False),
        (r"(?<![.\s])(?<!(?<![^\W\d_])[^\W\d_]\.[^\W\d_])(\.)([\])}>\"']*)\s*$", r" \1\2 ", False),
        (r"[?!]", r" \g<0> ", False),
        (r"[\]\[(){}<>]", r" \g<0> ", False),
        (r"--", " -- ", False),
        (r"''", " '' ", False),
        (r"^|$", " ", False),
        (r'"', " '' ", False),
        (r"(?<=[^'])'(?=\s)", " '", False),
        (r"('[smd])(?=\s)", r" \1", True),
        (r"('ll|'re|'ve|n't)(?=\s)", r" \1", True),
        (r"\b(can)(not)\b", r" \1 \2 ", True),
        (r"\b(d)('ye)\b", r" \1 \2 ", True),
        (r"\b(gim|lem)(me)\b", r" \1 \2 ", True),
        (r"\b(gon|wan)(na)\b", r" \1 \2 ", True),
        (r"\b(got)(ta)\b", r" \1 \2 ", True),
        (r"\b(more)('n)\b", r" \1 \2 ", True),
        (r"(?<=\s)('t)(is|was)(?=\s)", r"\1 \2", True),
    )
)


def penn_tokens(text: str) -> list[str]:
    """The tokens of a text; none of a blank one."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.split()
