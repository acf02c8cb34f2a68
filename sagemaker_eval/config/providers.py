"""`providers`: all their forms as provider specs, and the command line's choice among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sagemaker_eval.config.explaining import located, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.masking import secrets_in
from sagemaker_eval.config.named_files import placed_in_files
from sagemaker_eval.config.places import within
from sagemaker_eval.config.provider_files import FileContext, names_provider_file, providers_of_files
from sagemaker_eval.config.provider_specs import ProviderContext, build_specs
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import CustomOptions, Json, Place, ProviderSpec, SageMakerOptions, StaticKeys

__all__ = [
    "ProviderContext",
    "build_provider",
    "build_providers",
    "choose",
    "distinct_providers",
    "provider_secrets",
]


def build_providers(source: Json, where: Place, context: ProviderContext) -> tuple[ProviderSpec, ...]:
    """The providers in order, those of files in their place. Raises `ConfigError` with all problems of all of them."""
    if isinstance(source, str):
        return _build_each(source, where, context)
    if not isinstance(source, list):
        raise misshapen("a provider's id or a list", source, where)
    problems = Problems()
    groups = problems.attempt_each(
        enumerate(source), lambda item: _build_each(item[1], within(where, item[0]), context)
    )
    specs = tuple(spec for group in groups for spec in group)
    problems.check(specs)
    return specs


def build_provider(raw: Json, where: Place, context: ProviderContext) -> ProviderSpec:
    """One provider, from any of its forms; a file must hold exactly one. Raises `ConfigError`."""
    specs = _build_each(raw, where, context)
    if len(specs) != 1:
        if names_provider_file(raw):
            raise ConfigError.of(f"`{raw}` holds {len(specs)} providers where one is needed", where)
        hint = "name one, as `targetVariant`"
        raise ConfigError.of(f"`variants` makes {len(specs)} providers where one is needed", where, hint)
    return specs[0]


def _build_each(raw: Json, where: Place, context: ProviderContext) -> tuple[ProviderSpec, ...]:
    if not names_provider_file(raw):
        return _built(raw, where, context, from_file=False)
    problems = Problems()
    items = providers_of_files(raw, where, FileContext(context.base_path, context.env, problems))
    groups = problems.attempt_each(items, lambda item: _built(item[0], item[1], context, from_file=True))
    specs = tuple(spec for group in groups for spec in group)
    problems.check(specs)
    return specs


def _built(raw: Json, where: Place, context: ProviderContext, *, from_file: bool) -> tuple[ProviderSpec, ...]:
    return placed_in_files(lambda: build_specs(raw, where, context, from_file=from_file), context.base_path)


def choose(
    configured: tuple[ProviderSpec, ...], wanted: tuple[str, ...], context: ProviderContext
) -> tuple[ProviderSpec, ...]:
    """Those that the command line names, by id, label or the end of an id; what fits none is built from its id.

    Paths of the command line are relative to the working folder.
    """
    problems = Problems()
    here = replace(context, base_path=".")

    def chosen(name: str) -> tuple[ProviderSpec, ...]:
        fitting = tuple(spec for spec in configured if name in (spec.id, spec.label) or spec.id.endswith(f":{name}"))
        try:
            return fitting or _build_each(name, Place("--providers"), here)
        except ConfigError as error:
            raise _with_configured(error, configured) from error

    specs = [spec for group in problems.attempt_each(wanted, chosen) for spec in group]
    problems.check()
    return distinct_providers(specs, context.notice)


def _with_configured(error: ConfigError, configured: tuple[ProviderSpec, ...]) -> ConfigError:
    """The problem of a name that fits no configured provider and is no id, with those that there are."""
    if not configured:
        return error
    names = ", ".join(f"`{spec.name}`" for spec in configured)
    return ConfigError([replace(problem, hint=f"configured are {names}") for problem in error.problems])


def distinct_providers(specs: Iterable[ProviderSpec], notice: Callable[[str], None]) -> tuple[ProviderSpec, ...]:
    """The specs without repetitions of the same provider; names that two of them share are told.

    Raises `ConfigError` where two different ones have one label: their columns could not be told apart.
    """
    kept: list[ProviderSpec] = []
    for spec in specs:
        alike = [other for other in kept if other.name == spec.name]
        if any(replace(other, where=None) == replace(spec, where=None) for other in alike):
            notice(f"the provider `{spec.name}` is given more than once: it is asked once")
            continue
        if alike and not any(spec.label and spec.label == other.label for other in alike):
            notice(f"two providers are called `{spec.name}`: give each a `label` to tell their columns apart")
        kept.append(spec)
    _check_labels(kept)
    return tuple(kept)


def provider_secrets(specs: Iterable[ProviderSpec]) -> frozenset[str]:
    """The secret values in the settings of providers, those of provider files and of `{{env.X}}` included."""
    return frozenset().union(*(secrets_in({"providers": _settings(spec)}) for spec in specs))


def _settings(spec: ProviderSpec) -> dict[str, Json]:
    settings: dict[str, Json] = {"env": dict(spec.env)}
    if isinstance(spec.options, CustomOptions):
        settings["config"] = dict(spec.options.config)
    elif isinstance(spec.options, SageMakerOptions):
        settings["config"] = {**spec.options.written, **_keys(spec.options.aws.keys)}
    return settings


def _keys(keys: StaticKeys | None) -> dict[str, Json]:
    if keys is None:
        return {}
    return {
        "accessKeyId": keys.access_key_id,
        "secretAccessKey": keys.secret_access_key,
        "sessionToken": keys.session_token,
    }


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
