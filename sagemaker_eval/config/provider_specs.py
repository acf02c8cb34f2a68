"""One provider of the configuration as a `ProviderSpec`: its id, its settings and its code, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sagemaker_eval.config.explaining import check, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.masking import is_credential
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.places import within
from sagemaker_eval.config.provider_env import overlaid, overlaid_aws, read_provider_env, rendered, without_effect
from sagemaker_eval.config.provider_files import config_with_files
from sagemaker_eval.config.provider_forms import Written, read_form
from sagemaker_eval.config.provider_ids import ProviderId, check_endpoint, parse_provider_id
from sagemaker_eval.config.routing_members import BY_KEY
from sagemaker_eval.config.sagemaker_fields import AUTO
from sagemaker_eval.config.sagemaker_options import read_model_config, sagemaker_options, settings_without_effect
from sagemaker_eval.config.schema import ModelConfig, ProviderEntry, SageMakerConfig, SageMakerEnvironment
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import CustomOptions, Json, Place, ProviderSpec, SageMakerOptions, UserCode


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What all providers of a configuration share. `delay_ms` is for those that set none.

    `env` is the environment of the run, for templates in provider files and in what a provider's own `env` completes.
    """

    names: KnownNames
    environment: SageMakerEnvironment
    base_path: str
    delay_ms: int | None
    notice: Callable[[str], None]
    env: Mapping[str, str] = field(default_factory=dict)


def build_specs(raw: Json, where: Place, context: ProviderContext, *, from_file: bool) -> tuple[ProviderSpec, ...]:
    """The provider that `raw` is, once for each of its `variants`. Raises `ConfigError` with all that is wrong with it.

    `from_file` says that it stands in a provider file, where `file://` names within `config` stand for their content.
    """
    written, problems = read_form(raw, where), Problems()
    env = problems.attempt(lambda: read_provider_env(written.own_env, within(written.raw_at, "env"), context.env)) or {}
    if env:
        written = problems.attempt(lambda: rendered(written, {**context.env, **env}, context.base_path)) or written
    parsed = problems.attempt(lambda: parse_provider_id(written.selector, context.names, written.at, context.notice))
    kind = _kind(written, parsed)
    if kind == "python" or (from_file and kind is not None):
        scripts = kind != "python"
        written = problems.attempt(lambda: _with_files(written, context.base_path, scripts)) or written
    entry = problems.attempt(lambda: check(ProviderEntry, written.raw, written.raw_at))
    config = problems.attempt(lambda: _config(kind, written, context.notice))
    problems.check()
    assert parsed is not None and entry is not None
    maker = _Maker(written, parsed, entry, config, env, context)
    return tuple(replace(spec, where=where) for spec in maker.specs())


def _kind(written: Written, parsed: ProviderId | None) -> str | None:
    """The kind of a provider, as far as it shows in an id that has faults."""
    if parsed is not None:
        return parsed.kind
    return next((kind for kind in ("sagemaker", "container") if written.selector.startswith(f"{kind}:")), None)


def _with_files(written: Written, base_path: str, scripts: bool) -> Written:
    """The provider with files in place of `file://` names in its `config`."""
    if written.config is None:
        return written
    config = config_with_files(written.config, within(written.raw_at, "config"), base_path, scripts=scripts)
    return replace(written, raw={**written.raw, "config": config})


def _config(kind: str | None, written: Written, notice: Callable[[str], None]) -> Any:
    """The config of a provider: checked as `ModelConfig`, free for those in Python, None for those that have none."""
    raw, where = written.config, within(written.raw_at, "config")
    if kind in ("sagemaker", "container"):
        return read_model_config(kind, raw, where)
    if kind == "python":
        if not isinstance(raw, Mapping | None):
            raise misshapen("a map", raw, where)
        return raw or {}
    if raw:
        notice(f"the `config` of `{written.selector}` has no effect")
    return None


