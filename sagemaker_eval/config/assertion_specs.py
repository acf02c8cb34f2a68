"""`assert`: each entry of a test's list as an assertion to prepare."""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_eval.config.explaining import check, misshapen
from sagemaker_eval.config.file_values import assertion_value
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.keys import PROMPTFOO_ASSERTION_TYPES
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import AssertionEntry
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Place
from sagemaker_eval.registry import nearest_name

MOST_ASSERTIONS = 10_000
"""Of one test, as in promptfoo."""

_NOT = "not-"


def build_assertions(raw: Json, where: Place, known: tuple[str, ...], base_path: str) -> tuple[AssertionSpec, ...]:
    """The assertions of a list; none where it is absent. `known` are the types there are. Raises `ConfigError`."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        hint = "begin each assertion with a dash: `- type: contains`" if isinstance(raw, Mapping) else None
        raise misshapen("a list of assertions", raw, where, hint)
    if len(raw) > MOST_ASSERTIONS:
        message = f"`assert` has {len(raw):,} assertions, and a test may have {MOST_ASSERTIONS:,}"
        raise ConfigError.of(message, where, "split the test")
    problems = Problems()
    specs = problems.attempt_each(
        enumerate(raw), lambda item: _assertion(item[1], within(where, item[0]), known, base_path)
    )
    problems.check()
    return tuple(specs)


def _assertion(raw: Json, where: Place, known: tuple[str, ...], base_path: str) -> AssertionSpec:
    if not isinstance(raw, Mapping):
        raise misshapen("a map with a `type`", raw, where)
    kind, negated = _kind(raw.get("type"), where, known)
    entry = check(AssertionEntry, raw, where)
    return AssertionSpec(
        kind=kind,
        value=assertion_value(entry.value, base_path, within(where, "value")),
        negated=negated,
        threshold=entry.threshold,
        weight=1.0 if entry.weight is None else entry.weight,
        metric=entry.metric,
        where=where,
    )


def _kind(written: Json, where: Place, known: tuple[str, ...]) -> tuple[str, bool]:
    """The type without `not-`, and whether that stood before it."""
    if written is None:
        raise ConfigError.of("`type` is missing in an assertion", where, "for example `type: contains`")
    place = within(where, "type")
    if not isinstance(written, str):
        raise misshapen("the name of an assertion type", written, place)
    negated = written.startswith(_NOT)
    kind = written.removeprefix(_NOT)
    if kind in known:
        return kind, negated
    if kind in PROMPTFOO_ASSERTION_TYPES:
        raise ConfigError.of(f"the assertion type `{written}` is not yet supported", place)
    nearest = nearest_name(kind, known)
    prefix = _NOT if negated else ""
    hint = f"did you mean `{prefix}{nearest}`?" if nearest else f"types: {', '.join(known)}"
    raise ConfigError.of(f"unknown assertion type `{written}`", place, hint)
