"""ROUGE: how much of a reference is in an output, and how much of the output is in the reference.

C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004: clipped n-gram overlap (ROUGE-N) and longest
common subsequence (ROUGE-L), here as F1 over lower-case Penn Treebank tokens.
"""

from __future__ import annotations

from rapidfuzz.distance import LCSseq

from sagemaker_eval.assertions.base import ASSERTIONS, Check
from sagemaker_eval.assertions.metrics.ngrams import f1, ngrams, overlap
from sagemaker_eval.assertions.metrics.penn_tokens import penn_tokens
from sagemaker_eval.assertions.metrics.scored import scored
from sagemaker_eval.model import AssertionSpec

_THRESHOLD = 0.75


@ASSERTIONS.register("rouge-n")
def rouge_n(spec: AssertionSpec) -> Check:
    """The words of the output and of `value` overlap with an F1 of at least `threshold` (0.75)."""
    return scored(spec, "ROUGE-N", _THRESHOLD, lambda output, references: rouge(output, references[0], 1))


@ASSERTIONS.register("rouge-1")
def rouge_1(spec: AssertionSpec) -> Check:
    """Same as rouge-n: the words of output and `value` overlap with an F1 of at least `threshold` (0.75)."""
    return scored(spec, "ROUGE-1", _THRESHOLD, lambda output, references: rouge(output, references[0], 1))


@ASSERTIONS.register("rouge-2")
def rouge_2(spec: AssertionSpec) -> Check:
    """The pairs of words of the output and of `value` overlap with an F1 of at least `threshold` (0.75)."""
    return scored(spec, "ROUGE-2", _THRESHOLD, lambda output, references: rouge(output, references[0], 2))


@ASSERTIONS.register("rouge-l")
def rouge_l(spec: AssertionSpec) -> Check:
    """The longest word sequence shared by output and `value` gives an F1 of at least `threshold` (0.75)."""
    return scored(spec, "ROUGE-L", _THRESHOLD, lambda output, references: longest(output, references[0]))


def rouge(output: str, reference: str, n: int) -> float:
    """ROUGE-N as F1, 0 to 1; 0 where either text has fewer than `n` tokens."""
    one, other = ngrams(penn_tokens(output.lower()), n), ngrams(penn_tokens(reference.lower()), n)
    return f1(overlap(one, other), one.total(), other.total())


def longest(output: str, reference: str) -> float:
    """ROUGE-L as F1, 0 to 1, over the whole texts as one sequence each."""
    one, other = penn_tokens(output.lower()), penn_tokens(reference.lower())
    return f1(LCSseq.similarity(one, other), len(one), len(other))
