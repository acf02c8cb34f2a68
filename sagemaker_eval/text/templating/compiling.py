"""From a template's source to something that renders, with all that can be found wrong before rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jinja2 import TemplateSyntaxError, meta, nodes

from sagemaker_eval.model import Json
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.templating.bounds import join
from sagemaker_eval.text.templating.environment import NunjucksEnvironment
from sagemaker_eval.text.templating.faults import render_error, syntax_message
from sagemaker_eval.text.templating.literals import RegexLiteral
from sagemaker_eval.text.templating.rules import follow_javascript, without_hiding

_SPECIAL_NAMES = frozenset({"caller", "kwargs", "loop", "self", "super", "varargs"})
"""Names that mean something to Jinja2 whatever the variables hold."""

_RAW_HINT = "write `{% raw %}` and `{% endraw %}` around text that is not meant as a template"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a template. `line` counts the template's own lines from 1."""

    message: str
    line: int
    hint: str | None = None


class UnreadableTemplate(Exception):
    """The source is no template that could ever be rendered."""

    def __init__(self, flaws: list[Flaw]) -> None:
        super().__init__(flaws[0].message)
        self.flaws = flaws


class TextTemplate:
    """A compiled template. Raises `UnreadableTemplate` for a source that cannot be compiled."""

    def __init__(self, source: str, environment: NunjucksEnvironment) -> None:
        self.source = source
        self._environment = environment
        try:
            self._template = environment.from_string(_read(source, environment))
        except TemplateSyntaxError as error:
            hint = error.hint if isinstance(error, RegexLiteral) else _RAW_HINT
            raise UnreadableTemplate([Flaw(syntax_message(error), error.lineno, hint)]) from error
        except (RecursionError, MemoryError, SyntaxError, ValueError) as error:
            # what Python's own compiler says of code beyond its limits
            raise UnreadableTemplate([Flaw("the template is nested too deeply or too long", 1)]) from error
        # Each rendering copies these; the chain of mappings that they come as is slow to copy.
        self._template.globals = dict(self._template.globals)
        self._plain = _plain_parts(environment.parse(source))

    def render(self, vars: Mapping[str, Json]) -> str:
        """The text for `vars`. Raises `RenderError`."""
        if self._plain is not None and (text := _joined(self._plain, vars)) is not None:
            return text
        template = self._template
        self._environment.spent = 0
        try:
            return join(template.root_render_func(template.new_context(vars)))  # type: ignore[arg-type]
        except Exception as error:
            raise render_error(error, template, self.source) from error

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables it takes from outside, globals such as `env` left out."""
        tree = self._environment.parse(self.source)
        follow_javascript(tree)
        return frozenset(meta.find_undeclared_variables(tree)) - self._environment.globals.keys()


@dataclass(frozen=True, slots=True)
class _Name:
    """`{{ name }}` and nothing more."""

    name: str


def _plain_parts(tree: nodes.Template) -> tuple[str | _Name, ...] | None:
    """The parts of a template that consists of text and plain `{{ name }}` alone, which most prompts do."""
    parts: list[str | _Name] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                parts.append(without_hiding(node.data))
            elif isinstance(node, nodes.Name) and node.name not in _SPECIAL_NAMES:
                parts.append(_Name(node.name))
            else:
                return None
    return tuple(parts)


def _joined(parts: tuple[str | _Name, ...], vars: Mapping[str, Json]) -> str | None:
    """The text, where every variable is a text itself; None where printing one takes more than that."""
    texts = []
    for part in parts:
        text = part if isinstance(part, str) else vars.get(part.name)
        if type(text) is not str:
            return None
        texts.append(text)
    return "".join(texts)


def _read(source: str, environment: NunjucksEnvironment) -> nodes.Template:
    tree = environment.parse(source)
    flaws = _flaws(tree, environment)
    if flaws:
        raise UnreadableTemplate(flaws)
    return tree


def _flaws(tree: nodes.Template, environment: NunjucksEnvironment) -> list[Flaw]:
    flaws: list[Flaw] = []
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        what = "filter" if isinstance(node, nodes.Filter) else "test"
        known = environment.filters if isinstance(node, nodes.Filter) else environment.tests
        if node.name not in known:
            nearest = nearest_name(node.name, [name for name in known if name.isidentifier()])
            hint = f"did you mean `{nearest}`?" if nearest else None
            flaws.append(Flaw(f"unknown {what} `{node.name}` in a template", node.lineno, hint))
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        tag = "from" if isinstance(other, nodes.FromImport) else type(other).__name__.lower()
        flaws.append(Flaw(f"`{tag}` has no other template to take", other.lineno, "write the text in this template"))
    return sorted(flaws, key=lambda flaw: flaw.line)
