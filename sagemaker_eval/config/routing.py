"""The members of a call that a provider's `config` sets, and those that its operation has no place for."""

from __future__ import annotations

from collections.abc import Mapping

from sagemaker_eval.config.explaining import KeyProblem, describe, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.routing_members import BY_KEY, MEMBERS, NEW_SESSION, is_templated
from sagemaker_eval.config.schema import SageMakerConfig
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Operation, Place

_SWITCHES = {Operation.STREAM: "stream", Operation.ASYNC: "async", Operation.OPENAI: "transport: openai"}
"""The keys that choose an operation."""


def read_routing(config: SageMakerConfig, operation: Operation, where: Place) -> Mapping[str, str]:
    """Members by botocore's names, sorted; values may be templates. Raises `ConfigError` with all that is wrong."""
    problems = Problems()
    routing = problems.attempt(lambda: _written(config, where)) or {}
    for name in routing:
        member = MEMBERS[name]
        if operation not in member.operations:
            problems.keep(_without_place(member.key, operation, where))
    if config.variants and config.target_variant:
        hint = "keep `variants` for a column of each, or `targetVariant` for one"
        problems.keep(KeyProblem("`targetVariant` stands beside `variants`", within(where, "targetVariant"), hint))
    if config.variants and operation not in BY_KEY["targetVariant"].operations:
        problems.keep(_without_place("variants", operation, where))
    if operation is Operation.STREAM and config.session_id == NEW_SESSION:
        hint = "take `stream` out, or name a session that there is"
        problems.add(f"`sessionId: {NEW_SESSION}` cannot be streamed", within(where, "sessionId"), hint)
    problems.check()
    return routing


def _written(config: SageMakerConfig, where: Place) -> dict[str, str]:
    plain = {
        name: value for name, value in config.model_dump(by_alias=True, include=_FIELDS).items() if value is not None
    }
    routing = {BY_KEY[key].name: value for key, value in plain.items()}
    attributes = read_attributes(config.custom_attributes, within(where, "customAttributes"))
    if attributes is not None:
        routing[BY_KEY["customAttributes"].name] = attributes
    return dict(sorted(routing.items()))


_FIELDS = {
    name
    for name, field in SageMakerConfig.model_fields.items()
    if field.alias in BY_KEY and name != "custom_attributes"
}


def read_attributes(raw: Json, where: Place) -> str | None:
    """`customAttributes` as the one text that is sent; a map becomes `name=value` pairs with commas between them.

    Raises `ConfigError` with all that is wrong with it.
    """
    if raw is None:
        return None
    if isinstance(raw, Mapping):
        problems = Problems()
        pairs = problems.attempt_each(raw.items(), lambda pair: _pair(pair[0], pair[1], within(where, pair[0])))
        problems.check()
        text = ",".join(pairs)
    elif isinstance(raw, str):
        text = raw
    else:
        raise misshapen("text or a map", raw, where)
    flaw = None if is_templated(text) else BY_KEY["customAttributes"].flaw(text)
    if flaw:
        raise ConfigError.of(f"`customAttributes` {flaw}", where)
    return text


def _pair(name: str, value: Json, where: Place) -> str:
    if not isinstance(value, str | int | float):
        raise misshapen("text, a number, true or false", value, where)
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else f"{value:.15g}"
    for part in (name, "" if is_templated(text) else text):
        if "," in part or (part is name and (not part.strip() or "=" in part)):
            hint = "write the whole of `customAttributes` as one text"
            raise ConfigError.of(f"a pair of `customAttributes` cannot be made of {describe(part)}", where, hint)
    return f"{name}={text}"


def _without_place(key: str, operation: Operation, where: Place) -> KeyProblem:
    switch = _SWITCHES[operation]
    known = " and ".join(f"`{member.key}`" for member in MEMBERS.values() if operation in member.operations)
    reason = f"{operation.value} has no such member"
    if operation in (Operation.ASYNC, Operation.OPENAI):
        reason = f"such calls know {known} alone"
    return KeyProblem(f"`{key}` does not go with `{switch}`: {reason}", within(where, key), "take one of the two out")
