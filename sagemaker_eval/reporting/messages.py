"""Errors and notes to the user, on a console of stderr."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from sagemaker_eval.reporting.terminal import visible

_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def print_error(console: Console, message: str, hint: str | None = None, kind: str = "error") -> None:
    """`error: message`, and below it, indented, what to do about it. `kind` is the word before the colon.

    Lines are not wrapped, so that paths and identifiers stay in one piece for whoever copies or greps them.
    """
    _print(console, kind, message, _STYLES.get(kind, "bold"), indent="")
    if hint:
        _print(console, "hint", hint, "bold", indent="  ")


def print_notice(console: Console, message: str) -> None:
    """`note: message`."""
    _print(console, "note", message, _STYLES["note"], indent="")


def _print(console: Console, word: str, message: str, style: str, indent: str) -> None:
    continued = "\n" + indent + "  "
    body = visible(message, console).replace("\n", continued)
    console.print(Text.assemble(indent, (f"{word}:", style), " ", body), soft_wrap=True)
