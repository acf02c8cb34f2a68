"""BLEU: how many of an output's n-grams stand in its references.

K. Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", 2002, for one sentence: clipped
precision of 1- to 4-grams, their geometric mean, and a penalty for brevity against the reference of the nearest length.
As in promptfoo, orders that the output is too short for are left out, and a precision of 0 counts as 1e-7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sagemaker_eval.assertions.base import ASSERTIONS, Check
from sagemaker_eval.assertions.metrics.ngrams import Counts, ngrams
from sagemaker_eval.assertions.metrics.scored import scored
from sagemaker_eval.model import AssertionSpec

_THRESHOLD = 0.5
_ORDERS = (1, 2, 3, 4)
_SMALLEST = 1e-7


@ASSERTIONS.register("bleu")
def bleu(spec: AssertionSpec) -> Check:
    """The BLEU score of the output beside the reference or references in `value` is at least `threshold` (0.5)."""
    return scored(spec, "BLEU", _THRESHOLD, bleu_score, several=True)


def bleu_score(output: str, references: Sequence[str]) -> float:
    """BLEU of one text, 0 to 1; 0 for a text without words."""
    candidate, others = _words(output), [_words(reference) for reference in references]
    if not candidate:
        return 0.0
    logs = [
        math.log(_precision(ngrams(candidate, n), [ngrams(other, n) for other in others]) or _SMALLEST)
        for n in _ORDERS
        if len(candidate) >= n
    ]
    return _brevity(len(candidate), [len(other) for other in others]) * math.exp(math.fsum(logs) / len(logs))


def _precision(candidate: Counts, references: Sequence[Counts]) -> float:
    """Share of the n-grams that a reference has, each at most as often as the reference that has it most."""
    most: Counts = references[0].copy()
    for reference in references[1:]:
        most |= reference
    return (candidate & most).total() / candidate.total()


def _brevity(length: int, references: Sequence[int]) -> float:
    nearest = min(references, key=lambda other: (abs(other - length), other))
    return 1.0 if length >= nearest else math.exp(1 - nearest / length)


def _words(text: str) -> list[str]:
    return text.lower().split()
