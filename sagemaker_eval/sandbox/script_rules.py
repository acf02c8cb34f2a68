"""Makes the rules of a script from its entries, and finds what no single field can be wrong with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place, compact_json
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.sandbox.containers.asking import NOT_JSON, decode
from sagemaker_eval.sandbox.containers.base import ContainerAnswer
from sagemaker_eval.sandbox.containers.shapes import shape_names
from sagemaker_eval.sandbox.deployments import Deployment
from sagemaker_eval.sandbox.faults import FAULTS
from sagemaker_eval.sandbox.rules import (
    CRASHED,
    REFERENCE,
    Capacity,
    ColdStart,
    FaultSetting,
    Overload,
    Rule,
    ScriptedAnswer,
    StreamPace,
    Variant,
    referenced_group,
)
from sagemaker_eval.sandbox.script_entries import (
    AnswerEntry,
    BehaviourEntry,
    CapacityEntry,
    FaultsEntry,
    ModelErrorEntry,
    RuleEntry,
    StreamEntry,
    VariantEntry,
)
from sagemaker_eval.sandbox.streaming import STREAM_FAULTS


def rule_of(glob: str, entry: RuleEntry, where: Place) -> Rule:
    """The rule that an entry stands for. Raises `ConfigError` with all that is wrong with it."""
    problems = Problems()
    plain = Rule(glob=glob, seed=entry.seed)
    deployment = _deployment(entry)
    capacity = _capacity(entry.capacity, deployment)
    rule = problems.attempt(lambda: _with_behaviour(plain, entry, where)) or plain
    rule = replace(rule, capacity=capacity, deployment=deployment)
    variants = problems.attempt_each(
        (entry.variants or {}).items(),
        lambda item: _variant(item[0], item[1], rule, within(where, "variants", item[0])),
    )
    problems.check()
    if deployment is not None and not variants:
        variants = [Variant(each.name, each.weight, rule) for each in deployment.variants]
    return replace(rule, variants=tuple(variants))


def _variant(name: str, entry: VariantEntry, rule: Rule, where: Place) -> Variant:
    return Variant(name, entry.weight, _with_behaviour(rule, entry, where))


def _with_behaviour(rule: Rule, entry: BehaviourEntry, where: Place) -> Rule:
    """`rule` with what `entry` sets in place of its own."""
    problems = Problems()
    given = entry.model_fields_set
    shape = entry.shape
    if shape is not None and shape not in shape_names():
        problems.attempt(lambda: _refuse_name("shape", shape, shape_names(), within(where, "shape")))
    settings, cold = rule.faults, rule.cold_start
    if entry.faults is not None:
        settings = _faults(entry.faults)
        cold = problems.attempt(lambda: _cold_start(entry.faults, settings, where)) or cold
    answers = problems.attempt_each(
        enumerate(entry.answers or ()), lambda item: _answer(item[1], settings, within(where, "answers", item[0]))
    )
    problems.check()
    return replace(
        rule,
        shape=shape or rule.shape,
        latency=entry.latency if "latency" in given else rule.latency,
        jitter=entry.jitter if "jitter" in given else rule.jitter,
        faults=settings,
        cold_start=cold,
        answers=rule.answers if entry.answers is None else tuple(answers),
        pace=_pace(entry.stream) or rule.pace,
    )


def _refuse_name(what: str, name: str, known: tuple[str, ...], where: Place) -> NoReturn:
    nearest = nearest_name(name, known)
    hint = f"did you mean `{nearest}`?" if nearest else f"known: {', '.join(f'`{each}`' for each in known)}"
    raise ConfigError.of(f"unknown {what} `{name}`", where, hint)


def _faults(entry: FaultsEntry | None) -> tuple[FaultSetting, ...]:
    if entry is None:
        return ()
    return tuple(
        FaultSetting(
            name=name,
            share=fault.share,
            first=fault.first,
            message=fault.message,
            status=fault.status if isinstance(fault, ModelErrorEntry) else CRASHED,
        )
        for name, fault in entry.by_name().items()
    )


def _cold_start(entry: FaultsEntry | None, settings: Sequence[FaultSetting], where: Place) -> ColdStart | None:
    cold = entry.cold_start if entry else None
    if cold is None:
        return None
    if cold.fault is None:
        return ColdStart(cold.requests, cold.seconds)
    if cold.fault not in FAULTS:
        _refuse_name("fault", cold.fault, FAULTS.names(), within(where, "faults", "coldStart", "fault"))
    return ColdStart(cold.requests, cold.seconds, _setting(cold.fault, settings))


def _setting(name: str, settings: Sequence[FaultSetting]) -> FaultSetting:
    """The fault of that name with the message and status that the script gives it."""
    return next((setting for setting in settings if setting.name == name), FaultSetting(name))


def _pace(entry: StreamEntry | None) -> StreamPace | None:
    return StreamPace(entry.part_size, entry.first_token, entry.inter_token) if entry else None


def _capacity(entry: CapacityEntry | None, deployment: Deployment | None) -> Capacity | None:
    """A serverless endpoint throttles above its concurrency unless the script says otherwise."""
    if entry is not None:
        return Capacity(entry.in_flight, Overload(entry.behaviour))
    if deployment is not None and deployment.serverless is not None:
        return Capacity(deployment.serverless.max_concurrency)
    return None


def _deployment(entry: RuleEntry) -> Deployment | None:
    """Variants are part of a deployment, also where the script says nothing else of it."""
    weights = {name: variant.weight for name, variant in (entry.variants or {}).items()}
    if entry.deployment is not None:
        return entry.deployment.deployment(weights)
    return Deployment().weighted(weights) if weights else None


def _answer(entry: AnswerEntry, settings: Sequence[FaultSetting], where: Place) -> ScriptedAnswer:
    pattern = re.compile(entry.pattern)
    if entry.answer is not None:
        _check_references(pattern, entry.answer, within(where, "answer"))
    fault = None
    if entry.fault is not None:
        if entry.fault not in FAULTS and entry.fault not in STREAM_FAULTS:
            known = (*FAULTS.names(), *STREAM_FAULTS.names())
            _refuse_name("fault", entry.fault, known, within(where, "fault"))
        fault = _setting(entry.fault, settings)
    return ScriptedAnswer(pattern, entry.answer, _whole(entry) if entry.has_body else None, fault, entry.share)


def _check_references(pattern: re.Pattern[str], text: str, where: Place) -> None:
    """A pattern without groups leaves backslashes alone; one with groups must have those that the answer names."""
    if not pattern.groups:
        return
    for reference in REFERENCE.finditer(text):
        group = referenced_group(reference)
        known = group in pattern.groupindex if isinstance(group, str) else group <= pattern.groups
        if not known:
            message = f"`answer` refers to group `{group}`, which `pattern` does not have"
            raise ConfigError.of(message, where, f"its groups are 1 to {pattern.groups}; a group is written `(...)`")


def _whole(entry: AnswerEntry) -> ContainerAnswer:
    """Text goes out as it is, as JSON where it is some; any other value as its JSON."""
    text = entry.body if isinstance(entry.body, str) else compact_json(entry.body)
    body = text.encode("utf-8", "surrogatepass")
    guessed = "text/plain; charset=utf-8" if decode(body) is NOT_JSON else "application/json"
    return ContainerAnswer(body, entry.status, entry.content_type or guessed)
