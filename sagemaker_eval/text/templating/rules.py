"""Compiles Jinja2's syntax tree by JavaScript's rules of truth, comparison, iteration and concatenation.

Operators become tests and filters of `NunjucksEnvironment`, which generated code calls as plain functions.
"""

from __future__ import annotations

import math

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer

from sagemaker_eval.text.templating.scopes import share_loop_variables

LOOP_OVER = "loop over"
"""The filter that stands before what a `for` iterates. The space keeps it out of reach of templates."""

_HIDING = "\ufdd0"
"""Stands before what the lexer must not see as a line end; Unicode keeps this code point for internal use."""

_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "in"}


def hide_returns(text: str) -> str:
    """Literal text with its carriage returns out of the lexer's sight; `JavaScriptRules` brings them back."""
    return text.replace(_HIDING, f"{_HIDING}0").replace("\r", f"{_HIDING}1")


def without_hiding(text: str) -> str:
    """The text as it was written, with its carriage returns."""
    return text.replace(f"{_HIDING}1", "\r").replace(f"{_HIDING}0", _HIDING)


class StrictOperator(str):
    """The type of a token `==` or `!=` that was written with one `=` more; the parser cannot tell them apart."""

    __slots__ = ()


class JavaScriptRules(NodeTransformer):
    """Rewrites expressions and statements one by one."""

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Node:
        node.data = without_hiding(node.data)
        return node

    def visit_If(self, node: nodes.If) -> nodes.Node:
        self.generic_visit(node)
        node.test = _truth(node.test)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        self.generic_visit(node)
        node.test = _truth(node.test)
        if node.expr2 is None:
            node.expr2 = nodes.Const(None, lineno=node.lineno)
        return node

    def visit_Not(self, node: nodes.Not) -> nodes.Node:
        self.generic_visit(node)
        node.node = _truth(node.node)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        if node.test is not None:
            node.test = _truth(node.test)
        targets = node.target.items if isinstance(node.target, nodes.Tuple) else []
        names = [nodes.Const(getattr(target, "name", None), lineno=node.lineno) for target in targets]
        node.iter = nodes.Filter(node.iter, LOOP_OVER, names, [], None, None, lineno=node.lineno)
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:
        """A bare name before the colon of an object literal is the key itself."""
        if isinstance(node.key, nodes.Name):
            node.key = nodes.Const(node.key.name, lineno=node.lineno)
        return self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        """`a < b < c` compares the outcome of `a < b` with c, as in JavaScript."""
        self.generic_visit(node)
        left = node.expr
        for operand in node.ops:
            sign = _SIGNS[operand.op] + ("=" if isinstance(operand.op, StrictOperator) else "")
            left = _test(left, sign, [operand.expr])
            if operand.op == "notin":
                left = nodes.Not(left, lineno=node.lineno)
        return left


def follow_javascript(tree: nodes.Template) -> None:
    """Rewrites a template's tree, in place, so that Jinja2 makes of it what nunjucks would."""
    JavaScriptRules().visit(tree)
    share_loop_variables(tree)


def _test(node: nodes.Node, name: str, arguments: list[nodes.Expr]) -> nodes.Test:
    return nodes.Test(node, name, arguments, [], None, None, lineno=node.lineno)


def _truth(node: nodes.Node) -> nodes.Expr:
    return node if isinstance(node, nodes.Test | nodes.Not) else _test(node, "truthy", [])


class JavaScriptCodeGenerator(CodeGenerator):
    """Generates the code of a template that follows `JavaScriptRules`."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        follow_javascript(node)
        super().visit_Template(node, frame)

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:
        """A number beyond doubles is written as one that Python can read."""
        if node.value == math.inf:
            self.write("1e999")
        else:
            super().visit_Const(node, frame)

    def visit_And(self, node: nodes.BinExpr, frame: Frame) -> None:
        self._choose(node, frame, keep_left="not ")

    def visit_Or(self, node: nodes.BinExpr, frame: Frame) -> None:
        self._choose(node, frame, keep_left="")

    def _choose(self, node: nodes.BinExpr, frame: Frame, keep_left: str) -> None:
        """One operand or the other, by the truth of the left one, which is computed once."""
        left = self.temporary_identifier()
        self.write(f"({left} if {keep_left}environment.truthy({left} := ")
        self.visit(node.left, frame)
        self.write(") else ")
        self.visit(node.right, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        """Slices go through the environment, too, which knows what can be cut."""
        if not isinstance(node.arg, nodes.Slice):
            super().visit_Getitem(node, frame)
            return
        self.write("environment.cut(")
        self.visit(node.node, frame)
        for bound in (node.arg.start, node.arg.stop, node.arg.step):
            self.write(", ")
            self.visit(bound or nodes.Const(None), frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self.write("environment.concatenate((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")
