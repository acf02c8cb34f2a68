"""What the user should know of an endpoint before the first call, and what does not stop a run."""

from __future__ import annotations

from collections.abc import Iterator

from sagemaker_eval.model import ProviderSpec, SageMakerOptions
from sagemaker_eval.sagemaker.container_images import Family, better_type
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts

VARIANT = "TargetVariant"

_WORTH_KNOWING = (
    "DescribeEndpointConfig",
    "ListInferenceComponents",
    "DescribeInferenceComponent",
    "DescribeModel",
)
"""Operations whose denial leaves a check undone."""


def notes_on(
    facts: EndpointFacts,
    options: SageMakerOptions,
    spec: ProviderSpec,
    component: str | None,
    in_flight: int | None,
) -> tuple[str, ...]:
    """One line for each thing worth knowing of an endpoint that takes calls.

    `component` is the inference component that is called; `in_flight` how many calls the provider makes at a time,
    None where that is not settled.
    """
    return (
        *_mixed_variants(facts, options),
        *_changing(facts),
        *_cold(facts, options, component),
        *_serverless(facts, in_flight),
        *_captured(facts),
        *([] if _is_chosen_custom(options, spec) else _unfit_model_type(facts, options, component)),
        *_unchecked(facts),
    )


def _mixed_variants(facts: EndpointFacts, options: SageMakerOptions) -> Iterator[str]:
    """Answers of several variants in one column are a mixture of models."""
    taking = [variant for variant in facts.variants if variant.weight]
    if len(taking) < 2 or facts.hosts_components or VARIANT in options.routing:
        return
    whole = sum(variant.weight or 0.0 for variant in taking)
    shares = ", ".join(f"`{variant.name}` {(variant.weight or 0.0) / whole:.0%}" for variant in taking)
    names = ", ".join(variant.name for variant in taking)
    yield (
        f"endpoint `{facts.name}` splits its traffic ({shares}), so answers of several variants are mixed; "
        f"`variants: [{names}]` makes a column of each"
    )


def _changing(facts: EndpointFacts) -> Iterator[str]:
    if facts.status in {"Updating", "RollingBack"}:
        yield f"endpoint `{facts.name}` is being changed ({facts.status}): answers may come from before and after"
    elif facts.status == "UpdateRollbackFailed":
        yield f"endpoint `{facts.name}` is left over from an update that failed ({facts.status}): look at its variants"


def _cold(facts: EndpointFacts, options: SageMakerOptions, component: str | None) -> Iterator[str]:
    if facts.is_async:  # its queue holds requests until there is an instance
        return
    called = facts.component(component) if component is not None else None
    pinned = options.routing.get(VARIANT)
    variants = [variant for variant in facts.variants if pinned in {None, variant.name}]
    asleep = bool(variants) and all(variant.scaled_to_zero for variant in variants)
    if not asleep and (called is None or called.copies != 0):
        return
    what = f"inference component `{called.name}`" if called and not asleep else f"endpoint `{facts.name}`"
    if options.warm_up_s > 0:
        yield f"{what} is scaled to zero: the first call waits for it, up to {options.warm_up_s:,.0f} s"
    else:
        yield f"{what} is scaled to zero, and `warmUp` is off: calls fail until it is scaled out"


def _serverless(facts: EndpointFacts, in_flight: int | None) -> Iterator[str]:
    most = facts.serverless_concurrency
    if most is not None and in_flight is not None and in_flight > most:
        yield (
            f"endpoint `{facts.name}` is serverless and takes {most} calls at a time, this provider makes {in_flight}: "
            f"set its `maxConcurrency` to {most} (and no request may be larger than 4 MB)"
        )


def _captured(facts: EndpointFacts) -> Iterator[str]:
    if facts.data_capture:
        yield f"endpoint `{facts.name}` captures data: prompts and answers are stored in S3"


def _unfit_model_type(facts: EndpointFacts, options: SageMakerOptions, component: str | None) -> Iterator[str]:
    model = facts.model(component, options.routing.get(VARIANT))
    family = model.family if model else None
    if family is None:
        return
    if not family.types(options.embedding):
        yield _wrong_kind(facts, family, options.embedding)
    elif better := better_type(family, options.model_type, options.embedding):
        yield (
            f"the container of endpoint `{facts.name}` is {family.name}, which `modelType: {options.model_type}` does "
            f"not fit: set `modelType: {better}`"
        )


def _is_chosen_custom(options: SageMakerOptions, spec: ProviderSpec) -> bool:
    """Whoever writes `custom` down has a body of their own, which fits any container."""
    return options.model_type == "custom" and ("modelType" in options.written or ":custom:" in spec.id)


def _wrong_kind(facts: EndpointFacts, family: Family, embedding: bool) -> str:
    container = f"the container of endpoint `{facts.name}` is {family.name}"
    if embedding:
        return f"{container}, which makes no embeddings"
    return f"{container}, which makes embeddings and no text: `sagemaker:embedding:{facts.name}` asks for them"


def _unchecked(facts: EndpointFacts) -> Iterator[str]:
    denied = [operation for operation in _WORTH_KNOWING if operation in facts.denied]
    if denied:
        actions = ", ".join(f"`sagemaker:{operation}`" for operation in denied)
        yield f"endpoint `{facts.name}` is checked in part only: the caller may not {actions}"
