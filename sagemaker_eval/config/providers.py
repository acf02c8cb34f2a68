"""`providers`: its forms (text, object, one-key map) as provider specs, and the command line's choice among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sagemaker_eval.config.explaining import check, located, misshapen, not_yet_supported
from sagemaker_eval.config.fields import endpoint_flaw
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.masking import is_credential
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.places import within
from sagemaker_eval.config.provider_ids import ProviderId, parse_provider_id
from sagemaker_eval.config.sagemaker_options import sagemaker_options, settings_without_effect
from sagemaker_eval.config.schema import ProviderEntry, SageMakerConfig, SageMakerEnvironment
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place, ProviderSpec, SageMakerOptions, UserCode


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What all providers of a configuration share. `delay_ms` is for those that set none."""

    names: KnownNames
    environment: SageMakerEnvironment
    base_path: str
    delay_ms: int | None
    notice: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Written:
    """A provider as one of the forms has it: `selector` is the id that says who answers, `at` where that stands."""

    selector: str
    at: Place
    raw: Json
    raw_at: Place


def build_providers(source: Json, where: Place, context: ProviderContext) -> tuple[ProviderSpec, ...]:
    """The providers in order. Raises `ConfigError` with all problems of all of them."""
    if isinstance(source, str):
        return (build_provider(source, where, context),)
    if not isinstance(source, list):
        raise misshapen("a provider's id or a list", source, where)
    problems = Problems()
    specs = problems.attempt_each(
        enumerate(source), lambda item: build_provider(item[1], within(where, item[0]), context)
    )
    problems.attempt(lambda: _check_labels(specs))
    problems.check()
    return _distinct(specs, context.notice)


def build_provider(raw: Json, where: Place, context: ProviderContext) -> ProviderSpec:
    """One provider, from any of its forms."""
    written = _written(raw, where)
    problems = Problems()
    parsed = problems.attempt(lambda: parse_provider_id(written.selector, context.names, written.at, context.notice))
    entry = problems.attempt(lambda: check(ProviderEntry, written.raw, written.raw_at))
    config = problems.attempt(lambda: _config(written, context))
    problems.check()
    assert parsed is not None and entry is not None
    if entry.transform is not None and config is None:
        raise ConfigError([not_yet_supported("transform", within(written.raw_at, "transform"))])
    options = None if config is None else _options(parsed, config, written, context)
    if options is not None:
        options = replace(options, transform=_request_transform(entry, config, written, context))
    delays = (entry.delay, config.delay if config else None, context.delay_ms)
    return ProviderSpec(
        id=entry.id or written.selector,
        kind=parsed.kind,
        label=entry.label,
        options=options,
        delay_ms=next((delay for delay in delays if delay is not None), None),
        max_concurrency=entry.max_concurrency,
        prompts=None if entry.prompts is None else tuple(entry.prompts),
        where=where,
    )


def _request_transform(
    entry: ProviderEntry, config: SageMakerConfig | None, written: _Written, context: ProviderContext
) -> UserCode | None:
    """The code of the provider's `transform`, else that of its `config`."""
    if entry.transform is not None:
        return UserCode(entry.transform, context.base_path, within(written.raw_at, "transform"))
    if config is not None and config.transform is not None:
        return UserCode(config.transform, context.base_path, within(written.raw_at, "config", "transform"))
    return None


def choose(
    configured: tuple[ProviderSpec, ...], wanted: tuple[str, ...], context: ProviderContext
) -> tuple[ProviderSpec, ...]:
    """Those that the command line names, by id, label or the end of an id; what fits none is built from its id."""
    problems = Problems()

    def chosen(name: str) -> tuple[ProviderSpec, ...]:
        fitting = tuple(spec for spec in configured if name in (spec.id, spec.label) or spec.id.endswith(f":{name}"))
        try:
            return fitting or (build_provider(name, Place("--providers"), context),)
        except ConfigError as error:
            raise _with_configured(error, configured) from error

    specs = [spec for group in problems.attempt_each(wanted, chosen) for spec in group]
    problems.check()
    return _distinct(specs, context.notice)


