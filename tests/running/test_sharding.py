"""Shards: every case in one of them, those that depend on each other in the same, and always in the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import ConfigError, RenderError
from sagemaker_eval.model import AssertionSpec, Case, Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.running.identity import case_id
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.sharding import (
    Converses,
    Shard,
    ShardedPlan,
    recorded_costs,
    refuse_other_split,
    shard_options,
    sharded,
)

PROVIDERS = (ProviderSpec("echo", "echo"), ProviderSpec("echo", "echo", label="other"))
PROMPTS = tuple(Prompt(raw, raw, raw) for raw in ("say {{x}}", "{{_conversation}} {{x}}"))
BEST = (AssertionSpec("select-best", "shortest"),)


def plan_of(tests: Sequence[TestCase], prompts: Sequence[Prompt] = PROMPTS[:1]) -> Plan:
    return Plan.of(Suite(tuple(prompts), PROVIDERS, list(tests)))


def plain(count: int) -> list[TestCase]:
    return [TestCase(vars={"x": f"word {number}"}) for number in range(count)]


def converses(case: Case) -> bool:
    return "_conversation" in case.column.prompt.raw


def shards(plan: Plan, count: int, costs: Mapping[str, float] | None = None) -> list[ShardedPlan]:
    return [sharded(plan, Shard(index, count), converses, costs) for index in range(1, count + 1)]


def homes(plan: Plan, count: int) -> dict[tuple[str, ...], int]:
    """The shard of every case, by what the case is of."""
    return {
        (case.column.provider.name, case.column.prompt.raw, str(case.row.vars["x"])): part.shard.index
        for part in shards(plan, count)
        for case in part.cases()
    }


@given(st.integers(0, 30), st.integers(1, 9))
def test_every_case_is_in_one_shard_and_keeps_its_cell(tests: int, count: int) -> None:
    plan = plan_of(plain(tests))
    parts = shards(plan, count)
    found = sorted(case.index for part in parts for case in part.cases())
    assert found == [case.index for case in plan.cases()]
    assert sum(part.total for part in parts) == plan.total
    assert all(part.total == len(list(part.cases())) and part.slots == plan.slots for part in parts)


def test_cases_are_spread_over_the_shards() -> None:
    assert [round(part.total / 200) for part in shards(plan_of(plain(400)), 4)] == [1, 1, 1, 1]


def test_a_test_that_is_added_moves_no_other() -> None:
    tests = plain(30)
    before, after = homes(plan_of(tests), 7), homes(plan_of([TestCase(vars={"x": "new"}), *tests]), 7)
    assert {name: after[name] for name in before} == before


def test_answers_that_are_compared_stay_together() -> None:
    tests = [TestCase(vars={"x": str(number)}, assertions=BEST) for number in range(20)]
    found = homes(plan_of(tests), 5)
    assert all(found["echo", "say {{x}}", str(n)] == found["other", "say {{x}}", str(n)] for n in range(20))
    assert len(set(found.values())) > 1


def talks(count: int, **more: Any) -> list[TestCase]:
    return [
        TestCase(vars={"x": str(number)}, metadata={"conversationId": str(number % 6)}, **more)
        for number in range(count)
    ]


def test_a_conversation_stays_together_and_different_ones_do_not() -> None:
    found = homes(plan_of(talks(24), PROMPTS[1:]), 4)
    by_talk: dict[tuple[str, int], set[int]] = {}
    for (provider, _, x), home in found.items():
        by_talk.setdefault((provider, int(x) % 6), set()).add(home)
    assert all(len(used) == 1 for used in by_talk.values())
    assert len(set(found.values())) > 1


def test_conversations_whose_answers_are_compared_stay_together_over_all_columns() -> None:
    found = homes(plan_of(talks(24, assertions=BEST), PROMPTS), 4)
    by_talk: dict[int, set[int]] = {}
    for (_, _, x), home in found.items():
        by_talk.setdefault(int(x) % 6, set()).add(home)
    assert all(len(used) == 1 for used in by_talk.values())


def test_serial_tests_and_the_conversations_that_they_open_stay_together() -> None:
    opening = TestCase(vars={"x": "first"}, metadata={"conversationId": "3"}, options={"runSerially": True})
    found = homes(plan_of([opening, *talks(24)], PROMPTS[1:]), 4)
    assert len({home for (_, _, x), home in found.items() if x == "first" or x in ("3", "9", "15")}) == 1


def test_a_run_that_stores_outputs_stays_whole() -> None:
    storing = TestCase(vars={"x": "first"}, options={"storeOutputAs": "kept"})
    parts = shards(plan_of([*plain(20), storing]), 3)
    assert sorted(part.total for part in parts) == [0, 0, 42]


def test_a_template_that_cannot_be_read_is_no_reason_to_stop() -> None:
    def failing(case: Case) -> bool:
        raise RenderError("no template")

    unreadable: Converses = failing
    assert sharded(plan_of(plain(3)), Shard(1, 1), unreadable).total == 6


def test_known_costs_are_spread_evenly() -> None:
    plan = plan_of(plain(8))
    ids = [case_id(case) for case in plan.cases()]
    costs = dict(zip(ids, [16.0, 2, 2, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8], strict=True))
    parts = shards(plan, 3, costs)
    assert [sum(costs[case_id(case)] for case in part.cases()) for part in parts] == [24.0, 24.0, 24.0]
    assert shards(plan, 3, costs) == parts


def test_cases_of_unknown_cost_go_where_their_ids_send_them() -> None:
    known, grown = plan_of(plain(6)), plan_of(plain(12))
    costs = {case_id(case): 5.0 for case in known.cases()}
    by_hash, by_cost = shards(grown, 3), shards(grown, 3, costs)
    for one, other in zip(by_hash, by_cost, strict=True):
        new = {case.index for case in grown.cases()} - {case.index for case in known.cases()}
        assert {c.index for c in one.cases()} & new == {c.index for c in other.cases()} & new


def test_costs_come_from_recorded_latencies() -> None:
    row = {"provider": {"id": "echo", "label": ""}, "promptId": "p", "repeat": 0, "testCase": {"vars": {"x": "1"}}}
    other = {**row, "repeat": 1}
    rows = [{**row, "latencyMs": 10.0}, {**row, "latencyMs": 20.0}, {**other, "latencyMs": None}]
    assert list(recorded_costs(rows).values()) == [15.0]


def test_the_record_says_which_part_of_what_it_is() -> None:
    plan = plan_of(plain(10))
    one, two = (shard_options(part)["shard"] for part in shards(plan, 2))
    assert (one["index"], one["count"], one["planned"], one["slots"]) == (1, 2, [10, 10], 20)
    assert (one["suite"], one["split"]) == (two["suite"], two["split"])
    assert shard_options(plan) == {}


@pytest.mark.parametrize(
    "changed",
    [
        lambda: plan_of(plain(11)),
        lambda: plan_of([*plain(9), TestCase(vars={"x": "word 9"}, assertions=BEST)]),
        lambda: plan_of(plain(10), PROMPTS),
    ],
)
def test_other_tests_assertions_or_prompts_are_another_suite(changed: Callable[[], Plan]) -> None:
    digests = {sharded(plan, Shard(1, 2), converses).suite_digest for plan in (plan_of(plain(10)), changed())}
    assert len(digests) == 2


def test_a_shard_is_not_gone_on_with_under_another_split() -> None:
    plan = plan_of(plain(10))
    ids = [case_id(case) for case in plan.cases()]
    then = sharded(plan, Shard(1, 2), converses, dict.fromkeys(ids, 1.0))
    now = sharded(plan, Shard(1, 2), converses, {name: float(cost) for cost, name in enumerate(ids)})
    refuse_other_split(shard_options(then), then)
    with pytest.raises(ConfigError, match="latencies decided"):
        refuse_other_split(shard_options(then), now)


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "1/0", "a/b", "1/4/2", "-1/4", "1/99999"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--shard takes"):
        Shard.parse(text)


def test_a_shard_is_read_and_written_alike() -> None:
    assert str(Shard.parse(" 2/7 ")) == "2/7"
