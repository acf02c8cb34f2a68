"""`levenshtein`: how many single characters must be inserted, deleted or replaced to make one text of the other."""

from __future__ import annotations

from rapidfuzz.distance import Levenshtein

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, shortened
from sagemaker_eval.assertions.text import is_searchable, value_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

_THRESHOLD = 5.0


@ASSERTIONS.register("levenshtein")
def levenshtein(spec: AssertionSpec) -> Check:
    """The output is at most `threshold` (5) edits of single characters away from `value`."""
    if not isinstance(spec.value, str):
        hint = "write a number in quotes" if is_searchable(spec.value) else None
        raise ConfigError.of(f"`{spec.type}` needs a `value`: the text to compare the output with", hint=hint)
    threshold = _THRESHOLD if spec.threshold is None else spec.threshold

    def check(subject: Subject) -> Verdict:
        wanted = value_text(subject.value)
        edits = distance(subject.text, wanted)
        if (edits <= threshold) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        bound = "more than" if spec.negated else "at most"
        return Verdict(
            False,
            0.0,
            f'Expected {bound} {to_text(threshold)} edits from "{shortened(wanted)}"; it takes {edits}',
            spec,
        )

    return check


def distance(one: str, other: str) -> int:
    """The number of edits, counted as JavaScript counts characters: in UTF-16 units."""
    return Levenshtein.distance(_units(one), _units(other))


def _units(text: str) -> str | list[int]:
    if text.isascii() or max(text) <= "\uffff":
        return text
    encoded = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(encoded[at : at + 2], "little") for at in range(0, len(encoded), 2)]
