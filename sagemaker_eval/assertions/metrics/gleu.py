"""GLEU: n-grams shared with a reference, as precision or recall, whichever is lower.

Y. Wu et al., "Google's Neural Machine Translation System", 2016, section 4.3: all 1- to 4-grams are pooled.
"""

from __future__ import annotations

from collections.abc import Sequence

from sagemaker_eval.assertions.base import ASSERTIONS, Check
from sagemaker_eval.assertions.metrics.ngrams import Counts, ngrams, overlap
from sagemaker_eval.assertions.metrics.scored import scored
from sagemaker_eval.model import AssertionSpec

_THRESHOLD = 0.5
_ORDERS = (1, 2, 3, 4)


@ASSERTIONS.register("gleu")
def gleu(spec: AssertionSpec) -> Check:
    """The GLEU score of the output beside the best reference in `value` is at least `threshold` (0.5)."""
    return scored(spec, "GLEU", _THRESHOLD, gleu_score, several=True)


def gleu_score(output: str, references: Sequence[str]) -> float:
    """GLEU of one text beside the reference that it is nearest to, 0 to 1."""
    candidate = _pooled(output)
    return max(_beside(candidate, _pooled(reference)) for reference in references)


def _beside(candidate: Counts, reference: Counts) -> float:
    longer = max(candidate.total(), reference.total())
    return overlap(candidate, reference) / longer if longer else 0.0


def _pooled(text: str) -> Counts:
    words = [word.rstrip(".") for word in text.lower().split()]
    pooled: Counts = ngrams(words, 1)
    for n in _ORDERS[1:]:
        pooled += ngrams(words, n)
    return pooled
