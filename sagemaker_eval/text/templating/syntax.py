"""The spellings that nunjucks knows and Jinja2 does not: `===`, `elseif`, `verbatim`, `asyncEach`, `switch`.

Carriage returns are kept as nunjucks keeps them; Jinja2's lexer would make each line end a single newline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from sagemaker_eval.text.templating.rules import StrictOperator, hide_returns

_VERBATIM = re.compile(r"({%[-+]?\s*)(end)?verbatim(\s*[-+]?%})")

_TAG = re.compile(r"\{[{%#].*?(?:-[}%#]\}\s*|[}%#]\})", re.DOTALL)
_TAGS = {
    "elseif": "elif",
    "asyncEach": "for",
    "asyncAll": "for",
    "endeach": "endfor",
    "endall": "endfor",
    "ifAsync": "if",
}


class NunjucksSyntax(Extension):
    """Reads nunjucks' own tags and operators as Jinja2's."""

    tags = {"switch"}  # noqa: RUF012 - the type that Extension declares

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if "verbatim" in source:
            source = _VERBATIM.sub(r"\1\2raw\3", source)
        return _hide_returns(source)

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """Renames tags, and joins `==` and the `=` right after it to one strict operator."""
        before = ""
        merged = False
        for token, following in pairwise([*stream, None]):
            if token is None or merged:
                merged = False
                continue
            if before == "block_begin" and token.type == "name":
                token = Token(token.lineno, "name", _TAGS.get(token.value, token.value))
            elif token.type in ("eq", "ne") and following is not None and following.type == "assign":
                merged = True
                token = Token(token.lineno, StrictOperator(token.type), token.value + "=")
            before = token.type
            yield token

    def parse(self, parser: Parser) -> nodes.Node:
        """`switch` as a chain of strict comparisons; a case without a body shares that of the next one."""
        lineno = next(parser.stream).lineno
        subject = parser.parse_expression()
        parser.parse_statements(("name:case", "name:default", "name:endswitch"))
        branches: list[nodes.If] = []
        shared: list[nodes.Expr] = []
        otherwise: list[nodes.Node] = []
        while not parser.stream.current.test("name:endswitch"):
            is_case = next(parser.stream).value == "case"
            test = _identical(subject, parser.parse_expression()) if is_case else None
            body = parser.parse_statements(("name:case", "name:default", "name:endswitch"))
            if test is None:
                otherwise = body
            elif not body:
                shared.append(test)
            else:
                branches.append(nodes.If(_any([*shared, test]), body, [], [], lineno=lineno))
                shared = []
        parser.stream.expect("name:endswitch")
        if not branches:
            return nodes.Scope(otherwise, lineno=lineno)
        return nodes.If(branches[0].test, branches[0].body, branches[1:], otherwise, lineno=lineno)


def _hide_returns(source: str) -> str:
    """`source` with its carriage returns hidden, those inside tags and next to trimming ones excepted."""
    if hide_returns(source) == source:
        return source
    parts: list[str] = []
    end = 0
    for tag in _TAG.finditer(source, 0, _end_of_tags(source)):
        text = source[end : tag.start()]
        kept = text.rstrip() if tag[0][2] == "-" else text
        parts += (hide_returns(kept), text[len(kept) :], tag[0])
        end = tag.end()
    return "".join((*parts, hide_returns(source[end:])))


def _end_of_tags(source: str) -> int:
    """Where the last tag that is closed can end. Behind it, each of many openings would be sought an end in vain."""
    closed = max(source.rfind(mark) for mark in ("}}", "%}", "#}")) + 2
    return len(source) - len(source[closed:].lstrip()) if closed > 1 else 0


def _identical(subject: nodes.Expr, case: nodes.Expr) -> nodes.Expr:
    return nodes.Compare(subject, [nodes.Operand(StrictOperator("eq"), case)], lineno=case.lineno)


def _any(tests: list[nodes.Expr]) -> nodes.Expr:
    first, *others = tests
    for other in others:
        first = nodes.Or(first, other, lineno=other.lineno)
    return first
