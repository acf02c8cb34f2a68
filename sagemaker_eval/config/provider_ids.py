"""Provider ids: what each prefix means, and what to use instead of the prefixes that are none of ours.

`sagemaker:<endpoint>`, `sagemaker:<type>:<endpoint>`, `sagemaker:embedding:<endpoint>`; `container:` with a URL in the
place of the endpoint; `file://provider.py[:function]`, `python:provider.py[:function]`; `echo`.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sagemaker_eval.config.explaining import listed, unknown_name
from sagemaker_eval.config.fields import endpoint_flaw
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.references import PREFIX, split_function
from sagemaker_eval.config.vendors import vendor_refusal
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.scripts import JAVASCRIPT

PYTHON_PREFIX = "python:"
FILE_ENDINGS = (".yaml", ".yml", ".json")
"""Endings of files that hold providers."""

_EMBEDDING = ("embedding", "embeddings")
_WEB = ("http://", "https://")
_AUTHORITY = re.compile(r"(?:\[[^\]]*\]|[^\[\]:]+)(?::[0-9]*)?")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f\\]")
_USER = re.compile(r"//[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class ProviderId:
    """What an id says. `kind` names an entry of the provider registry.

    `endpoint` is that of `sagemaker`, and the URL of `container`; `script` is the code of `python`, as `file://…`.
    """

    kind: str
    endpoint: str | None = None
    model_type: str | None = None
    embedding: bool = False
    script: str | None = None


def parse_provider_id(text: str, names: KnownNames, where: Place, notice: Callable[[str], None]) -> ProviderId:
    """The parts of an id. Raises `ConfigError` naming what is valid. The endpoint's name is not checked here."""
    if text == "echo":
        return ProviderId("echo")
    if text.startswith((PREFIX, PYTHON_PREFIX)):
        return _python_id(text, names, where)
    if (refusal := vendor_refusal(text, names.formats, where)) is not None:
        raise refusal
    prefix, _, rest = text.partition(":")
    if prefix not in ("sagemaker", "container"):
        nearest = nearest_name(prefix, ("echo", "sagemaker", "container", "python"))
        suggestion = f"did you mean `{nearest}`? " if nearest else ""
        raise ConfigError.of(f"unknown provider `{text}`", where, suggestion + _forms(names))
    if not rest:
        raise ConfigError.of(f"`{text}` names no {_called(prefix)}", where, _forms(names))
    if prefix == "container":
        return _container_id(text, rest, names, where)
    return _sagemaker_id(text, rest, names, where, notice)


def check_endpoint(parsed: ProviderId, where: Place) -> None:
    """Raise `ConfigError` where the id of a `sagemaker:` or `container:` provider names what cannot be called."""
    named = parsed.endpoint or ""
    flaw = url_flaw(named) if parsed.kind == "container" else endpoint_flaw(named)
    if flaw:
        hint = "an environment variable in it is not set" if "{{" in named else None
        raise ConfigError.of(f"`{_shown(named)}` {flaw}", where, hint)


def url_flaw(url: str) -> str | None:
    """What keeps `url` from being that of a container, as a clause; None where it is one."""
    try:
        parts = urlsplit(url)
        if parts.username or parts.password:
            return "must not hold a user name or a password: a container is called without credentials"
        sound = _AUTHORITY.fullmatch(parts.netloc) and parts.port != 0 and _is_host(parts.hostname or "")
    except ValueError:  # UnicodeError among them
        sound = False
    if not sound or _BLANK.search(url):
        return "must be a URL with a host, such as `http://127.0.0.1:8080`"
    return "must not hold a `#`" if parts.fragment else None


def _is_host(name: str) -> bool:
    """Whether `name` can be looked up. Raises ValueError for what is no address and for what IDNA cannot write."""
    if ":" in name:
        ipaddress.IPv6Address(name)
        return True
    return bool(_HOST.fullmatch(name.encode("idna").decode()))


