"""`env` of one provider: variables for its own templates and settings, over those of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from sagemaker_eval.config.environment import config_env
from sagemaker_eval.config.explaining import check, listed
from sagemaker_eval.config.folder_tree import rendered_within
from sagemaker_eval.config.places import within
from sagemaker_eval.config.provider_forms import Written
from sagemaker_eval.config.schema import SageMakerEnvironment
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AwsSettings, Json, Place, StaticKeys

T = TypeVar("T")

_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_URLS = ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_ENDPOINT_URL")
_RENDERED = ("id", "label", "config")


def read_provider_env(raw: Json, where: Place, env: Mapping[str, str]) -> dict[str, str]:
    """The variables that a provider sets at `where`, templates rendered against `env`. Raises `ConfigError`."""
    if raw is None:
        return {}
    outer = Place(where.path, where.line, where.column, where.pointer[:-1])
    return _inside(outer, lambda: config_env({"env": raw}, env, where.path))


def rendered(written: Written, env: Mapping[str, str], base_path: str) -> Written:
    """The provider with what is left of `{{env.X}}` in `id`, `label` and `config` rendered. Raises `ConfigError`."""
    selector = _inside(written.at, lambda: rendered_within(written.selector, env, base_path))
    if not isinstance(written.raw, Mapping):
        return replace(written, selector=selector)
    parts = {key: written.raw[key] for key in _RENDERED if key in written.raw}
    made = _inside(written.raw_at, lambda: rendered_within(parts, env, base_path, written.raw_at.path))
    return replace(written, selector=selector, raw={**written.raw, **made})


def overlaid(environment: SageMakerEnvironment, env: Mapping[str, str], where: Place) -> SageMakerEnvironment:
    """The defaults of the run under those that a provider's `env` sets. Raises `ConfigError`; `where` is `env`'s."""
    known = {name: env[name] for name in SageMakerEnvironment.known_keys() if env.get(name)}
    if not known:
        return environment
    own = check(SageMakerEnvironment, known, where)
    return environment.model_copy(update=own.model_dump(exclude_none=True))


def overlaid_aws(aws: AwsSettings, env: Mapping[str, str], where: Place) -> AwsSettings:
    """The settings of a `config`, completed by the credentials, the profile and the URL of the provider's `env`.

    As in the AWS chain keys come before a profile, but nothing in `env` before what the `config` names.
    Raises `ConfigError` for half a pair of keys.
    """
    url = aws.endpoint_url or next((env[name] for name in _URLS if env.get(name)), None)
    if aws.keys is not None or aws.profile is not None:
        return replace(aws, endpoint_url=url)
    keys = _static_keys(env, where)
    profile = None if keys else next((env[name] for name in _PROFILES if env.get(name)), None)
    return replace(aws, keys=keys, profile=profile, endpoint_url=url)


def without_effect(env: Mapping[str, str], name: str, notice: Callable[[str], None]) -> None:
    """Tell of AWS variables that only the environment of the whole run can set."""
    heeded = {*SageMakerEnvironment.known_keys(), *_KEYS, *_PROFILES, *_URLS}
    lost = tuple(sorted(key for key in env if key.startswith("AWS_") and key not in heeded))
    if lost:
        notice(f"{listed(lost)} in the `env` of `{name}` has no effect: set it in the `env` of the configuration")


def _static_keys(env: Mapping[str, str], where: Place) -> StaticKeys | None:
    key_id, secret, token = (env.get(name) or None for name in _KEYS)
    if key_id and secret:
        return StaticKeys(key_id, secret, token)
    written = next((name for name in _KEYS if env.get(name)), None)
    if written is None:
        return None
    missing = " and ".join(f"`{name}`" for name in _KEYS[:2] if not env.get(name))
    raise ConfigError.of(f"`{written}` stands without {missing}", within(where, written), f"add {missing} beside it")


def _inside(where: Place, render: Callable[[], T]) -> T:
    """What `render` makes of a part of the document; its problems at their places within `where`."""
    try:
        return render()
    except ConfigError as error:
        raise ConfigError(
            replace(problem, where=within(where, *(problem.where.pointer if problem.where else ())))
            for problem in error.problems
        ) from None
