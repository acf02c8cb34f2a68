"""`{% set %}` inside a loop by nunjucks' rules: it changes the variable of that name that was set outside, and what is
set only inside keeps its value from one round to the next.

Jinja2 would make a new variable for each round. So the variables concerned become attributes of one shared object: made
at the top of the scope that they belong to (the template, a macro or a call block), or right before their loop.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes
from jinja2.meta import TrackingCodeGenerator
from jinja2.visitor import NodeTransformer

SHARED = "shared variables"
"""The filter that makes the shared object from a dict. The space keeps it out of reach of templates."""

_Scope = nodes.Template | nodes.Macro | nodes.CallBlock


def share_loop_variables(template: nodes.Template) -> None:
    """Rewrite a template, and the macros and call blocks in it, in place."""
    scopes: list[nodes.Node] = [*template.find_all((nodes.Macro, nodes.CallBlock)), template]
    for number, scope in enumerate(scopes):
        assert isinstance(scope, _Scope)
        names = _shared_names(scope)
        if names:
            _share(scope, names, f"__shared{number}__")
    _Rounds(template).visit(template)


def _share(scope: _Scope, names: frozenset[str], holder: str) -> None:
    sharing = _Sharing(names, holder)
    scope.body = [sharing.visit(statement) for statement in scope.body]
    scope.body.insert(0, _making(holder, names, scope.lineno or 1))


def _making(holder: str, names: frozenset[str], lineno: int) -> nodes.Node:
    """The statement that makes the shared object of `names`, with the values that they have there."""
    pairs = [nodes.Pair(nodes.Const(name), nodes.Name(name, "load")) for name in sorted(names)]
    start = nodes.Filter(nodes.Dict(pairs), SHARED, [], [], None, None)
    return nodes.Assign(nodes.Name(holder, "store"), start).set_lineno(lineno)


def _shared_names(scope: _Scope) -> frozenset[str]:
    """What is set both inside a loop and outside of all loops."""
    return _both_levels(_settings_of(scope.body, frozenset()))


def _both_levels(places: dict[str, set[tuple[int, ...]]]) -> frozenset[str]:
    return frozenset(name for name, paths in places.items() if () in paths and len(paths) > 1)


def _settings_of(body: list[nodes.Node], own: frozenset[str]) -> dict[str, set[tuple[int, ...]]]:
    """Each name that statements set, with the loops around each place where they do."""
    places: dict[str, set[tuple[int, ...]]] = {}
    for statement in body:
        for name, loops in _settings(statement, (), own):
            places.setdefault(name, set()).add(loops)
    return places


def _settings(node: nodes.Node, loops: tuple[int, ...], own: frozenset[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each name that a `set` sets, with the ids of the loops around it; `own` are the variables of those loops."""
    if isinstance(node, nodes.Macro | nodes.CallBlock):
        return
    if isinstance(node, nodes.Assign | nodes.AssignBlock):
        yield from ((name, loops) for name in _stored(node.target) - own)
    if isinstance(node, nodes.For):
        loops = (*loops, id(node))
        own |= _stored(node.target)
    for child in node.iter_child_nodes():
        yield from _settings(child, loops, own)


def _stored(node: nodes.Node) -> frozenset[str]:
    names = [node] if isinstance(node, nodes.Name) else node.find_all(nodes.Name)
    return frozenset(name.name for name in names if name.ctx in ("store", "param"))


class _Sharing(NodeTransformer):
    """Turns the variables `names` into attributes of the variable `holder`, wherever nothing else hides them."""

    def __init__(self, names: frozenset[str], holder: str) -> None:
        self._names = names
        self._holder = holder

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        if node.name not in self._names:
            return node
        if node.ctx == "store":
            return nodes.NSRef(self._holder, node.name, lineno=node.lineno)
        holder = nodes.Name(self._holder, "load", lineno=node.lineno)
        return nodes.Getattr(holder, node.name, "load", lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        inside = self._without(_stored(node.target))
        node.iter = self.visit(node.iter)
        node.test = node.test and inside.visit(node.test)
        node.body = [inside.visit(statement) for statement in node.body]
        node.else_ = [self.visit(statement) for statement in node.else_]
        return node

    def visit_With(self, node: nodes.With) -> nodes.Node:
        inside = self._without(frozenset().union(*map(_stored, node.targets)))
        node.values = [self.visit(value) for value in node.values]
        node.body = [inside.visit(statement) for statement in node.body]
        return node

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:
        inside = self._without(_stored(node))
        node.defaults = [inside.visit(default) for default in node.defaults]
        node.body = [inside.visit(statement) for statement in node.body]
        return node

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:
        node.call = self.visit(node.call)
        inside = self._without(frozenset().union(*map(_stored, (*node.args, *node.body))))
        node.body = [inside.visit(statement) for statement in node.body]
        return node

    def _without(self, hidden: frozenset[str]) -> _Sharing:
        return _Sharing(self._names - hidden, self._holder)


class _Rounds(NodeTransformer):
    """Puts before each loop the shared object of what it sets and reads again in a later round."""

    def __init__(self, template: nodes.Template) -> None:
        self._template = template
        self._count = 0

    def visit_For(self, node: nodes.For) -> nodes.Node:
        names = frozenset() if node.recursive else self._kept(node)
        if not names:
            return self.generic_visit(node)
        self._count += 1
        holder = f"__rounds{self._count}__"
        sharing = _Sharing(names, holder)
        node.body = [sharing.visit(statement) for statement in node.body]
        self.generic_visit(node)
        lineno = node.lineno or 1
        return nodes.Scope([_making(holder, names, lineno), node], lineno=lineno)

    def _kept(self, node: nodes.For) -> frozenset[str]:
        places = _settings_of(node.body, _stored(node.target))
        inside = frozenset(name for name, paths in places.items() if () in paths)
        if not inside:
            return inside
        return inside & (self._read_first(node.body) | _both_levels(places))

    def _read_first(self, body: list[nodes.Node]) -> frozenset[str]:
        """The names that statements read before they set them, or without setting them."""
        assert self._template.environment is not None
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(self._template.environment)
        tracking = TrackingCodeGenerator(self._template.environment)
        tracking.optimizer = None  # which would compute constants by Python's rules, in the tree itself
        tracking.visit(tree)
        return frozenset(tracking.undeclared_identifiers)
