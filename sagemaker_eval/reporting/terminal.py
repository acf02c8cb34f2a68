"""Consoles, and making any text fit to be shown on one: nothing that a model says may steer a terminal."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

PIPED_WIDTH = 120
"""Columns of output that goes to no terminal, unless COLUMNS says otherwise."""

_NARROWEST = 20
_TAB = "    "
_REPLACEMENT = "\ufffd"
_CONTROL_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_C1_CONTROLS = dict.fromkeys(range(0x80, 0xA0), _REPLACEMENT)
_BIDI_CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], _REPLACEMENT)
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), _REPLACEMENT)
_LINE_BREAKS = dict.fromkeys([0x0A, 0x0D, 0x85, 0x2028, 0x2029], "\n")
_VISIBLE: dict[int, int | str] = {
    **_CONTROL_PICTURES,
    **_C1_CONTROLS,
    **_BIDI_CONTROLS,
    **_SURROGATES,
    **_LINE_BREAKS,
    0x09: _TAB,
}


@dataclass(frozen=True, slots=True)
class Marks:
    """The few signs of ours that not every encoding can carry."""

    ellipsis: str
    failure: str


_UNICODE_MARKS = Marks(ellipsis="…", failure="✗")
_ASCII_MARKS = Marks(ellipsis="...", failure="x")


def marks_for(console: Console) -> Marks:
    """The signs that the encoding of this console can carry."""
    return _UNICODE_MARKS if _is_unicode(console.encoding) else _ASCII_MARKS


def console_for(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Console:
    """A console that writes to `stream`: plain text off a terminal or with NO_COLOR, styled text otherwise.

    Output that goes to no terminal is 120 columns wide unless COLUMNS is set. User text is never read as markup.
    """
    terminal = stream.isatty()
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return Console(
        file=stream,
        width=_width(environ, terminal),
        force_terminal=terminal,
        force_jupyter=False,
        color_system="auto" if terminal and not environ.get("NO_COLOR") else None,
        no_color=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def width_of(console: Console) -> int:
    """The columns that a layout may use; never fewer than a verdict needs."""
    return max(console.width, _NARROWEST)


def visible(text: str, console: Console) -> str:
    """`text` with every control character made visible, line breaks kept, in what the console's encoding can carry."""
    if not text.isprintable():
        text = text.replace("\r\n", "\n").translate(_VISIBLE)
    if _is_unicode(console.encoding):
        return text
    return text.encode(console.encoding, "replace").decode(console.encoding)


def cut(text: str, length: int, console: Console) -> str:
    """The first `length` characters of `text`, made visible; a mark at the end says where more followed."""
    if len(text) <= length:
        return visible(text, console)
    return visible(text[:length].rstrip(), console) + marks_for(console).ellipsis


def one_line(text: str, length: int, console: Console) -> str:
    """`text` on a single line, every run of white space shown as one space, cut at `length` characters."""
    return cut(" ".join(text.split()), length, console)


def print_indented(console: Console, text: Text, indent: int = 0, hanging: int = 0) -> None:
    """Print `text` wrapped to the console, moved right by `indent`, continuation lines by `hanging` more."""
    room = max(width_of(console) - indent - hanging, _NARROWEST // 2)
    for number, line in enumerate(text.wrap(console, room, overflow="fold")):
        line.rstrip()
        if line.plain:
            line = Text(" " * (indent + (hanging if number else 0))) + line
        console.print(line, soft_wrap=True)


def _width(environ: Mapping[str, str], terminal: bool) -> int | None:
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    return None if terminal else PIPED_WIDTH


def _is_unicode(encoding: str) -> bool:
    return encoding.lower().startswith("utf")