def _pinned(spec: ProviderSpec, variant: str) -> ProviderSpec:
    options: SageMakerOptions = spec.options
    routing = {**options.routing, BY_KEY["targetVariant"].name: variant}
    return replace(spec, label=f"{spec.name} ({variant})", options=replace(options, routing=routing))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes the spec of one provider out of its checked parts."""

    written: Written
    parsed: ProviderId
    entry: ProviderEntry
    config: Any
    env: Mapping[str, str]
    context: ProviderContext

    def specs(self) -> tuple[ProviderSpec, ...]:
        """The provider, or one for each variant, whose calls go to that one alone."""
        spec = self.spec()
        variants = self.config.variants if isinstance(self.config, SageMakerConfig) else None
        return (spec,) if variants is None else tuple(_pinned(spec, variant) for variant in variants)

    def spec(self) -> ProviderSpec:
        entry, context = self.entry, self.context
        problems = Problems()
        options = problems.attempt(self._options)
        transform = problems.attempt(self._output_transform)
        cap = problems.attempt(self._cap)
        problems.check()
        if entry.inputs is not None:
            context.notice("`inputs` of a provider has no effect: it describes targets of red teams")
        delays = (entry.delay, self._model.delay if self._model else None, context.delay_ms)
        return ProviderSpec(
            id=entry.id or self.written.selector,
            kind=self.parsed.kind,
            label=entry.label,
            options=options,
            delay_ms=next((delay for delay in delays if delay is not None), None),
            max_concurrency=cap if isinstance(cap, int) else None,
            adaptive=cap == AUTO,
            prompts=None if entry.prompts is None else tuple(entry.prompts),
            transform=transform,
            env=self.env,
        )

    def _cap(self) -> int | str | None:
        own = self.entry.max_concurrency
        if own == AUTO and self._model is None:
            told = f"`maxConcurrency: {AUTO}` is for endpoints and containers, whose answers show how much they can do"
            raise ConfigError.of(told, self._place("maxConcurrency"), "set a number")
        return own or (self._model.max_concurrency if self._model else None)

    @property
    def _model(self) -> ModelConfig | None:
        return self.config if isinstance(self.config, ModelConfig) else None

    def _place(self, *steps: str) -> Place:
        return within(self.written.raw_at, *steps)

    def _options(self) -> SageMakerOptions | CustomOptions | None:
        if self.parsed.kind == "python":
            code = UserCode(self.parsed.script or "", self.context.base_path, self.written.at)
            return CustomOptions(code, self.config)
        return None if self._model is None else self._model_options(self._model)

    def _model_options(self, config: ModelConfig) -> SageMakerOptions:
        context, env_at = self.context, self._place("env")
        problems = Problems()
        if not (isinstance(config, SageMakerConfig) and config.endpoint):
            problems.attempt(lambda: check_endpoint(self.parsed, self.written.at))
        environment = problems.attempt(lambda: overlaid(context.environment, self.env, env_at)) or context.environment
        options = problems.attempt(
            lambda: sagemaker_options(self.parsed, config, self._place("config"), environment, context.names)
        )
        problems.check()
        assert options is not None
        if isinstance(config, SageMakerConfig) and self.env:
            options = replace(options, aws=overlaid_aws(options.aws, self.env, env_at))
            without_effect(self.env, self.written.selector, context.notice)
        settings_without_effect(self.parsed, config, context.notice)
        shown = {key: value for key, value in (self.written.config or {}).items() if not is_credential(key)}
        transform = self._code("transform", of_config=config.transform)
        return replace(options, base_path=context.base_path, written=shown, transform=transform)

    def _output_transform(self) -> UserCode | None:
        """`responseTransform`; for providers without a request of our making `transform` means the same."""
        if self._model is not None:
            return self._code("responseTransform", of_config=self._model.response_transform)
        if self.entry.transform is not None and self.entry.response_transform is not None:
            message = "`transform` and `responseTransform` are the same for this provider"
            raise ConfigError.of(message, self._place("responseTransform"), "keep one of them")
        return self._code("transform") or self._code("responseTransform")

    def _code(self, key: str, of_config: str | None = None) -> UserCode | None:
        """The code under a key of the provider, else under that of its `config`."""
        own = self.entry.transform if key == "transform" else self.entry.response_transform
        if own is not None:
            return UserCode(own, self.context.base_path, self._place(key))
        return None if of_config is None else UserCode(of_config, self.context.base_path, self._place("config", key))
