"""Nearness in meaning: an output beside a reference, both as vectors of an embedding model."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import mul

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, graded_by, is_templated, shortened
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, TokenUsage, Vector, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

THRESHOLD = 0.75

_EPSILON = sys.float_info.epsilon
"""What a figure may miss the threshold by, either way, as in promptfoo: JavaScript's Number.EPSILON."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of two vectors. `apart` says that it grows with the distance: then it must not exceed the threshold."""

    name: str
    figure: Callable[[Vector, Vector], float]
    apart: bool = False

    def reached(self, figure: float, threshold: float, negated: bool) -> bool:
        """Whether a figure is what the assertion wants; on the threshold itself it is, with `not-` and without."""
        return figure <= threshold + _EPSILON if self.apart is not negated else figure >= threshold - _EPSILON

    def relation(self, figure: float, threshold: float) -> str:
        """How a figure stands to the threshold, in words."""
        if self.reached(figure, threshold, negated=False):
            return "does not exceed" if self.apart else "reaches"
        return "exceeds" if self.apart else "is below"

    def score(self, figure: float) -> float:
        """The figure as a score, higher for nearer: itself, or 1 / (1 + distance)."""
        return 1 / (1 + figure) if self.apart else figure


def cosine(one: Vector, other: Vector) -> float:
    """The cosine of the angle between two finite vectors, -1 to 1. Raises `CaseError` where one has no direction."""
    lengths = math.hypot(*one), math.hypot(*other)
    if not all(lengths):
        raise CaseError(
            "the embedding of a text is all zeros, so it points nowhere",
            "look at what the embedding endpoint makes of the text, or compare with `similar:euclidean`",
        )
    first, second = (
        [number / length for number in vector] for vector, length in zip((one, other), lengths, strict=True)
    )
    return min(1.0, max(-1.0, dot(first, second)))


def dot(one: Sequence[float], other: Sequence[float]) -> float:
    """The dot product of two vectors."""
    return math.fsum(map(mul, one, other))


COSINE = Measure("cosine similarity", cosine)
DOT = Measure("dot product", dot)
EUCLIDEAN = Measure("distance", math.dist, apart=True)

graded_by("similar", "embedding")
graded_by("similar:cosine", "embedding")
graded_by("similar:dot", "embedding")
graded_by("similar:euclidean", "embedding")


@ASSERTIONS.register("similar")
def similar(spec: AssertionSpec) -> Check:
    """Embeddings of the output and of `value` have a cosine of at least `threshold` (0.75)."""
    return _nearness(spec, COSINE)


@ASSERTIONS.register("similar:cosine")
def similar_cosine(spec: AssertionSpec) -> Check:
    """The same as `similar`."""
    return _nearness(spec, COSINE)


@ASSERTIONS.register("similar:dot")
def similar_dot(spec: AssertionSpec) -> Check:
    """Embeddings of the output and of `value` have a dot product of at least `threshold` (0.75)."""
    return _nearness(spec, DOT)


@ASSERTIONS.register("similar:euclidean")
def similar_euclidean(spec: AssertionSpec) -> Check:
    """Embeddings of the output and of `value` are at most `threshold` (0.75) apart."""
    return _nearness(spec, EUCLIDEAN)


def _nearness(spec: AssertionSpec, measure: Measure) -> Check:
    """The check of a measure. Of several references one has to be near; with `not-`, none may be."""
    threshold = THRESHOLD if spec.threshold is None else spec.threshold
    if not is_templated(spec.value):
        _references(spec, spec.value, ConfigError.of)

    async def check(subject: Subject) -> Verdict:
        references = _references(spec, subject.value, CaseError)
        if not subject.text.strip():
            return Verdict(spec.negated, float(spec.negated), "the output is empty, and so like nothing", spec)
        assert subject.graders is not None
        embedder = subject.graders.embedding(spec, subject.test)
        vectors = await embedder.embed([subject.text, *references])
        figures = [_figure(measure, vectors[0], vector) for vector in vectors[1:]]
        return _verdict(spec, measure, figures, threshold, vectors.usage)

    return check


def _verdict(
    spec: AssertionSpec, measure: Measure, figures: Sequence[float], threshold: float, usage: TokenUsage | None
) -> Verdict:
    """The verdict by the reference that decides: the first that is near enough, else the nearest."""
    near = (figure for figure in figures if measure.reached(figure, threshold, negated=False))
    nearest = max(figures, key=measure.score)
    deciding = nearest if spec.negated else next(near, nearest)
    passed = measure.reached(deciding, threshold, spec.negated)
    score = measure.score(deciding)
    which = f", the nearest of {len(figures)}," if len(figures) > 1 and deciding == nearest else ""
    relation = measure.relation(deciding, threshold)
    reason = f"{measure.name} {_shown(deciding, threshold)}{which} {relation} the threshold of {to_text(threshold)}"
    return Verdict(passed, 1.0 - score if spec.negated else score, reason, spec, usage=usage)


def _figure(measure: Measure, one: Vector, other: Vector) -> float:
    """The figure of two vectors. Raises `CaseError` where they have none."""
    if len(one) != len(other):
        raise CaseError(
            f"the embeddings of the output and of the value differ in length: {len(one)} and {len(other)} numbers",
            "one embedding model, with one number of dimensions, has to answer for both",
        )
    if not all(map(math.isfinite, (*one, *other))):
        raise CaseError(
            "the embedding of the output or of the value holds a number that is not finite",
            "the embedding model overflowed, or was given nothing to embed: look at what the endpoint answers",
        )
    try:
        figure = measure.figure(one, other)
    except OverflowError:
        figure = math.inf
    if not math.isfinite(figure):
        raise CaseError(f"the numbers of the embeddings are too large for their {measure.name}")
    return figure


def _references(spec: AssertionSpec, value: Json, error: Callable[[str], Exception]) -> list[str]:
    """The texts to compare with. Raises `error` where there is none."""
    texts = [_text(item) for item in (value if isinstance(value, list) else [value])]
    if texts and all(text is not None and text.strip() for text in texts):
        return [text for text in texts if text is not None]
    shown = "" if value is None else f", not `{shortened(str(value), 60)}`"
    raise error(f"`{spec.type}` needs a `value` to compare the output with: a text, or a list of texts{shown}")


def _text(value: Json) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return to_text(value)
    return value if isinstance(value, str) else None


def _shown(figure: float, threshold: float) -> str:
    """Four digits, or all where these would put the figure on the other side of the threshold."""
    shown = f"{figure:.4g}"
    return shown if (float(shown) >= threshold) is (figure >= threshold) else repr(figure)
