"""Literals as nunjucks reads them: `True` is a name like any other, `'\\u00e9'` has no escape, `r/x/` is a regex."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import Lexer, Token
from jinja2.parser import Parser

_PYTHON_WORDS = ("True", "False", "None")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class RegexLiteral(TemplateSyntaxError):
    """A regular expression, which nunjucks can read and this engine cannot."""

    hint = "use `in`, `startsWith`, `replace` and the like, or a filter of your own in JavaScript (`nunjucksFilters`)"


class NunjucksLexer(Lexer):
    """Reads the texts in quotes of templates by nunjucks' rules. Raises `RegexLiteral`."""

    def wrap(
        self, stream: Iterable[tuple[int, str, str]], name: str | None = None, filename: str | None = None
    ) -> Iterator[Token]:
        return super().wrap(_translated(stream), name, filename)


class NunjucksParser(Parser):
    """Knows `true`, `false` and `none`, as nunjucks does, and takes Python's words for names of variables."""

    def parse_primary(self, with_namespace: bool = False) -> nodes.Expr:
        token = self.stream.current
        if token.type == "name" and token.value in _PYTHON_WORDS:
            next(self.stream)
            return nodes.Name(token.value, "load", lineno=token.lineno)
        return super().parse_primary(with_namespace)


def _translated(stream: Iterable[tuple[int, str, str]]) -> Iterator[tuple[int, str, str]]:
    """The raw tokens, with texts in quotes spelled as Jinja2 has to see them."""
    before = ""
    for lineno, kind, value in stream:
        if before == "r" and value == "/":
            raise RegexLiteral("regular expressions such as `r/.../` cannot be used in templates", lineno)
        before = value if kind == "name" else ""
        yield lineno, kind, _python_text(value) if kind == "string" else value


def _python_text(literal: str) -> str:
    """The literal for Python that means what `literal` means to nunjucks, which drops other backslashes."""
    text = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), literal[1:-1])
    return f"{literal[0]}{text.encode('unicode_escape').decode()}{literal[0]}"
