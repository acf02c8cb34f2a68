"""How a browser reads HTML (WHATWG's tree construction), as far as it decides which elements a text has and which text
stands in none of them.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from sagemaker_eval.assertions.html_elements import (
    BLOCKS,
    CLOSES_P,
    FORMATTING,
    FOSTERING,
    HEAD,
    HEADINGS,
    RAW,
    SCOPE_ENDS,
    SPECIAL,
    TABLE_PARTS,
    VOID,
)
from sagemaker_eval.assertions.values import WHITE_SPACE

_TOKEN = re.compile(
    r"""
    <!--(?:-?>|.*?--!?>|.*+)
    | <[!?][^>]*+(?:>|\Z) | </(?![a-zA-Z])[^>]*+(?:>|\Z)
    | <(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*+)
      (?P<rest>(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*(?:"|\Z)|'[^']*(?:'|\Z)|[^\s"'>][^\s>]*+)?+)?+)*+)
      (?P<end>>|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)

_AFTER_HEAD, _IN_BODY = 2, 3
_WRAPPERS = {"html": 1, "head": _AFTER_HEAD, "body": _IN_BODY, "frameset": _IN_BODY}
"""The elements that a browser adds where they are not written, and how far the document is once they have begun."""


_MAX_DEPTH = 512
"""Browsers nest no deeper; what stands further inside is read as if it stood beside."""
_MAX_ALIKE = 3
"""Elements of one name whose formatting goes on, by the standard's Noah's Ark clause."""


@dataclass(eq=False, slots=True)
class _Node:
    name: str


@dataclass(slots=True)
class HtmlTree:
    """What a text is made of once it is read as HTML.

    `elements` are the names of the elements that the text itself begins; `stray_text` tells whether text other than
    blanks stands directly in the body, `body_written` whether the text has a `<body>`.
    """

    elements: set[str] = field(default_factory=set)
    stray_text: bool = False
    body_written: bool = False
    _stage: int = 0
    _stack: list[_Node] = field(default_factory=list)
    _formatting: list[_Node] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """Text, with its character references, where the tree has come to."""
        text = html.unescape(text).strip("\0\t\n\f\r ")
        if text:
            self._stage = _IN_BODY
        if not text.strip(WHITE_SPACE):
            return
        inside = self._foster_parent() if self._stack and self._stack[-1].name in FOSTERING else self._stack
        if inside is self._stack:
            self._reopen_formatting()
        if not inside and not self._formatting:
            self.stray_text = True

    def _foster_parent(self) -> list[_Node]:
        """What is open around the innermost table: text directly in a table is moved to before it."""
        return self._stack[: self._last("table")]

    def start(self, name: str, closed: bool) -> None:
        """A start tag; `closed` where it ends with a slash, which means something in SVG and MathML only."""
        if name in _WRAPPERS:
            self._start_wrapper(name)
        elif name in TABLE_PARTS:
            self._start_table_part(name)
        elif name != "frame":
            self._stage = max(self._stage, _AFTER_HEAD if name in HEAD else _IN_BODY)
            self._make_room(name)
            self.elements.add("img" if name == "image" else name)
            if name not in VOID and name not in RAW and not (closed and self._is_foreign(name)):
                self._push(name)

    def _start_wrapper(self, name: str) -> None:
        """A tag that counts only while what it stands for has not begun by itself."""
        if self._stage < _WRAPPERS[name]:
            self._stage = _WRAPPERS[name]
            self.elements.add(name)
            self.body_written = self.body_written or name == "body"

    def _start_table_part(self, name: str) -> None:
        """A part of a table; outside of one it is dropped. Rows and bodies that it needs come by themselves."""
        self._stage = _IN_BODY
        context = TABLE_PARTS[name]
        if self._last("table") < 0 or "template" in self._names_above("table"):
            if self._last("template") < 0:
                return
            self._push(name)
        else:
            while self._stack[-1].name not in context:
                self._pop()
            if name in ("td", "th", "tr") and self._stack[-1].name == "table":
                self._push("tbody")
            if name in ("td", "th") and self._stack[-1].name != "tr":
                self._push("tr")
            if name != "col":
                self._push(name)
        self.elements.add(name)

    def _make_room(self, name: str) -> None:
        """Closes what cannot stay open around an element of this name, and opens again what goes on inside."""
        if name in CLOSES_P and self._in_scope("p", ("button",)):
            self._pop_through("p")
        innermost = self._stack[-1].name if self._stack else ""
        if name in HEADINGS and innermost in HEADINGS:
            self._pop()
        elif name == "table" and innermost in FOSTERING:
            self._pop_through("table")
        elif name == "li":
            self._close_item(("li",))
        elif name in ("dd", "dt"):
            self._close_item(("dd", "dt"))
        elif name in ("option", "optgroup") and innermost == "option":
            self._pop()
        elif name == "button" and self._in_scope("button"):
            self._pop_through("button")
        elif name in ("a", "nobr") and any(node.name == name for node in self._formatting):
            self._end_formatting(name)
        if name not in CLOSES_P and name not in HEAD and name != "table":
            self._reopen_formatting()

    def _close_item(self, names: tuple[str, ...]) -> None:
        for node in reversed(self._stack):
            if node.name in names:
                self._pop_through(node.name)
                return
            if node.name in SPECIAL and node.name not in ("address", "div", "p"):
                return

    def _push(self, name: str) -> None:
        if len(self._stack) >= _MAX_DEPTH:
            return
        node = _Node(name)
        self._stack.append(node)
        if name in FORMATTING:
            alike = [one for one in self._formatting if one.name == name]
            if len(alike) >= _MAX_ALIKE:
                self._formatting.remove(alike[0])
            self._formatting.append(node)

    def _pop(self) -> None:
        """Closes the innermost element; formatting that was begun inside a cell ends with it."""
        node = self._stack.pop()
        if node.name in ("td", "th", "caption"):
            self._formatting = [one for one in self._formatting if one in self._stack]

    def _pop_through(self, name: str) -> None:
        while self._stack:
            last = self._stack[-1].name
            self._pop()
            if last == name:
                return

    def _reopen_formatting(self) -> None:
        """Formatting goes on in the next text where only a block around it was closed: `<p><b>x</p>y`."""
        self._stack += [node for node in self._formatting if node not in self._stack]

    def end(self, name: str) -> None:
        """An end tag."""
        if name in _WRAPPERS or name == "br":
            self._stage = max(self._stage, _AFTER_HEAD if name == "head" else _IN_BODY)
        if name == "br" or (name == "p" and self._stage == _IN_BODY and not self._in_scope("p", ("button",))):
            self.elements.add(name)
        elif name in HEADINGS:
            self._end_heading()
        elif name in FORMATTING:
            self._end_formatting(name)
        elif name in BLOCKS or name in SCOPE_ENDS or name in ("p", "li", "dd", "dt", "button"):
            if self._in_scope(name, ("button",) if name == "p" else ("ol", "ul") if name == "li" else ()):
                self._pop_through(name)
        elif name in TABLE_PARTS:
            if name in self._names_above("table"):
                self._pop_through(name)
        else:
            self._end_other(name)

    def _end_heading(self) -> None:
        for node in reversed(self._stack):
            if node.name in HEADINGS:
                self._pop_through(node.name)
                return
            if node.name in SCOPE_ENDS:
                return

    def _end_formatting(self, name: str) -> None:
        """The end of formatting: around a block that is still open, only the formatting itself goes."""
        node = next((node for node in reversed(self._formatting) if node.name == name), None)
        if node is None:
            self._end_other(name)
            return
        if node in self._stack:
            above = self._stack[self._stack.index(node) + 1 :]
            if any(one.name in SCOPE_ENDS for one in above):
                return
            if any(one.name in SPECIAL for one in above):
                self._stack.remove(node)
            else:
                del self._stack[self._stack.index(node) :]
        self._formatting.remove(node)

    def _end_other(self, name: str) -> None:
        for node in reversed(self._stack):
            if node.name == name:
                self._pop_through(name)
                return
            if node.name in SPECIAL:
                return

    def _is_foreign(self, name: str) -> bool:
        return name in ("svg", "math") or self._last("svg") >= 0 or self._last("math") >= 0

    def _in_scope(self, name: str, more_ends: tuple[str, ...] = ()) -> bool:
        for node in reversed(self._stack):
            if node.name == name:
                return True
            if node.name in SCOPE_ENDS or node.name in more_ends:
                return False
        return False

    def _last(self, name: str) -> int:
        """Where the innermost open element of this name is in the stack, -1 where there is none."""
        return next((at for at in range(len(self._stack) - 1, -1, -1) if self._stack[at].name == name), -1)

    def _names_above(self, name: str) -> list[str]:
        return [node.name for node in self._stack[self._last(name) + 1 :]]


def read_html(text: str) -> HtmlTree:
    """A text as a browser reads it."""
    tree = HtmlTree()
    position = 0
    while (start := text.find("<", position)) >= 0:
        token = _TOKEN.match(text, start)
        if token is None:
            tree.add_text(text[position : start + 1])
            position = start + 1
            continue
        tree.add_text(text[position:start])
        position = token.end()
        if token["name"] is None or not token["end"]:
            continue
        name = token["name"].lower()
        if token["close"]:
            tree.end(name)
        else:
            tree.start(name, token["rest"].endswith("/"))
            if name in RAW:
                position = _raw_end(text, name, position)
    tree.add_text(text[position:])
    return tree


def _raw_end(text: str, name: str, start: int) -> int:
    """Where the content of an element that holds no markup ends: behind its end tag, or with the text."""
    if name == "plaintext":
        return len(text)
    found = re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE).search(text, start)
    return found.end() if found else len(text)
