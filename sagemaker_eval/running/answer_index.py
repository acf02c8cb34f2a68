"""Earlier answers by what they say of whose they are, to be asked for the answer of a case."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Case, Json, compact_json
from sagemaker_eval.model.values import whole_numbers
from sagemaker_eval.running.earlier_answers import Label, listed, prompts_of, providers_of
from sagemaker_eval.running.identity import case_id
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.records import written

_DIGEST_BYTES = 16

_Column = tuple[str, str]
"""The name of a provider and the label of a prompt."""


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


class AnswerIndex:
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
        text = text_of(values[name])
        digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
    return digest.digest()


def text_of(value: Json) -> str:
    return value if isinstance(value, str) else compact_json(whole_numbers(value))
