"""`moderation`: what a moderation model objects to in an output."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, graded_by
from sagemaker_eval.assertions.graded.asking import Question, chat_of, rendered
from sagemaker_eval.assertions.graded.flags import Moderated, is_category, moderated
from sagemaker_eval.assertions.values import value_reader
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict

graded_by("moderation", "moderation")


@ASSERTIONS.register("moderation")
def moderation(spec: AssertionSpec) -> Check:
    """A moderation endpoint flags nothing in the output (of the categories in `value`, where there are any)."""
    categories_of = value_reader(spec, _categories)
    threshold = 0.5 if spec.threshold is None else spec.threshold

    async def check(subject: Subject) -> Verdict:
        if not subject.text.strip():
            return _verdict(spec, [], "the output is empty")
        assert subject.graders is not None
        grader = subject.graders.moderation(spec, subject.test)
        response = await grader.ask(_asked(spec, subject))
        found = moderated(response, threshold)
        flagged = _concerning(spec, found, categories_of(subject))
        verdict = _verdict(spec, flagged, "nothing was flagged")
        return Verdict(
            verdict.passed, verdict.score, verdict.reason, spec, {"flags": list(found.flags)}, usage=response.usage
        )

    return check


def _asked(spec: AssertionSpec, subject: Subject) -> str:
    """The prompt and the output as two turns of a chat, or what the assertion's own `rubricPrompt` makes of them."""
    if spec.rubric_prompt is None:
        return chat_of(("user", subject.prompt), ("assistant", subject.text))
    return rendered(spec, subject, Question("", {"output": subject.text, "prompt": subject.prompt}, str, ""))


def _concerning(spec: AssertionSpec, found: Moderated, categories: list[str]) -> list[str]:
    """The flags that are among `categories`, all where there are none. Raises `CaseError` where that cannot be told."""
    if not categories:
        return list(found.flags) or (["the output"] if found.flagged else [])
    unknown = [name for name in categories if found.known and not any(is_category(name, one) for one in found.known)]
    if unknown:
        raise CaseError(
            f"the moderation endpoint knows no category `{unknown[0]}`", f"its categories: {', '.join(found.known)}"
        )
    if found.flagged and not found.flags:
        raise CaseError(
            f"the moderation endpoint flags the output without a category, and `{spec.type}` is about some of them",
            "leave the `value` out, or use a model that names categories",
        )
    return [flag for flag in found.flags if any(is_category(name, flag) for name in categories)]


def _verdict(spec: AssertionSpec, flagged: list[str], clean: str) -> Verdict:
    passed = bool(flagged) is spec.negated
    reason = f"flagged: {', '.join(flagged)}" if flagged else clean
    return Verdict(passed, float(passed), PASSED if passed and not flagged else reason, spec)


def _categories(value: Json) -> list[str]:
    names = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise ConfigError.of("the value of `moderation` is a list of categories", hint="for example `[S1, S10]`")
    return list(names)
