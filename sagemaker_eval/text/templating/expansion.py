"""Variables that mention other variables: each text that is a template is rendered once, after those it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from sagemaker_eval.errors import RenderError
from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.compiling import TextTemplate, UnreadableTemplate
from sagemaker_eval.text.templating.environment import NunjucksEnvironment

MAX_GROWTH = 1_000_000
"""Characters by which references may lengthen a variable beyond the longest text it was given."""

_MAX_DEPTH = 100
_PLAIN_REFERENCE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_LITERALS = frozenset(("true", "false", "none", "null", "env", "range", "cycler", "joiner"))


class Compile(Protocol):
    """Reads a template. Raises `UnreadableTemplate`."""

    def __call__(self, source: str, /) -> TextTemplate: ...


def is_template(text: str) -> bool:
    """Whether a variable's text has a mark that makes it a template."""
    return "{{" in text or "{%" in text


def expand(vars: Mapping[str, Json], environment: NunjucksEnvironment, compile_template: Compile) -> dict[str, Json]:
    """`vars` with one trailing newline off each text, and with references among them resolved.

    Raises `RenderError` naming the variable: for a cycle, for growth beyond `MAX_GROWTH`, for a failing template.
    """
    values: dict[str, Json] = {}
    pending: list[str] = []
    for name, value in vars.items():
        if isinstance(value, str):
            value = value.removesuffix("\n")
            if is_template(value):
                pending.append(name)
        values[name] = value
    if pending:
        _Expansion(values, pending, environment, compile_template).resolve_all()
    return values


class _Expansion:
    """The expansion of one case's variables, in place."""

    def __init__(
        self,
        values: dict[str, Json],
        pending: list[str],
        environment: NunjucksEnvironment,
        compile_template: Compile,
    ) -> None:
        self._values = values
        self._pending = dict.fromkeys(pending)
        self._path: list[str] = []
        self._environment = environment
        self._compile = compile_template
        self._limit = MAX_GROWTH + max(len(value) for value in values.values() if isinstance(value, str))

    def resolve_all(self) -> None:
        while self._pending:
            self._resolve(next(iter(self._pending)))

    def _resolve(self, name: str) -> None:
        if name in self._path:
            circle = " → ".join(f"`{step}`" for step in (*self._path[self._path.index(name) :], name))
            raise RenderError(
                f"variable `{name}` refers to itself ({circle})",
                hint="write `{% raw %}` and `{% endraw %}` around text that is not meant as a template",
            )
        if len(self._path) == _MAX_DEPTH:
            raise RenderError(f"variable `{self._path[0]}` refers to others more than {_MAX_DEPTH} levels deep")
        self._path.append(name)
        rendered = self._rendered(name, self._values[name])
        if len(rendered) > self._limit:
            raise RenderError(f"variable `{name}` grows beyond {self._limit} characters")
        self._values[name] = rendered
        self._path.pop()
        self._pending.pop(name)

    def _rendered(self, name: str, text: str) -> str:
        if self._is_plain(text):
            needed = frozenset(_PLAIN_REFERENCE.findall(text))
            template = None
        else:
            try:
                template = self._compile(text)
            except UnreadableTemplate as error:
                return self._as_it_is(name, text, f"cannot be read as a template ({error.flaws[0].message})")
            needed = template.variables
        for root in sorted(needed.intersection(self._values)):
            if root in self._pending:
                self._resolve(root)
        if not needed.issubset(self._values):
            unknown = min(needed.difference(self._values))
            return self._as_it_is(name, self._filled(text), f"mentions `{unknown}`, which is not defined")
        if template is None:
            return self._filled(text)
        try:
            return template.render(self._values)
        except RenderError as error:
            raise RenderError(f"variable `{name}`: {error.message}", error.hint) from error

    def _filled(self, text: str) -> str:
        """The text with the values of what it mentions by name alone, as far as those are defined."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            return self._environment.text(self._values[name]) if name in self._values else found[0]

        return _PLAIN_REFERENCE.sub(value, text)

    def _is_plain(self, text: str) -> bool:
        """Whether nothing but `{{ name }}` stands in the text, which then needs no compiling."""
        rest, references = _PLAIN_REFERENCE.subn("", text)
        if not references or is_template(rest) or "{#" in rest:
            return False
        return _LITERALS.isdisjoint(_PLAIN_REFERENCE.findall(text))

    def _as_it_is(self, name: str, text: str, why: str) -> str:
        if self._environment.strict:
            raise RenderError(f"variable `{name}` {why}")
        self._environment.notices.once(("as it is", name), f"variable `{name}` {why}; its text is used as it is")
        return text
