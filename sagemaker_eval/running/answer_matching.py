"""Which of the answers that were given before, or elsewhere, is the answer to which case of a plan."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sagemaker_eval.assertions.judging import comparing
from sagemaker_eval.model import Case, ProviderSpec
from sagemaker_eval.running.answer_index import AnswerIndex, text_of
from sagemaker_eval.running.earlier_answers import Answers, Label, shortened
from sagemaker_eval.running.identity import case_id
from sagemaker_eval.running.plan import Accept, Plan
from sagemaker_eval.running.records import written

NOBODY = -1
"""Stands for the answer of a case that has none."""

FROM_TEST = -2
"""Stands for the answer of a case whose test gives one (`providerOutput`)."""

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Matched:
    """The answer of each slot of a plan by its number, and what there is to tell. Each `shown` has a few examples."""

    numbers: array[int]
    unanswered: int
    """Cases that have no answer."""
    unanswered_shown: tuple[str, ...]
    unused: int
    """Answers that no case has."""
    unused_shown: tuple[str, ...]
    changed: int
    """Cases whose answer was given to one that is the same in provider, prompt label and variables, not in all."""
    by_order: int
    """Cases whose answer says nothing of its test."""
    incomparable: int
    """Cases that have an answer while one that theirs is to be compared with has none; they count as unanswered."""


@dataclass(frozen=True, slots=True)
class AnsweredPlan(Plan):
    """The cases of a plan that have an answer. The others stay planned, and are skipped."""

    whole: Plan | None = None
    numbers: Sequence[int] = ()

    @classmethod
    def over(cls, plan: Plan, numbers: Sequence[int]) -> AnsweredPlan:
        """`numbers` has the answer of each slot."""
        counted = (plan.row_count, plan.var_names, plan.column_totals, plan.unasserted, plan.runs_alone, plan.stores)
        return cls(plan.suite, plan.columns, *counted, whole=plan, numbers=numbers)

    def cases(self, provider: ProviderSpec | None = None, accept: Accept | None = None) -> Iterator[Case]:
        """The cases that have an answer, in plan order."""
        assert self.whole is not None
        return (case for case in self.whole.cases(provider, accept) if self.numbers[case.index] != NOBODY)


def match(plan: Plan, answers: Answers) -> Matched:
    """Find the answer of each case. Raises `ConfigError` for an answer that may be of several columns."""
    search = _Search(plan, answers)
    search.in_step()
    search.by_label()
    search.leave_out_incomparable()
    return search.told()


class _Search:
    """Fills `numbers`: in step as far as that goes, over an index from there on."""

    def __init__(self, plan: Plan, answers: Answers) -> None:
        self._plan = plan
        self._answers = answers
        self._used = bytearray(len(answers))
        self._index = AnswerIndex(plan, self._used)
        self._cases: Iterator[Case] = plan.cases()
        self._labels: Iterator[tuple[int, Label]] = enumerate(answers.labels())
        self._unanswered: list[str] = []
        self._incomparable = 0
        self._compares = False
        self.numbers = array("q", [NOBODY]) * plan.slots

    def in_step(self) -> None:
        """Give each case the next answer while their ids agree: all, where nothing but assertions was changed."""
        for case in self._cases:
            self._compares = self._compares or bool(comparing(case.row.test.assertions))
            entry = next(self._labels, None)
            if entry is None or entry[1].case_id is None or entry[1].case_id != case_id(case):
                self._cases = chain((case,), self._cases)
                self._labels = chain(() if entry is None else (entry,), self._labels)
                return
            self._take(case, entry[0])

    def by_label(self) -> None:
        """Look up the rest."""
        for number, label in self._labels:
            self._index.add(number, label)
        for case in self._cases:
            self._compares = self._compares or bool(comparing(case.row.test.assertions))
            if case.row.test.provider_output is not None:
                self.numbers[case.index] = FROM_TEST
            elif (found := self._index.claim(case)) is not None:
                self._take(case, found)
            elif len(self._unanswered) < _EXAMPLES and (shown := _shown(case)) not in self._unanswered:
                self._unanswered.append(shown)

    def _take(self, case: Case, number: int) -> None:
        self.numbers[case.index] = number
        self._used[number] = 1

    def leave_out_incomparable(self) -> None:
        """Answers that are compared are judged together or not at all."""
        if not self._compares:
            return
        width = len(self._plan.columns)
        for row in self._plan.rows(lambda test: bool(comparing(test.assertions))):
            slots = [row.index * width + column.index for column in self._plan.columns_for(row.test)]
            answered = [slot for slot in slots if self.numbers[slot] != NOBODY]
            if len(answered) < len(slots):
                self._incomparable += len(answered)
                for slot in answered:
                    self.numbers[slot] = NOBODY

    def told(self) -> Matched:
        answered = len(self.numbers) - self.numbers.count(NOBODY)
        return Matched(
            numbers=self.numbers,
            unanswered=self._plan.total - answered,
            unanswered_shown=tuple(self._unanswered),
            unused=self._used.count(0),
            unused_shown=tuple(self._unused_shown()),
            changed=self._index.changed,
            by_order=self._index.by_order,
            incomparable=self._incomparable,
        )

    def _unused_shown(self) -> Iterator[str]:
        left = min(_EXAMPLES, self._used.count(0))
        for number, label in enumerate(self._answers.labels() if left else ()):
            if not self._used[number]:
                yield _told(number, label)
                left -= 1
                if not left:
                    return


def _shown(case: Case) -> str:
    values = written(case.row.vars)
    test = case.row.test.description or ", ".join(f"{name}={text_of(value)}" for name, value in values.items())
    numbered = f"row {case.row.index}" + (f" ({shortened(test)})" if test else "")
    return f"{numbered} of `{case.column.provider.name}`"


def _told(number: int, label: Label) -> str:
    if label.where is not None and label.where.line is not None:
        return str(label.where)
    values = ", ".join(f"{name}={text_of(value)}" for name, value in label.vars.items())
    numbered = f"answer {number}" + (f" ({shortened(values)})" if values else "")
    return f"{numbered} of `{label.provider}`" if label.provider else numbered