def _sagemaker_id(text: str, rest: str, names: KnownNames, where: Place, notice: Callable[[str], None]) -> ProviderId:
    if rest.startswith("arn:"):
        hint = "write the endpoint's name, which is what follows the last `/` of the ARN"
        raise ConfigError.of(f"`{text}` holds an ARN where the endpoint's name belongs", where, hint)
    if _web_address(rest) is not None:
        rest = _shown(rest)
        hint = f"write `container:{rest}` to call a container directly, or `endpointUrl` in the config for another URL"
        raise ConfigError.of(f"`sagemaker:{rest}` holds a URL where the endpoint's name belongs", where, hint)
    model_type, colon, endpoint = rest.rpartition(":")
    if not endpoint:
        raise ConfigError.of(f"`{text}` names no endpoint", where, _forms(names))
    if not colon:
        if endpoint in names.formats or endpoint in _EMBEDDING:
            notice(f"`{text}` is taken as an endpoint called `{endpoint}`, not as a model type")
        return ProviderId("sagemaker", endpoint)
    return _typed("sagemaker", model_type, endpoint, names, where)


def _container_id(text: str, rest: str, names: KnownNames, where: Place) -> ProviderId:
    at = _web_address(rest)
    if at is None:
        hint = "write `container:http://127.0.0.1:8080`, or `container:<type>:http://127.0.0.1:8080`"
        raise ConfigError.of(f"`{text}` holds no URL that begins with `http://` or `https://`", where, hint)
    model_type, url = rest[:at].removesuffix(":"), rest[at:]
    return _typed("container", model_type, url, names, where) if at else ProviderId("container", url)


def _shown(text: str) -> str:
    """`text` without what may be a password in a URL."""
    return _USER.sub("//***@", text)


def _typed(kind: str, model_type: str, endpoint: str, names: KnownNames, where: Place) -> ProviderId:
    if model_type in _EMBEDDING:
        return ProviderId(kind, endpoint, embedding=True)
    if model_type not in names.formats:
        raise ConfigError([unknown_name("model type", model_type, (*names.formats, "embedding"), where)])
    return ProviderId(kind, endpoint, model_type)


def _web_address(text: str) -> int | None:
    """Where in an id, at its beginning or after a colon, a URL begins."""
    found = [0 if text.startswith(scheme) else text.find(f":{scheme}") + 1 or None for scheme in _WEB]
    return next((at for at in found if at is not None), None)


def _python_id(text: str, names: KnownNames, where: Place) -> ProviderId:
    path = text.removeprefix(PYTHON_PREFIX).removeprefix(PREFIX)
    ending = os.path.splitext(split_function(path)[0])[1].lower()
    if ending == ".py":
        return ProviderId("python", script=PREFIX + path)
    if ending in JAVASCRIPT:
        hint = (
            "write it in Python, as `call_api(prompt, options, context)` in a `file://provider.py`; "
            "a model that is served over HTTP is `container:<url>`"
        )
        raise ConfigError.of(f"`{text}`: providers in JavaScript and TypeScript are not supported", where, hint)
    if ending in FILE_ENDINGS:
        hint = "let it stand by itself, as an element of `providers`"
        raise ConfigError.of(f"`{text}` is a file of providers, not the id of one", where, hint)
    raise ConfigError.of(
        f"`{text}` is neither a provider in Python (.py) nor a file of providers", where, _forms(names)
    )


def _called(prefix: str) -> str:
    return "URL" if prefix == "container" else "endpoint"


def _forms(names: KnownNames) -> str:
    return (
        "valid are `sagemaker:<endpoint>`, `sagemaker:<type>:<endpoint>`, `sagemaker:embedding:<endpoint>`, "
        "`container:<url>`, `file://provider.py`, `file://providers.yaml` and `echo`;"
        f" types: {listed(names.formats)}"
    )
