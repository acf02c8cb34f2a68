"""Shards: a plan cut into parts that several machines carry out, the same way on each of them.

A case goes to the shard that its id hashes to, so that a test added to the configuration moves no other. Cases that
depend on each other go together: answers that are compared, turns of a conversation, tests that run serially, and all
of a run that stores outputs.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.assertions.judging import comparing
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Case, Column, Json, ProviderSpec, Row, TestCase
from sagemaker_eval.running.identity import case_id, row_case_id
from sagemaker_eval.running.plan import Accept, Plan, runs_alone
from sagemaker_eval.running.records import test_json, written
from sagemaker_eval.running.row_encoding import encode_row

Converses = Callable[[Case], bool]
"""Whether a case's prompt speaks of the conversation so far."""

_SHARD = re.compile(r"([0-9]+)/([0-9]+)")
_MOST = 10_000
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count`, counted from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that `2/7` means. Raises `ConfigError`."""
        match = _SHARD.fullmatch(text.strip())
        index, count = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= index <= count <= _MOST:
            raise ConfigError.of(f"--shard takes `i/n` with i from 1 to n, not `{text}`", hint="for example `2/7`")
        return cls(index, count)


@dataclass(frozen=True, slots=True)
class ShardedPlan(Plan):
    """The cases of one shard. They keep the cells that they have in the whole plan, whose other cells stay empty."""

    shard: Shard = Shard(1, 1)
    wanted: bytes = b""
    """For each slot, 1 where its case is in the shard."""
    whole: tuple[int, ...] = ()
    """The cases of each column of the whole plan."""
    suite_digest: str = ""
    split_digest: str = ""
    """Over the shard of every case: shards that were split otherwise do not belong together."""

    def cases(self, provider: ProviderSpec | None = None, accept: Accept | None = None) -> Iterator[Case]:
        """The cases of the shard, in plan order."""
        return (case for case in Plan.cases(self, provider, accept) if self.wanted[case.index])


def sharded(plan: Plan, shard: Shard, converses: Converses, costs: Mapping[str, float] | None = None) -> ShardedPlan:
    """The part of a plan that is one shard's.

    With `costs` (ms by case id), the groups whose cost is known are spread so that all shards take about as long:
    longest processing time first (R. L. Graham, Bounds on multiprocessing timing anomalies, 1969).
    """
    groups = Groups(plan, converses)
    homes = _hashed(plan, groups, shard.count) if costs is None else _balanced(plan, groups, shard.count, costs)
    wanted = bytearray(plan.slots)
    totals = [0] * len(plan.columns)
    for slot, home in enumerate(homes):
        if home == shard.index:
            wanted[slot] = 1
            totals[slot % len(plan.columns)] += 1
    return ShardedPlan(
        plan.suite,
        plan.columns,
        plan.row_count,
        plan.var_names,
        tuple(totals),
        plan.unasserted,
        plan.runs_alone,
        plan.stores,
        shard=shard,
        wanted=bytes(wanted),
        whole=plan.column_totals,
        suite_digest=_suite_digest(plan),
        split_digest=hashlib.sha256(homes.tobytes()).hexdigest()[:_DIGITS],
    )


def shard_options(plan: Plan) -> dict[str, Json]:
    """What the record of a run says of its shard, for `merge`; nothing of a whole run."""
    if not isinstance(plan, ShardedPlan):
        return {}
    told: dict[str, Json] = {
        "index": plan.shard.index,
        "count": plan.shard.count,
        "suite": plan.suite_digest,
        "split": plan.split_digest,
        "planned": list(plan.whole),
        "slots": plan.slots,
    }
    return {"shard": told}


def refuse_other_split(recorded: Mapping[str, Any], plan: Plan) -> None:
    """Raise `ConfigError` where the shard of an earlier run, in its `options`, had other cases than it has now."""
    then, now = recorded.get("shard"), shard_options(plan).get("shard")
    if then and now and then["suite"] == now["suite"] and then["split"] != now["split"]:
        raise ConfigError.of(
            "the run whose latencies decided on the shards was changed since",
            hint="run all shards anew, or go on with --allow-changes",
        )


class Groups:
    """Which cases of a plan stay together: those of one group are in one shard."""

    def __init__(self, plan: Plan, converses: Converses) -> None:
        self._plan = plan
        self._speaking = frozenset(column.index for column in plan.columns if _speaks(column, converses))
        self._serial: set[str] = set()
        self._compared: set[str] = set()
        if self._speaking and not plan.stores:
            for test in plan.suite.tests:
                if runs_alone(test):
                    self._serial.add(_conversation(test))
                elif comparing(test.assertions):
                    self._compared.add(_conversation(test))

    def of(self, case: Case) -> str:
        """The name of a case's group, the same in every run; the case's id where it depends on no other."""
        test, column = case.row.test, case.column
        if self._plan.stores:
            return "run"
        if runs_alone(test):
            return "serial"
        compared = bool(comparing(test.assertions))
        if self._is_turn(case, compared):
            name = _conversation(test)
            if name in self._serial:
                return "serial"
            if name in self._compared:
                return _name("conversation", name)
            return _name("conversation", name, column.provider.id, column.provider.label, column.prompt.id)
        if compared:
            return _name("row", written(case.row.vars), case.row.repeat)
        return case_id(case)

    def _is_turn(self, case: Case, compared: bool) -> bool:
        """Whether a case, or one that its answer is compared with, is a turn of a conversation."""
        if compared:
            return any(column.index in self._speaking for column in self._plan.columns_for(case.row.test))
        return case.column.index in self._speaking


def _speaks(column: Column, converses: Converses) -> bool:
    try:
        return converses(Case(0, Row(0, TestCase(), 0, {}), column))
    except CaseError:
        return False


def _conversation(test: TestCase) -> str:
    return str(test.metadata.get("conversationId", ""))


def _name(*parts: Json) -> str:
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), default=dict)


def _home(group: str, count: int) -> int:
    """The shard that a group hashes to, from 1."""
    return int.from_bytes(hashlib.sha256(group.encode("utf-8", "surrogatepass")).digest()[:8], "big") % count + 1


def _hashed(plan: Plan, groups: Groups, count: int) -> array[int]:
    """The shard of each slot, 0 for empty cells."""
    homes = array("I", bytes(4 * plan.slots))
    for case in plan.cases():
        homes[case.index] = _home(groups.of(case), count)
    return homes


def _balanced(plan: Plan, groups: Groups, count: int, costs: Mapping[str, float]) -> array[int]:
    """The same by cost. Groups of which nothing is known go where they hash to."""
    known: dict[str, float] = {}
    for case in plan.cases():
        if (cost := costs.get(case_id(case))) is not None:
            group = groups.of(case)
            known[group] = known.get(group, 0.0) + cost
    loads = [(0.0, number) for number in range(1, count + 1)]
    chosen: dict[str, int] = {}
    for group in sorted(known, key=lambda group: (-known[group], group)):
        load, number = loads[0]
        chosen[group] = number
        heapq.heapreplace(loads, (load + known[group], number))
    homes = array("I", bytes(4 * plan.slots))
    for case in plan.cases():
        group = groups.of(case)
        homes[case.index] = chosen.get(group) or _home(group, count)
    return homes


def recorded_costs(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The latency in ms of each case of an earlier run by its id; the mean, where several share the id."""
    known: dict[str, list[float]] = {}
    for row in rows:
        if row["latencyMs"] is not None:
            known.setdefault(row_case_id(row), []).append(row["latencyMs"])
    return {case: sum(latencies) / len(latencies) for case, latencies in known.items()}


def _suite_digest(plan: Plan) -> str:
    """16 hex digits over columns and tests, assertions included: two plans that agree in it have the same cells."""
    digest = hashlib.sha256()
    for column in plan.columns:
        provider, prompt = column.provider, column.prompt
        digest.update(encode_row({"column": [provider.id, provider.label, prompt.id]}))
    for row in plan.rows():
        cells = [column.index for column in plan.columns_for(row.test)]
        digest.update(encode_row({"test": test_json(row), "repeat": row.repeat, "cells": cells}))
    return digest.hexdigest()[:_DIGITS]
