"""From a template's source to something that renders, with all that can be found wrong before rendering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from jinja2 import TemplateSyntaxError, meta, nodes

from sagemaker_eval.model import Json
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.templating.environment import NunjucksEnvironment
from sagemaker_eval.text.templating.faults import render_error, syntax_message
from sagemaker_eval.text.templating.rules import follow_javascript

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
            raise UnreadableTemplate([Flaw(syntax_message(error), error.lineno, _RAW_HINT)]) from error
        except (RecursionError, MemoryError, SyntaxError, ValueError) as error:
            # what Python's own compiler says of code beyond its limits
            raise UnreadableTemplate([Flaw("the template is nested too deeply or too long", 1)]) from error

    def render(self, vars: Mapping[str, Json]) -> str:
        """The text for `vars`. Raises `RenderError`."""
        template = self._template
        try:
            return "".join(template.root_render_func(template.new_context(vars)))  # type: ignore[arg-type]
        except Exception as error:
            raise render_error(error, template, self.source) from error

    @cached_property
    def variables(self) -> frozenset[str]:
        """The variables it takes from outside, globals such as `env` left out."""
        tree = self._environment.parse(self.source)
        follow_javascript(tree)
        return frozenset(meta.find_undeclared_variables(tree)) - self._environment.globals.keys()


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
