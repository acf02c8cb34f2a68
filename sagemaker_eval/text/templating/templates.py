"""Templates of prompts, variables and assertion values: Jinja2's engine under nunjucks' rules.

The rules follow promptfoo's rendering: a prompt that is JSON has its texts rendered one by one, so that whatever a
variable holds stays valid JSON; any other prompt is rendered as it stands, and nothing is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import uuid4

from sagemaker_eval.errors import ConfigError, Problem, RenderError
from sagemaker_eval.model import EMPTY, Json, Place, UserCode
from sagemaker_eval.text.templating.compiling import Flaw, TextTemplate, UnreadableTemplate
from sagemaker_eval.text.templating.environment import Notices, NunjucksEnvironment
from sagemaker_eval.text.templating.expansion import expand
from sagemaker_eval.text.templating.javascript_values import to_json
from sagemaker_eval.text.templating.user_filters import add_filters

_MAX_COMPILED = 2_000
_MAX_PROMPTS = 500
_as_json_text = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt ready to be rendered: literal pieces and templates by turns.

    In a JSON prompt each template is one JSON text, and what it renders to is written as such.
    """

    pieces: tuple[str | TextTemplate, ...]
    is_json: bool

    def render(self, vars: Mapping[str, Json]) -> str:
        """The prompt for `vars` (as `Templates.expand` gives them). Raises `RenderError`."""
        if self.is_json:
            return "".join(
                piece if isinstance(piece, str) else _as_json_text(piece.render(vars)) for piece in self.pieces
            )
        return "".join(piece if isinstance(piece, str) else piece.render(vars) for piece in self.pieces)

    @property
    def variables(self) -> frozenset[str]:
        """The variables that it takes from outside."""
        templates = (piece for piece in self.pieces if isinstance(piece, TextTemplate))
        return frozenset().union(*(template.variables for template in templates))


class Templates:
    """The templates of one run. Each distinct source is compiled once.

    `env` is what templates see as `env`; `notice` is told, once, of each variable that is missing and the like;
    `strict` makes it a `RenderError` to print what is not defined. `filters` are the user's own, by name; raises
    `ConfigError` for those that cannot be loaded.
    """

    def __init__(
        self,
        env: Mapping[str, str] = EMPTY,
        notice: Callable[[str], None] = lambda message: None,
        strict: bool = False,
        filters: Mapping[str, UserCode] = EMPTY,
    ) -> None:
        self._environment = NunjucksEnvironment(env, Notices(notice), strict)
        add_filters(self._environment, filters)
        self._compiled = lru_cache(_MAX_COMPILED)(self._compile)
        self._prompts: dict[str, PromptTemplate] = {}

    def check(self, source: str, where: Place | None, *, whole_file: bool = False) -> None:
        """Raise `ConfigError` where `source` cannot be a template: syntax, unknown filters and tests.

        `whole_file` says that `source` is what a file holds from `where.line` (else its first line) on, so that the
        lines of the template are lines of that file.
        """
        if not _has_mark(source):
            return
        try:
            self._compiled(source)
        except UnreadableTemplate as error:
            several = "\n" in source.rstrip("\n")
            problems = [_problem(flaw, where, whole_file, several) for flaw in error.flaws]
            raise ConfigError(problems) from error

    def variables(self, source: str) -> frozenset[str]:
        """The variables that a template takes from outside, `env` and functions left out. Raises `ConfigError`."""
        self.check(source, None)
        return self._compiled(source).variables if _has_mark(source) else frozenset()

    def prompt(self, raw: str, where: Place | None = None, *, whole_file: bool = False) -> PromptTemplate:
        """The template of a prompt. Raises `ConfigError`, placed as `check` places it."""
        known = self._prompts.get(raw)
        if known is None:
            known = self._made(raw, where, whole_file)
            if len(self._prompts) >= _MAX_PROMPTS:
                self._prompts.clear()
            self._prompts[raw] = known
        return known

    def _made(self, raw: str, where: Place | None, whole_file: bool) -> PromptTemplate:
        if (found := _json_parts(raw)) is None:
            self.check(raw, where, whole_file=whole_file)
            return PromptTemplate((self._compiled(raw) if _has_mark(raw) else raw,), is_json=False)
        literals, texts = found
        pieces: list[str | TextTemplate] = [literals[0]]
        for text, literal in zip(texts, literals[1:], strict=True):
            self.check(text, where)
            pieces += (self._compiled(text), literal)
        return PromptTemplate(tuple(pieces), is_json=True)

    def render_value(self, value: Json, vars: Mapping[str, Json]) -> Json:
        """An assertion's value for `vars`: a text, or the texts right inside a list; anything else as it is."""
        if isinstance(value, str):
            return self._rendered(value, vars)
        if isinstance(value, list):
            return [self._rendered(item, vars) if isinstance(item, str) else item for item in value]
        return value

    def expand(self, vars: Mapping[str, Json]) -> dict[str, Json]:
        """The variables of a case as templates and assertions see them: a new dict.

        One trailing newline is off each text, and texts that are templates are rendered, after those that they mention;
        one that mentions an unknown variable, or cannot be read, stays as it is, with a notice. Raises `RenderError`
        naming the variable for a cycle, for growth without bounds and for a template that fails.
        """
        return expand(vars, self._environment, self._compiled)

    def _compile(self, source: str) -> TextTemplate:
        return TextTemplate(source, self._environment)

    def _rendered(self, source: str, vars: Mapping[str, Json]) -> str:
        if not _has_mark(source):
            return source
        try:
            return self._compiled(source).render(vars)
        except UnreadableTemplate as error:
            raise RenderError(error.flaws[0].message, error.flaws[0].hint) from error


def _has_mark(source: str) -> bool:
    return "{{" in source or "{%" in source or "{#" in source


def _json_parts(raw: str) -> tuple[list[str], list[str]] | None:
    """A JSON array, object or text, indented by 2, as its literal parts and the templates between them, else None."""
    if raw.lstrip()[:1] not in ("[", "{", '"'):
        return None
    marker = uuid4().hex
    templates: list[str] = []
    try:
        document = json.loads(raw, parse_constant=_refuse)
        return to_json(_with_templates_out(document, templates, marker), 2).split(f'"{marker}"'), templates
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _with_templates_out(node: Json, templates: list[str], marker: str) -> Json:
    """`node` with `marker` for each text that is a template; those go to `templates`, in document order."""
    if isinstance(node, dict):
        return {key: _with_templates_out(item, templates, marker) for key, item in node.items()}
    if isinstance(node, list):
        return [_with_templates_out(item, templates, marker) for item in node]
    if isinstance(node, str) and _has_mark(node):
        templates.append(node)
        return marker
    return node


def _problem(flaw: Flaw, where: Place | None, whole_file: bool, several_lines: bool) -> Problem:
    if whole_file and where is not None:
        return Problem(flaw.message, replace(where, line=(where.line or 1) + flaw.line - 1, column=None), flaw.hint)
    message = f"{flaw.message} (line {flaw.line} of the template)" if several_lines else flaw.message
    return Problem(message, where, flaw.hint)
