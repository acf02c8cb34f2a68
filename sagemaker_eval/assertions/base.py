"""What an assertion is, what it is shown, and the registry of kinds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sagemaker_eval.model import AssertionSpec, Grade, Graders, Json, Prompt, ProviderSpec, Response, TestCase, Verdict
from sagemaker_eval.registry import Registry
from sagemaker_eval.text.templating.templates import Templates

PASSED = "Assertion passed"
"""The reason of every deterministic assertion that holds, as promptfoo words it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an assertion judges: one output, and the case it belongs to.

    `text` is the output as assertions see it (a string, or the compact JSON of anything else); `value` is the
    assertion's own value with its templates rendered for this case.
    """

    text: str
    value: Json
    prompt: str
    vars: Mapping[str, Json]
    test: TestCase
    template: Prompt
    provider: ProviderSpec
    response: Response
    graders: Graders | None = None
    """The models that judge; an assertion that needs one is only prepared where there is one."""
    templates: Templates | None = None
    """The run's templates, for the prompts of graders."""

    def with_value(self, value: Json) -> Subject:
        """The same subject for an assertion with this value."""
        return self._with(value, self.graders, self.templates)

    def equipped(self, graders: Graders | None, templates: Templates) -> Subject:
        """The same subject with what the run has for assertions to use."""
        return self._with(self.value, graders, templates)

    def _with(self, value: Json, graders: Graders | None, templates: Templates | None) -> Subject:
        """A plain call takes a third of the time of `replace`, and this one is made for every assertion."""
        return Subject(
            self.text,
            value,
            self.prompt,
            self.vars,
            self.test,
            self.template,
            self.provider,
            self.response,
            graders,
            templates,
        )

    def with_output(self, output: Json) -> Subject:
        """The same subject with another output, as an assertion's own `transform` makes it."""
        response = replace(self.response, output=output)
        return replace(self, text=response.text, response=response)


Check = Callable[[Subject], Verdict | Awaitable[Verdict]]
"""Judges one subject, `not-` included. Never raises for an output that is merely wrong; a `CaseError` means that it
cannot decide."""

Assertion = Callable[[AssertionSpec], Check]
"""Prepares the check of one spec, before anything is sent.

Raises `ConfigError` where the spec can never be judged (no value, a broken pattern, an invalid schema); such an error
needs no place: whoever prepares adds `spec.where`.
"""

ASSERTIONS: Registry[Assertion] = Registry("assertion type")


@dataclass(frozen=True, slots=True)
class Contender:
    """One answer among those to one test: who gave it, and the grade that its other assertions make."""

    subject: Subject
    grade: Grade


Compare = Callable[[Sequence[Contender]], Awaitable[Sequence[Verdict]]]
"""Judges two or more answers to one test against each other: a verdict for each, in their order. Raises `CaseError`."""

GRADER_ROLES: dict[str, tuple[str, ...]] = {}
"""The roles of the graders that a kind of assertion needs: `text`, `embedding`, `classification`, `moderation`."""


def graded_by(kind: str, *roles: str) -> None:
    """Say which graders a kind needs, so that a missing one is found before the run."""
    GRADER_ROLES[kind] = roles


COMPARISONS: Registry[Callable[[AssertionSpec], Compare]] = Registry("assertion type")
"""Assertions that compare the answers of all columns to one test."""


def decide(spec: AssertionSpec, holds: bool, expected: str) -> Verdict:
    """The verdict of a check that either holds or not, turned round for `not-`.

    `expected` completes "Expected output …": "to contain `x`".
    """
    if holds is not spec.negated:
        return Verdict(True, 1.0, PASSED, spec)
    return Verdict(False, 0.0, f"Expected output {'not ' if spec.negated else ''}{expected}", spec)


def is_templated(value: Json) -> bool:
    """Whether a value holds template marks, so that it is known only for a case."""
    if isinstance(value, list):
        return any(isinstance(item, str) and is_templated(item) for item in value)
    return isinstance(value, str) and ("{{" in value or "{%" in value or "{#" in value)


def shortened(text: str, most: int = 200) -> str:
    """`text`, cut after `most` characters where it is longer: reasons stand in tables."""
    return text if len(text) <= most else f"{text[:most]}…"
