"""Which of the answers that were given before, or elsewhere, is the answer to which case of a plan."""

from __future__ import annotations

import hashlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sagemaker_eval.assertions.judging import comparing
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Case, Json, ProviderSpec, compact_json
from sagemaker_eval.model.values import whole_numbers
from sagemaker_eval.running.earlier_answers import Answers, Label, listed, prompts_of, providers_of, shortened
from sagemaker_eval.running.identity import case_id
from sagemaker_eval.running.plan import Accept, Plan
from sagemaker_eval.running.records import written

NOBODY = -1
"""Stands for the answer of a case that has none."""

FROM_TEST = -2
"""Stands for the answer of a case whose test gives one (`providerOutput`)."""

_EXAMPLES = 3
_DIGEST_BYTES = 16

_Column = tuple[str, str]
"""The name of a provider and the label of a prompt."""


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
        self._index = _Index(plan, self._used)
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


class _Queue:
    """The answers to one question in their order.

    The last of them answers each further test that asks the same in the same repetition, as the cache would.
    """

    def __init__(self) -> None:
        self._numbers: deque[int] = deque()
        self._last: tuple[int, int] | None = None

    def append(self, number: int) -> None:
        self._numbers.append(number)

    def take(self, repeat: int, used: bytearray) -> int | None:
        while self._numbers:
            number = self._numbers.popleft()
            if not used[number]:
                self._last = number, repeat
                return number
        return self._last[0] if self._last is not None and self._last[1] == repeat else None


class _Index:
    """Answers by what they say of whose they are; `used` has 1 for those that are taken."""

    def __init__(self, plan: Plan, used: bytearray) -> None:
        self._used = used
        self._columns = _Columns(plan)
        self._known = frozenset(plan.var_names)
        self._queues: dict[object, _Queue] = {}
        self._ordered: dict[_Column, deque[int]] = {}
        self._name_sets: list[tuple[str, ...]] = []
        self.changed = 0
        self.by_order = 0

    def add(self, number: int, label: Label) -> None:
        """Raises `ConfigError` where an answer from elsewhere may be of several columns."""
        if label.case_id is not None:
            self._queue(label.case_id).append(number)
        column = self._columns.of(label)
        if column is None:
            return
        values = {name: value for name, value in label.vars.items() if name in self._known}
        if label.test is not None:
            self._queue((column, label.repeat, label.test)).append(number)
        elif values:
            names = tuple(sorted(values))
            if names not in self._name_sets:
                self._name_sets = sorted((*self._name_sets, names), key=len, reverse=True)
            self._queue((column, label.repeat, names, _digest(values, names))).append(number)
        else:
            self._ordered.setdefault(column, deque()).append(number)

    def claim(self, case: Case) -> int | None:
        """The answer of a case. The most exact label counts; the next of several in their order."""
        if self._queues and (queue := self._queues.get(case_id(case))) is not None:
            number = queue.take(case.row.repeat, self._used)
            if number is not None:
                return number
        for key in self._keys(case):
            if (queue := self._queues.get(key)) is not None:
                number = queue.take(case.row.repeat, self._used)
                if number is not None:
                    self.changed += 1
                    return number
        return self._next(case)

    def _queue(self, key: object) -> _Queue:
        return self._queues.setdefault(key, _Queue())

    def _keys(self, case: Case) -> Iterator[object]:
        column, row = _column(case), case.row
        values = written(row.vars)
        named = [row.index, row.test.description, row.test.metadata.get("id")]
        digests = [(names, _digest(values, names)) for names in self._name_sets if values.keys() >= set(names)]
        for repeat in (row.repeat, None):
            yield from ((column, repeat, name) for name in named if isinstance(name, int | str))
            yield from ((column, repeat, names, digest) for names, digest in digests)

    def _next(self, case: Case) -> int | None:
        """The next answer of the column that says nothing of its test."""
        waiting = self._ordered.get(_column(case))
        while waiting:
            number = waiting.popleft()
            if not self._used[number]:
                self.by_order += 1
                return number
        return None


class _Columns:
    """The column of each answer, looked up once for all that say the same."""

    def __init__(self, plan: Plan) -> None:
        self._columns = plan.columns
        self._specs = list({id(column.provider): column.provider for column in plan.columns}.values())
        self._prompts = list({id(column.prompt): column.prompt for column in plan.columns}.values())
        self._of: dict[tuple[str | None, str | None, str | None], list[_Column]] = {}

    def of(self, label: Label) -> _Column | None:
        """None where no column fits, or where a recorded answer's may be several."""
        key = (label.provider, label.provider_id, label.prompt)
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = self._fitting(label)
        if len(found) > 1 and label.case_id is None:
            raise _ambiguous(label, found)
        return found[0] if len(found) == 1 else None

    def _fitting(self, label: Label) -> list[_Column]:
        specs = {id(spec) for spec in providers_of(label, self._specs)}
        prompts = {id(prompt) for prompt in prompts_of(label, self._prompts)}
        fitting = (each for each in self._columns if id(each.provider) in specs and id(each.prompt) in prompts)
        return list(dict.fromkeys((each.provider.name, each.prompt.label) for each in fitting))


def _ambiguous(label: Label, found: Sequence[_Column]) -> ConfigError:
    providers, prompts = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    what, names = ("provider", providers) if len(providers) > 1 else ("prompt", prompts)
    return ConfigError.of(
        f"the answer does not say which {what} it is of, and the configuration has {len(names)}: {listed(names)}",
        label.where,
        f"give each answer a `{what}`, or choose one with --filter-{what}s",
    )


def _column(case: Case) -> _Column:
    return case.column.provider.name, case.column.prompt.label


def _digest(values: Mapping[str, Json], names: Iterable[str]) -> bytes:
    """What two sets of variables agree in if they print the same: a cell of a table holds text."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for name in names:
        text = _text(values[name])
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def _text(value: Json) -> str:
    return value if isinstance(value, str) else compact_json(whole_numbers(value))


def _shown(case: Case) -> str:
    test = case.row.test.description or ", ".join(f"{name}={_text(value)}" for name, value in _written(case))
    numbered = f"row {case.row.index}" + (f" ({shortened(test)})" if test else "")
    return f"{numbered} of `{case.column.provider.name}`"


def _written(case: Case) -> Iterable[tuple[str, Json]]:
    return written(case.row.vars).items()


def _told(number: int, label: Label) -> str:
    if label.where is not None and label.where.line is not None:
        return str(label.where)
    values = ", ".join(f"{name}={_text(value)}" for name, value in label.vars.items())
    numbered = f"answer {number}" + (f" ({shortened(values)})" if values else "")
    return f"{numbered} of `{label.provider}`" if label.provider else numbered
