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
        (r",", " , ", False),
        (r":", " : ", False),
        (r"([^.])(\.)([\])}>\"']*)\s*$", r"\1 \2\3 ", False),
        (r"[?!]", r" \g<0> ", False),
        (r"[\]\[(){}<>]", r" \g<0> ", False),
        (r"--", " -- ", False),
        (r"^|$", " ", False),
        (r'"', " '' ", False),
        (r"([^'])' ", r"\1 ' ", False),
        (r"'([smd]) ", r" '\1 ", True),
        (r"('ll|'re|'ve|n't) ", r" \1 ", True),
        (r" (can)(not) ", r" \1 \2 ", True),
        (r" (d)('ye) ", r" \1 \2 ", True),
        (r" (gim|lem)(me) ", r" \1 \2 ", True),
        (r" (gon|wan)(na) ", r" \1 \2 ", True),
        (r" (got)(ta) ", r" \1 \2 ", True),
        (r" (more)('n) ", r" \1 \2 ", True),
        (r" ('t)(is|was) ", r" \1 \2 ", True),
    )
)


def penn_tokens(text: str) -> list[str]:
    """The tokens of a text; none of a blank one."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.split()