def _with_configured(error: ConfigError, configured: tuple[ProviderSpec, ...]) -> ConfigError:
    """The problem of a name that fits no configured provider and is no id, with those that there are."""
    if not configured:
        return error
    names = ", ".join(f"`{spec.name}`" for spec in configured)
    return ConfigError([replace(problem, hint=f"configured are {names}") for problem in error.problems])


def _written(raw: Json, where: Place) -> _Written:
    if isinstance(raw, str):
        return _Written(raw, where, {}, where)
    if not isinstance(raw, Mapping):
        raise misshapen("an id or a map", raw, where)
    if len(raw) == 1:
        (key, value), *_ = raw.items()
        if key not in ProviderEntry.known_keys() and (":" in key or isinstance(value, Mapping | None)):
            inside = within(where, key)
            return _Written(key, inside, {} if value is None else value, inside)
    selector = raw.get("id")
    if selector is None:
        problems = Problems()
        problems.attempt(lambda: check(ProviderEntry, raw, where))
        problems.add("`id` is missing in a provider", where, "for example `id: sagemaker:my-endpoint`")
        problems.check()
    if not isinstance(selector, str):
        raise misshapen("text", selector, within(where, "id"))
    return _Written(selector, within(where, "id"), raw, where)


def _config(written: _Written, context: ProviderContext) -> SageMakerConfig | None:
    """The config of a SageMaker provider, checked; None for providers of another kind."""
    raw = written.raw.get("config") if isinstance(written.raw, Mapping) else None
    if written.selector.startswith("sagemaker:"):
        return check(SageMakerConfig, {} if raw is None else raw, within(written.raw_at, "config"))
    if raw:
        context.notice(f"the `config` of `{written.selector}` has no effect")
    return None


def _options(
    parsed: ProviderId, config: SageMakerConfig, written: _Written, context: ProviderContext
) -> SageMakerOptions:
    problems = Problems()
    if config.endpoint is None:
        problems.attempt(lambda: _check_endpoint(parsed.endpoint or "", written.at))
    options = problems.attempt(
        lambda: sagemaker_options(parsed, config, within(written.raw_at, "config"), context.environment, context.names)
    )
    problems.check()
    assert options is not None
    settings_without_effect(parsed, config, context.notice)
    return replace(options, base_path=context.base_path, written=_shown(written))


def _shown(written: _Written) -> dict[str, Json]:
    """The `config` as it was written, without credentials."""
    raw = written.raw.get("config") if isinstance(written.raw, Mapping) else None
    return {key: value for key, value in (raw or {}).items() if not is_credential(key)}


def _check_endpoint(name: str, where: Place) -> None:
    if flaw := endpoint_flaw(name):
        hint = "an environment variable in it is not set" if "{{" in name else None
        raise ConfigError.of(f"`{name}` {flaw}", where, hint)


def _check_labels(specs: list[ProviderSpec]) -> None:
    """Two columns of one name cannot be told apart: raise where two labels are equal."""
    seen: dict[str, ProviderSpec] = {}
    problems = Problems()
    for spec in specs:
        if spec.label is None or spec.where is None:
            continue
        first = seen.setdefault(spec.label, spec)
        if first is not spec:
            other = located(Problem("", _label_place(first)))
            problems.add(f"the label `{spec.label}` is already that of the provider at {other}", _label_place(spec))
    problems.check()


def _label_place(spec: ProviderSpec) -> Place | None:
    return within(spec.where, "label") if spec.where else None


def _distinct(specs: list[ProviderSpec], notice: Callable[[str], None]) -> tuple[ProviderSpec, ...]:
    """The specs without repetitions of the same provider; names that two of them share are told."""
    kept: list[ProviderSpec] = []
    for spec in specs:
        alike = [other for other in kept if other.name == spec.name]
        if any(replace(other, where=None) == replace(spec, where=None) for other in alike):
            notice(f"the provider `{spec.name}` is given more than once: it is asked once")
            continue
        if alike:
            notice(f"two providers are called `{spec.name}`: give each a `label` to tell their columns apart")
        kept.append(spec)
    return tuple(kept)
