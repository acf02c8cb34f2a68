"""What somebody meant who wrote a name that there is not: first a slip of the pen, then mere likeness."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from sagemaker_eval.registry import nearest_name


def nearest_key(written: str, known: Iterable[str]) -> str | None:
    """The known name that `written` most likely stands for, or None where none is near; letter case does not count.

    A name that is one slip away (a letter lost, added, replaced, or swapped with the next) comes before names that
    merely share more letters.
    """
    by_folded = {name.casefold(): name for name in known}
    folded = written.casefold()
    nearest = _slip_of(folded, by_folded) or nearest_name(folded, [*by_folded])
    return None if nearest is None else by_folded[nearest]


def slip_of(written: str, known: Iterable[str]) -> str | None:
    """The known name that `written` is one slip away from, or None; for places where any other name may stand too."""
    by_folded = {name.casefold(): name for name in known}
    slip = _slip_of(written.casefold(), by_folded)
    return None if slip is None else by_folded[slip]


def _slip_of(folded: str, known: Iterable[str]) -> str | None:
    slips = [name for name in known if _one_slip_apart(name, folded)]
    return next(iter(difflib.get_close_matches(folded, slips, n=1, cutoff=0.0)), None)


def _one_slip_apart(one: str, other: str) -> bool:
    """Whether the Damerau-Levenshtein distance is 1 at most. A name has more letters than the slip took or gave."""
    one, other = _without_common_start(one, other)
    one, other = (text[::-1] for text in _without_common_start(one[::-1], other[::-1]))
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def _without_common_start(one: str, other: str) -> tuple[str, str]:
    pairs = enumerate(zip(one, other, strict=False))
    common = next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))
    return one[common:], other[common:]
