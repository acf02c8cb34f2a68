"""`classifier`: the label that a classification model gives an output."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, graded_by
from sagemaker_eval.assertions.graded.asking import Question, rendered
from sagemaker_eval.assertions.graded.labels import label_scores
from sagemaker_eval.assertions.graded.thresholds import reached
from sagemaker_eval.assertions.values import value_reader
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

THRESHOLD = 1.0
_MOST_SHOWN = 5

graded_by("classifier", "classification")


@ASSERTIONS.register("classifier")
def classifier(spec: AssertionSpec) -> Check:
    """A classification endpoint scores the label in `value` (else its best label) at least `threshold` (1)."""
    label_of = value_reader(spec, _label)

    async def check(subject: Subject) -> Verdict:
        assert subject.graders is not None
        grader = subject.graders.classification(spec, subject.test)
        response = await grader.ask(classified(spec, subject))
        scores = label_scores(response)
        wanted = label_of(subject)
        label = max(scores, key=scores.__getitem__) if wanted is None else _known(wanted, scores)
        told = ", ".join(f"{name} {to_text(round(score, 3))}" for name, score in list(scores.items())[:_MOST_SHOWN])
        metadata = {"label": label, "scores": scores}
        return reached(spec, scores.get(label, 0.0), THRESHOLD, response.usage, metadata, f"`{label}` of {told}")

    return check


def classified(spec: AssertionSpec, subject: Subject) -> str:
    """What the endpoint is asked: the output, or what the assertion's own `rubricPrompt` makes of it."""
    if spec.rubric_prompt is None:
        return subject.text
    question = Question("", {"output": subject.text, "prompt": subject.prompt}, str, "")
    return rendered(spec, subject, question)


def _label(value: Json) -> str | None:
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ConfigError.of("the value of `classifier` is a label", hint="leave it out for the best label")


def _known(wanted: str, scores: dict[str, float]) -> str:
    """The label as the endpoint writes it, where only its case differs."""
    if wanted in scores:
        return wanted
    return next((label for label in scores if label.lower() == wanted.lower()), wanted)
