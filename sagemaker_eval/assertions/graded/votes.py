"""Several votes on one output: the same grader asked several times, and the majority decides."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from statistics import fmean

from sagemaker_eval.assertions.base import Check, Subject
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, TokenUsage, Verdict

Vote = Callable[[Subject, int], Awaitable[Verdict]]
"""One asking of a grader, by its number: a verdict, `not-` included. Raises `CaseError`."""


def voted(spec: AssertionSpec, vote: Vote) -> Check:
    """The check that asks as often as `votes` in the assertion's `config` says (once by default).

    More than half of the votes decide, and without such a majority the assertion fails; the score is the mean. A vote
    that nobody gave does not matter where it could not have changed the outcome. Raises `ConfigError` for a number of
    votes that is none.
    """
    count = spec.config.get("votes", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ConfigError.of(
            f"`votes` of `{spec.type}` is a whole number from 1, not `{count}`", hint="an odd number has no ties"
        )

    async def check(subject: Subject) -> Verdict:
        if count == 1:
            return await vote(subject, 0)
        cast = await asyncio.gather(*(vote(subject, number) for number in range(count)), return_exceptions=True)
        return _counted(spec, cast)

    return check


def _counted(spec: AssertionSpec, cast: list[Verdict | BaseException]) -> Verdict:
    verdicts = [one for one in cast if isinstance(one, Verdict)]
    errors = [one for one in cast if isinstance(one, BaseException)]
    passes = sum(verdict.passed for verdict in verdicts)
    certain = 2 * passes > len(cast) or 2 * (passes + len(errors)) <= len(cast)
    if errors and not (certain and all(isinstance(error, CaseError) for error in errors)):
        raise next((error for error in errors if not isinstance(error, CaseError)), errors[0])
    passed = 2 * passes > len(cast)
    told = f"{passes} of {len(cast)} votes pass" + (f", {len(errors)} could not be read" if errors else "")
    example = next((verdict.reason for verdict in verdicts if verdict.passed is passed), "")
    return Verdict(
        passed,
        fmean(verdict.score for verdict in verdicts),
        f"{told}: {example}" if example else told,
        spec,
        {"votes": [{"pass": one.passed, "score": one.score, "reason": one.reason} for one in verdicts]},
        usage=sum((verdict.usage for verdict in verdicts if verdict.usage), TokenUsage()),
    )
