"""METEOR: words of an output aligned with those of a reference, by form, by stem and, where WordNet is there, by sense.

S. Banerjee and A. Lavie, "METEOR: An Automatic Metric for MT Evaluation with Improved Correlation with Human
Judgments", 2005, with the parameters alpha 0.9, beta 3 and gamma 0.5. Stems are Porter's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import snowballstemmer

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject
from sagemaker_eval.assertions.metrics.scored import references_of, verdict
from sagemaker_eval.assertions.metrics.wordnet import Senses, senses_in
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict

_THRESHOLD = 0.5
_ALPHA, _BETA, _GAMMA = 0.9, 3.0, 0.5
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

Same = Callable[[str, str], bool]


@ASSERTIONS.register("meteor")
def meteor(spec: AssertionSpec) -> Check:
    """The METEOR score of the output beside the best reference in `value` is at least `threshold` (0.5)."""
    threshold = _THRESHOLD if spec.threshold is None else spec.threshold
    stages, told = _stages(spec)
    references_of(spec, spec.value, several=True, error=ConfigError.of, fixed=True)

    def check(subject: Subject) -> Verdict:
        references = references_of(spec, subject.value, several=True)
        score = max(meteor_score(subject.text, reference, stages) for reference in references)
        return verdict(spec, "METEOR", score, threshold, f" ({told})")

    return check


def meteor_score(output: str, reference: str, stages: Sequence[Same] | None = None) -> float:
    """METEOR of one text beside one reference, 0 to 1. `stages` say when two words are the same, strictest first."""
    candidate, wanted = _words(output), _words(reference)
    pairs = _aligned(candidate, wanted, _PLAIN if stages is None else stages)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(candidate), len(pairs) / len(wanted)
    mean = precision * recall / (_ALPHA * precision + (1 - _ALPHA) * recall)
    return float(mean * (1 - _GAMMA * (_chunks(pairs) / len(pairs)) ** _BETA))


def _stages(spec: AssertionSpec) -> tuple[Sequence[Same], str]:
    """The stages of an assertion, and how the reason names them."""
    folder = spec.config.get("wordnet")
    if folder is None:
        return _PLAIN, "exact and stem matches; synonyms count with `config: {wordnet: FOLDER}`"
    senses = senses_in(str(folder))
    return (*_PLAIN, partial(_share_a_sense, senses)), "exact, stem and WordNet synonym matches"


def _aligned(candidate: list[str], wanted: list[str], stages: Sequence[Same]) -> list[tuple[int, int]]:
    """Pairs of positions of words that are the same, each word in one pair at most, in the candidate's order.

    Each stage takes what those before it left, from the last word backwards.
    """
    left, right = list(range(len(candidate))), list(range(len(wanted)))
    pairs: list[tuple[int, int]] = []
    for same in stages:
        for one in reversed(left):
            match = next((other for other in reversed(right) if same(candidate[one], wanted[other])), None)
            if match is not None:
                pairs.append((one, match))
                right.remove(match)
        left = [one for one in left if one not in {pair[0] for pair in pairs}]
    return sorted(pairs)


def _chunks(pairs: list[tuple[int, int]]) -> int:
    """How many runs of neighbouring pairs there are."""
    breaks = sum((there[0] - here[0], there[1] - here[1]) != (1, 1) for here, there in pairwise(pairs))
    return breaks + 1


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


_STEMMER = snowballstemmer.stemmer("porter")


def _same_form(one: str, other: str) -> bool:
    return one == other


def _same_stem(one: str, other: str) -> bool:
    return bool(_STEMMER.stemWord(one) == _STEMMER.stemWord(other))


def _share_a_sense(senses: Senses, one: str, other: str) -> bool:
    return not senses.of(one).isdisjoint(senses.of(other))


_PLAIN: tuple[Same, ...] = (_same_form, _same_stem)
