"""XML as models write it into prose: the elements that are closed again, whatever stands around them.

Nothing is fetched and no entity is expanded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_NAME_START = (
    ":A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = f"[{_NAME_START}][{_NAME_START}\\-.0-9\u00b7\u0300-\u036f\u203f-\u2040]*+"
_MARKUP = re.compile(
    rf"""
    <!--(?:.*?-->|.*+)
    | <!\[CDATA\[(?P<data>.*?)(?:\]\]>|\Z)
    | <\?(?:.*?\?>|.*+)
    | <!(?:"[^"]*"|'[^']*'|[^">'])*+>
    | <(?P<close>/?)(?P<name>{_NAME})(?P<rest>(?:"[^"]*"|'[^']*'|[^<>"'])*+)>
    """,
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(rf"""({_NAME})(?:\s*=\s*(?:"[^"]*"|'[^']*'))?""")


@dataclass(slots=True)
class Element:
    """One element: its children in order, the names of its attributes, and whether text stands directly in it."""

    name: str
    attributes: tuple[str, ...] = ()
    has_text: bool = False
    children: list[Element] = field(default_factory=list)

    def has_path(self, path: Sequence[str]) -> bool:
        """Whether steps down from here lead to something.

        A step is the name of a child, `@_name` for an attribute or `#text`. Where several children have the name, the
        next step is the index of one of them, from 0.
        """
        if not path:
            return True
        step, *rest = path
        named = [child for child in self.children if child.name == step]
        if len(named) > 1 and rest:
            index = _index(rest[0])
            return index is not None and index < len(named) and named[index].has_path(rest[1:])
        if named:
            return named[0].has_path(rest)
        return not rest and self._has_leaf(step)

    def _has_leaf(self, step: str) -> bool:
        if step == "#text":
            return self.has_text and bool(self.children or self.attributes)
        return step.startswith("@_") and step[2:] in self.attributes


@dataclass(slots=True)
class _Open:
    """An element that is not closed yet; `parent` is the one around it that was not closed when it began."""

    element: Element
    parent: _Open | None


def fragments(text: str) -> list[Element]:
    """What of a text is XML: the closed elements that stand in no other, as the children of nameless roots.

    Those that stand side by side share a root, as in a document that may have several.
    """
    roots: dict[int, Element] = {}
    for one in _closed_elements(text):
        roots.setdefault(id(one.parent), Element("")).children.append(one.element)
    return list(roots.values())


def _closed_elements(text: str) -> list[_Open]:
    """The elements that are closed again and whose parents are not."""
    stack: list[_Open] = []
    closed: list[_Open] = []
    written = 0
    for markup in _MARKUP.finditer(text):
        if stack and (text[written : markup.start()].strip() or markup["data"]):
            stack[-1].element.has_text = True
        written = markup.end()
        name = markup["name"]
        if name is None:
            continue
        if markup["close"]:
            _close(name, stack, closed)
        else:
            _open(name, markup["rest"], stack, closed)
    done = {id(one) for one in closed}
    return [one for one in closed if one.parent is None or id(one.parent) not in done]


def _open(name: str, rest: str, stack: list[_Open], closed: list[_Open]) -> None:
    attributes = tuple(found[1] for found in _ATTRIBUTE.finditer(rest))
    opened = _Open(Element(name, attributes), stack[-1] if stack else None)
    if rest.rstrip().endswith("/"):
        _finish(opened, closed)
    else:
        stack.append(opened)


def _close(name: str, stack: list[_Open], closed: list[_Open]) -> None:
    """Closes the innermost element; the end of any other means that what is open is not XML."""
    if stack and stack[-1].element.name == name:
        _finish(stack.pop(), closed)
    else:
        stack.clear()


def _finish(done: _Open, closed: list[_Open]) -> None:
    if done.parent is not None:
        done.parent.element.children.append(done.element)
    closed.append(done)


def _index(step: str) -> int | None:
    return int(step) if step.isascii() and step.isdigit() and (step == "0" or step[0] != "0") else None
