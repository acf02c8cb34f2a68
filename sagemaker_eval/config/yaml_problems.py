"""What a YAML parser has against a text, in words that help whoever wrote it.

PyYAML has two parsers, libyaml's and its own, which word the same problems a little differently; the table below
looks for what their messages share.
"""

from __future__ import annotations

import re

import yaml

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BARE_TEMPLATE = re.compile(r"(?:^|[:-] )\s*\{\{")
_ESCAPE = re.compile(r"\\(?:u.{0,4}|U.{0,8}|x.{0,2}|.?)")

_MAX_KEY = 1024
"""Where YAML stops to look for the `:` of a key that is not marked by `? `."""

_QUOTE = "put the text in quotes"
_TAB = ("a tab is used for indentation", "indent with spaces; YAML allows no tabs there")
_BACKSLASH = "double the backslash, or use single quotes"

_WORDS: dict[str, tuple[str, str | None]] = {
    "found a tab character": _TAB,
    "mapping values are not allowed": (
        "a `:` stands where no key can end",
        f"mend the indentation of this line, or {_QUOTE} if it contains `: `",
    ),
    "could not find expected ':'": (
        "line {opened} is not a `key: value`: its `:` is missing",
        "add the `:`, or indent the line if it belongs to the text above it",
    ),
    "expected '-' indicator": (
        "this line does not belong to the list that begins on line {opened}",
        "begin it with `- `, or mend its indentation",
    ),
    "expected key": (
        "this does not fit the map that begins on line {opened}",
        f"mend the indentation of this line, or {_QUOTE}",
    ),
    "expected <block end>": (
        "this does not fit what begins on line {opened}",
        f"mend the indentation of this line, or {_QUOTE}",
    ),
    "',' or ']'": (
        "the list that `[` opens on line {opened} is not closed before this",
        f"separate its entries with `,` and close it with `]`, or {_QUOTE}",
    ),
    "',' or '}'": (
        "the map that `{{` opens on line {opened} is not closed before this",
        f"separate its entries with `,` and close it with `}}`, or {_QUOTE}",
    ),
    "unexpected end of stream": (
        "the quote that opens on line {opened} is never closed",
        "close it; inside single quotes a `'` is written `''`",
    ),
    "unknown escape character": ("`{escape}` is not an escape that double quotes know", _BACKSLASH),
    "invalid Unicode character": ("the escape `{escape}` names no character", "write the character itself"),
    "hexdecimal": ("the escape `{escape}` lacks hexadecimal digits", _BACKSLASH),
    "sequence entries are not allowed": (
        "a list entry cannot begin here",
        f"put it on a line of its own below its key, or {_QUOTE} if it begins with `- `",
    ),
    "undefined tag handle": ("this tag is not supported", f"{_QUOTE} if it begins with `!`"),
    "alphabetic or numeric character": (
        "an anchor or alias lacks its name",
        f"{_QUOTE} if it begins with `&` or `*`",
    ),
    "node content": ("a value is missing before `{character}`", None),
}


def explained(error: yaml.YAMLError | UnicodeEncodeError, text: str, path: str) -> ConfigError:
    """The `ConfigError` that says what an error of the YAML parser means, and where."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return _not_printable(text, path)
    mark = error.problem_mark
    lines = re.split(r"\r\n?|\n", text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    message, hint = _words(error, line, mark.column)
    if _BARE_TEMPLATE.search(line):
        hint = "put text that begins with `{{` in quotes"
    return ConfigError.of(message, Place(path, mark.line + 1, mark.column + 1), hint)


def _words(error: yaml.MarkedYAMLError, line: str, column: int) -> tuple[str, str | None]:
    problem = error.problem or "the text is not YAML"
    before = line[:column].rstrip()[-1:]
    if "cannot start any token" in problem:
        return _unstartable(line[column : column + 1])
    if column > _MAX_KEY and ("mapping values" in problem or "expected ':'" in problem):
        return f"a key is longer than {_MAX_KEY} characters", "write `? ` before it and its `: ` on the next line"
    if before in ("'", '"') and ("expected key" in problem or "<block end>" in problem):
        return "text follows a closing quote", "inside single quotes write `''` for `'`, inside double quotes `\\\"`"
    opened = error.context_mark or error.problem_mark
    details = {
        "opened": opened.line + 1 if opened else 1,
        "escape": _escape_at(line, column),
        "character": line[column : column + 1] or "the end",
    }
    for sign, (message, hint) in _WORDS.items():
        if sign in problem:
            return message.format(**details), hint
    return (f"{problem} {error.context}" if error.context else problem), None


def _unstartable(character: str) -> tuple[str, str]:
    return _TAB if character == "\t" else (f"text cannot begin with {_shown(character)}", _QUOTE)


def _shown(character: str) -> str:
    return "a backtick" if character == "`" else f"`{character}`"


def _escape_at(line: str, column: int) -> str:
    match = _ESCAPE.match(line, max(line.rfind("\\", 0, column + 1), 0))
    return match[0] if match else "\\"


def _not_printable(text: str, path: str) -> ConfigError:
    match = _NOT_PRINTABLE.search(text)
    if match is None:
        return ConfigError.of("the text is not YAML", Place(path))
    before = text[: match.start()]
    place = Place(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
    message = f"the control character U+{ord(match[0]):04X} is not allowed in YAML"
    return ConfigError.of(message, place, "remove it, or write it as an escape inside double quotes")
