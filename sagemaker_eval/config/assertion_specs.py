"""`assert`: each entry of a test's list as an assertion to prepare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.config.explaining import KeyProblem, check, misshapen
from sagemaker_eval.config.file_values import assertion_value
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.grader_choice import Build, read_graders, read_rubric_prompt
from sagemaker_eval.config.keys import PROMPTFOO_ASSERTION_TYPES
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import AssertionEntry
from sagemaker_eval.config.slips import nearest_key
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Place, UserCode

MOST_ASSERTIONS = 10_000
"""Of one test, as in promptfoo."""

SET = "assert-set"
NEVER_NEGATED = frozenset({SET, "select-best", "max-score"})
"""Types that judge more than one assertion or answer; `not-` has no meaning before them."""

_NOT = "not-"


@dataclass(frozen=True, slots=True)
class AssertionContext:
    """What assertions are built with: the types there are, the folder of their files, and how graders are found."""

    known: tuple[str, ...]
    base_path: str
    build_grader: Build


def build_assertions(raw: Json, where: Place, context: AssertionContext) -> tuple[AssertionSpec, ...]:
    """The assertions of a list; none where it is absent. Raises `ConfigError`, with those that are right as usable."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        hint = "begin each assertion with a dash: `- type: contains`" if isinstance(raw, Mapping) else None
        raise misshapen("a list of assertions", raw, where, hint)
    if len(raw) > MOST_ASSERTIONS:
        message = f"`assert` has {len(raw):,} assertions, and a test may have {MOST_ASSERTIONS:,}"
        raise ConfigError.of(message, where, "split the test")
    problems = Problems()
    specs = problems.attempt_each(enumerate(raw), lambda item: _assertion(item[1], within(where, item[0]), context))
    problems.check(tuple(specs))
    return tuple(specs)


def _assertion(raw: Json, where: Place, context: AssertionContext) -> AssertionSpec:
    if not isinstance(raw, Mapping):
        raise misshapen("a map with a `type`", raw, where)
    problems, base_path = Problems(), context.base_path
    named = problems.attempt(lambda: _kind(raw.get("type"), where, context.known))
    kind, negated = named or ("", False)
    entry = problems.attempt(lambda: check(AssertionEntry, {**raw, "type": kind}, where))
    value = problems.attempt(lambda: assertion_value(raw.get("value"), base_path, within(where, "value")))
    graders = problems.attempt(
        lambda: read_graders(raw.get("provider"), within(where, "provider"), context.build_grader)
    )
    members = problems.attempt(lambda: _members(kind, raw, where, context)) if named else ()
    rubric = raw.get("rubricPrompt")
    if rubric is not None:
        place = within(where, "rubricPrompt")
        rubric = problems.attempt(lambda: read_rubric_prompt(rubric, place, base_path))
    problems.check()
    assert entry is not None
    return AssertionSpec(
        kind=kind,
        value=value,
        negated=negated,
        threshold=entry.threshold,
        weight=1.0 if entry.weight is None else entry.weight,
        metric=entry.metric,
        where=where,
        config=_config(entry),
        graders=graders or {},
        rubric_prompt=rubric,
        transform=_code(entry.transform, base_path, within(where, "transform")),
        context_transform=_code(entry.context_transform, base_path, within(where, "contextTransform")),
        members=members or (),
    )


def _config(entry: AssertionEntry) -> Mapping[str, Json]:
    """The `config`, with `votes` among it."""
    votes = {} if entry.votes is None else {"votes": entry.votes}
    return {**(entry.config or {}), **votes}


def _code(source: str | None, base_path: str, where: Place) -> UserCode | None:
    return None if source is None else UserCode(source, base_path, where)


def _members(kind: str, raw: Mapping[str, Json], where: Place, context: AssertionContext) -> tuple[AssertionSpec, ...]:
    """The assertions of a set; `assert` means nothing elsewhere."""
    inside, place = raw.get("assert"), within(where, "assert")
    if kind != SET:
        if inside is not None:
            raise ConfigError([KeyProblem(f"`assert` belongs to an `{SET}`, not to `{kind}`", place)])
        return ()
    members = build_assertions(inside, place, context)
    problems = Problems()
    if not members:
        problems.add(f"an `{SET}` needs a list of assertions under `assert`", place if inside is not None else where)
    for member in members:
        if member.kind in NEVER_NEGATED:
            problems.add(f"`{member.kind}` cannot stand in an `{SET}`", member.where, "put it beside the set")
    problems.check()
    return members


def _kind(written: Json, where: Place, known: tuple[str, ...]) -> tuple[str, bool]:
    """The type without `not-`, and whether that stood before it."""
    if written is None:
        raise ConfigError.of("`type` is missing in an assertion", where, "for example `type: contains`")
    place = within(where, "type")
    if not isinstance(written, str):
        raise misshapen("the name of an assertion type", written, place)
    negated = written.startswith(_NOT)
    kind = written.removeprefix(_NOT)
    if kind in known and not (negated and kind in NEVER_NEGATED):
        return kind, negated
    if kind in PROMPTFOO_ASSERTION_TYPES:
        raise ConfigError.of(f"the assertion type `{written}` is not yet supported", place)
    nearest = nearest_key(kind, known)
    prefix = _NOT if negated else ""
    hint = f"did you mean `{prefix}{nearest}`?" if nearest else "`sageval list assertions` shows the types there are"
    raise ConfigError.of(f"unknown assertion type `{written}`", place, hint)
