"""Answers that were given before this run, or elsewhere: what they are, and what they say of whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import (
    Case,
    CaseFailure,
    Json,
    Place,
    Prompt,
    ProviderSpec,
    Response,
    Suite,
)

REGRADED_FROM = "regradedFrom"
"""Among the options of a run's record: whose answers were judged again."""

_SHOWN = 5
_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Label:
    """Whose an answer is, as far as it says.

    `case_id` is exact. Else `provider` is a label or an id (`provider_id` the id, where both are known), `prompt` a
    label, `vars` are variables as the configuration writes them, and `test` is the number of a row of the table, or
    the description or `metadata.id` of a test. An answer that says neither `vars` nor `test` goes by its order.
    """

    case_id: str | None = None
    provider: str | None = None
    provider_id: str | None = None
    prompt: str | None = None
    prompt_may_be_text: bool = False
    """Whether `prompt` may be what was asked instead of a label: then it says nothing where it is no known label."""
    vars: Mapping[str, Json] = field(default_factory=dict)
    repeat: int | None = None
    test: int | str | None = None
    where: Place | None = None


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """A response as its provider gave it, or why there is none; `failure` with a response: it could not be used.

    `prompt` is what was asked, None where nobody tells; `vars` has what code among the variables returned then.
    """

    response: Response | None
    failure: CaseFailure | None = None
    prompt: str | None = None
    vars: Mapping[str, Json] = field(default_factory=dict)


class Answers(Protocol):
    """Answers in an order, known by their numbers from 0."""

    @property
    def name(self) -> str:
        """What messages call them: ``run eval-…``, `` `answers.csv` ``."""
        ...

    def __len__(self) -> int: ...

    def labels(self) -> Iterator[Label]:
        """The label of each answer. Raises `ConfigError` for an answer that cannot be read."""
        ...

    def columns(self) -> Sequence[Label]:
        """Labels with every provider and prompt that there are answers of, the rest left out."""
        ...

    def answer(self, number: int) -> EarlierAnswer:
        """One answer. Raises `ConfigError` where it cannot be read any more."""
        ...


class ByCase(Protocol):
    """Earlier answers, by the cases that they are of."""

    def of(self, case: Case) -> EarlierAnswer | None:
        """None for a case that has no earlier answer."""
        ...


def providers_of(label: Label, known: Sequence[ProviderSpec]) -> list[ProviderSpec]:
    """The providers that an answer may be of: those of its name, else those of its id; all where it names none."""
    if label.provider is None:
        return list(known)
    exact = [spec for spec in known if spec.name == label.provider]
    return exact or [spec for spec in known if spec.id in (label.provider, label.provider_id)]


def prompts_of(label: Label, known: Sequence[Prompt]) -> list[Prompt]:
    """The prompts that an answer may be of: those of its label, else of its id or text; all where it names none."""
    if label.prompt is None:
        return list(known)
    exact = [prompt for prompt in known if prompt.label == label.prompt]
    exact = exact or [prompt for prompt in known if label.prompt in (prompt.name, prompt.raw, prompt.id)]
    return list(known) if not exact and label.prompt_may_be_text else exact


def narrowed(suite: Suite, answers: Answers) -> tuple[Suite, tuple[str, ...]]:
    """The suite without the providers and prompts that have no answers at all, and the names of these.

    Raises `ConfigError` where none has any.
    """
    labels = answers.columns()
    specs = {id(spec) for label in labels for spec in providers_of(label, suite.providers)}
    texts = {id(prompt) for label in labels for prompt in prompts_of(label, suite.prompts)}
    providers = tuple(spec for spec in suite.providers if id(spec) in specs)
    prompts = tuple(prompt for prompt in suite.prompts if id(prompt) in texts)
    if not providers:
        raise _nothing(answers, "provider", [label.provider for label in labels], [s.name for s in suite.providers])
    if not prompts:
        raise _nothing(answers, "prompt", [label.prompt for label in labels], [p.label for p in suite.prompts])
    left_out = [spec.name for spec in suite.providers if id(spec) not in specs]
    left_out += [prompt.label for prompt in suite.prompts if id(prompt) not in texts]
    if not left_out:
        return suite, ()
    return replace(suite, providers=providers, prompts=prompts), tuple(map(shortened, left_out))


def _nothing(answers: Answers, what: str, theirs: Sequence[str | None], ours: Sequence[str]) -> ConfigError:
    given = listed([name for name in theirs if name is not None])
    if not given:
        return ConfigError.of(f"{answers.name} has no answers")
    return ConfigError.of(
        f"{answers.name} has no answers of any {what} of the configuration",
        hint=f"they are of {given}; the configuration has {listed(ours)}",
    )


def listed(names: Sequence[str]) -> str:
    """The first few of some names, each between backticks."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return ", ".join(f"`{shortened(name)}`" for name in distinct[:_SHOWN]) + more


def shortened(text: str) -> str:
    """`text` on one line, cut where it is too long for a message."""
    text = " ".join(text.split())
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"
