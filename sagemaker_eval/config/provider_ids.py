"""Provider ids: `sagemaker:<endpoint>`, `sagemaker:<type>:<endpoint>`, `sagemaker:embedding:<endpoint>`, `echo`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_eval.config.explaining import listed, unknown_name
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place
from sagemaker_eval.registry import nearest_name

_LATER_PREFIXES = ("file://", "python:", "exec:", "http://", "https://")
_EMBEDDING = ("embedding", "embeddings")


@dataclass(frozen=True, slots=True)
class ProviderId:
    """What an id says. `kind` names an entry of the provider registry; the rest is None for `echo`."""

    kind: str
    endpoint: str | None = None
    model_type: str | None = None
    embedding: bool = False


def parse_provider_id(text: str, names: KnownNames, where: Place, notice: Callable[[str], None]) -> ProviderId:
    """The parts of an id. Raises `ConfigError` naming what is valid. The endpoint's name is not checked here."""
    if text == "echo":
        return ProviderId("echo")
    if text.startswith(_LATER_PREFIXES):
        raise ConfigError.of(f"the provider `{text}` is not yet supported", where, _forms(names))
    prefix, _, rest = text.partition(":")
    if prefix == "sagemaker" and not rest:
        raise ConfigError.of(f"`{text}` names no endpoint", where, _forms(names))
    if prefix != "sagemaker":
        nearest = nearest_name(prefix, ("echo", "sagemaker"))
        suggestion = f"did you mean `{nearest}`? " if nearest else ""
        raise ConfigError.of(f"unknown provider `{text}`", where, suggestion + _forms(names))
    return _sagemaker_id(text, rest, names, where, notice)


def _sagemaker_id(text: str, rest: str, names: KnownNames, where: Place, notice: Callable[[str], None]) -> ProviderId:
    if rest.startswith("arn:"):
        hint = "write the endpoint's name, which is what follows the last `/` of the ARN"
        raise ConfigError.of(f"`{text}` holds an ARN where the endpoint's name belongs", where, hint)
    model_type, colon, endpoint = rest.rpartition(":")
    if not endpoint:
        raise ConfigError.of(f"`{text}` names no endpoint", where, _forms(names))
    if not colon:
        if endpoint in names.formats or endpoint in _EMBEDDING:
            notice(f"`{text}` is taken as an endpoint called `{endpoint}`, not as a model type")
        return ProviderId("sagemaker", endpoint)
    if model_type in _EMBEDDING:
        return ProviderId("sagemaker", endpoint, embedding=True)
    if model_type not in names.formats:
        raise ConfigError([unknown_name("model type", model_type, (*names.formats, "embedding"), where)])
    return ProviderId("sagemaker", endpoint, model_type)


def _forms(names: KnownNames) -> str:
    return (
        "valid are `sagemaker:<endpoint>`, `sagemaker:<type>:<endpoint>`, `sagemaker:embedding:<endpoint>` and `echo`;"
        f" types: {listed(names.formats)}"
    )
