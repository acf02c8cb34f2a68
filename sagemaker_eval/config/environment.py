"""The environment of a run: process, `.env` files and the config's `env`; and `{{ env.NAME }}` in a configuration."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from sagemaker_eval.config.dotenv import read_env_file
from sagemaker_eval.config.yaml_scalars import key_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

if TYPE_CHECKING:
    from jinja2 import Environment

_FRAGMENT = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_NAMED = re.compile(r"""(?<![\w.])env(?:\.([A-Za-z_]\w*)|\[\s*(?:'([^']+)'|"([^"]+)")\s*\])""")


def build_environ(process: Mapping[str, str], env_files: Sequence[str], default_dotenv: str | None) -> dict[str, str]:
    """The process environment with the variables of files.

    `default_dotenv` (`.env`) need not exist and never overrides; each of `env_files` overrides everything before it,
    and several may stand in one entry, separated by commas. Raises `ConfigError` for a missing or broken file.
    """
    environ = dict(process)
    if default_dotenv and os.path.isfile(default_dotenv):
        environ = read_env_file(default_dotenv) | environ
    for entry in env_files:
        for path in [entry] if os.path.exists(entry) else entry.split(","):
            environ |= read_env_file(os.path.expanduser(path.strip()))
    return environ


def config_env(document: Mapping[str, Json], environ: Mapping[str, str], path: str = "") -> dict[str, str]:
    """The `env` of a configuration as text, templates rendered against `environ` alone.

    Numbers and booleans become what JavaScript prints; null leaves a variable alone. Raises `ConfigError` for any
    other value and for names and values that no environment can hold; `path` is the file to name in it.
    """
    written = document.get("env")
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise ConfigError.of("`env` is not a map of names to values", Place(path, pointer=("env",)))
    rendered = render_env({"env": written}, environ, path)["env"]
    return {name: _env_text(name, value, path) for name, value in rendered.items() if value is not None}


def _env_text(name: str, value: Json, path: str) -> str:
    place = Place(path, pointer=("env", name))
    if isinstance(value, dict | list):
        raise ConfigError.of(f"the value of `{name}` is not text, a number or true or false", place)
    text = value if isinstance(value, str) else key_text(value)
    if not name or "=" in name or "\0" in name + text:
        raise ConfigError.of(
            f"no environment can hold the variable `{name}`", place, "names have no `=`, values no NUL"
        )
    return text


def render_env(document: Json, environ: Mapping[str, str], path: str = "") -> Json:
    """`document` with the fragments `{{ … }}` that name a variable of the environment rendered, in values, not in keys.

    A fragment counts if it contains `env.NAME` or `env['NAME']`, and is rendered if one of its variables is defined or
    if it contains `|`; all else stays literal, for the rendering of the prompt. Raises `ConfigError` for a fragment
    that fails; `path` is the file to name in it. Comes back as it is where there is nothing to render.
    """
    if not _names_env(document):
        return document
    return _rendered(document, cache(_fragment_renderer(environ)), Place(path))


def _names_env(document: Json) -> bool:
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if "{{" in value and _NAMED.search(value):
                return True
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False


def _rendered(value: Json, render: Callable[[str], str], place: Place) -> Json:
    if isinstance(value, str):
        if "{{" not in value:
            return value
        try:
            return _FRAGMENT.sub(lambda match: render(match[0]), value)
        except ValueError as error:
            raise ConfigError.of(str(error), place, "check the expression between the braces") from None
    if isinstance(value, dict):
        return {key: _rendered(child, render, _inside(place, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [_rendered(child, render, _inside(place, index)) for index, child in enumerate(value)]
    return value


def _inside(place: Place, step: str | int) -> Place:
    return Place(place.path, pointer=(*place.pointer, step))


def _fragment_renderer(environ: Mapping[str, str]) -> Callable[[str], str]:
    """Renders one fragment. Raises ValueError, worded for the user."""
    view = _EnvironView(environ)

    def render(fragment: str) -> str:
        names = [match[match.lastindex or 1] for match in _NAMED.finditer(fragment)]
        if not names or not ("|" in fragment or any(name in environ for name in names)):
            return fragment
        return _render_fragment(fragment, view)

    return render


class _EnvironView:
    """A mapping without methods, so that `env.items` is a variable like any other."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        return self._environ[name]


def _render_fragment(fragment: str, env: _EnvironView) -> str:
    try:
        return _templates().from_string(fragment).render(env=env)
    except Exception as error:  # an expression of the user may raise anything
        reason = str(error).rstrip(".")
        raise ValueError(f"`{fragment}` cannot be rendered: {reason}") from None


@cache
def _templates() -> Environment:
    """Jinja2 is imported here because most configurations never come by."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(keep_trailing_newline=True, finalize=_printed)


def _printed(value: object) -> object:
    return key_text(value) if isinstance(value, bool | float) else "" if value is None else value


@contextmanager
def applied(environ: Mapping[str, str]) -> Iterator[None]:
    """Makes `os.environ` equal to `environ`, which is how boto3 and scripts of the user see it, and puts it back.

    The environment belongs to the process: one such block at a time.
    """
    before = dict(os.environ)
    try:
        _become(environ)
        yield
    finally:
        _become(before)


def _become(environ: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environ.keys():
        del os.environ[name]
    os.environ.update(environ)
