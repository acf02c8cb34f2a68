"""Files of environment variables, `.env`.

`NAME=value` on each line, with or without `export`. Single quotes know the escapes `\\'` and `\\\\`, double quotes
`\\n`, `\\r`, `\\t`, `\\"`, `\\\\` and `\\$`; in both, any other backslash stands for itself, and a value may span
lines. A value without quotes is trimmed and ends before ` #`. A name that stands twice has its last value.
"""

from __future__ import annotations

import re

from sagemaker_eval.config.yaml_loader import read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(?:=|:(?=[ \t]))[ \t]*", re.ASCII)
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE = re.compile(r"(?:(?![ \t]+#)[^\n])*")
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")

_SINGLE_ESCAPE = re.compile(r"\\(['\\])")
_DOUBLE_ESCAPE = re.compile(r"\\([nrt\"\\$])")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def read_env_file(path: str) -> dict[str, str]:
    """The variables of the file. Raises `ConfigError`, with a line, for what is neither variable nor comment."""
    text = read_text(path).replace("\r\n", "\n").replace("\r", "\n")
    variables: dict[str, str] = {}
    offset = 0
    while offset < len(text):
        if blank := _BLANK.match(text, offset):
            offset = blank.end()
            continue
        name, value, offset = _variable(text, offset, path)
        variables[name] = value
    return variables


def _variable(text: str, offset: int, path: str) -> tuple[str, str, int]:
    """Name and value of the variable at `offset`, and where the next line begins."""
    place = Place(path, text.count("\n", 0, offset) + 1)
    name = _NAME.match(text, offset)
    if name is None:
        raise ConfigError.of("this line is neither `NAME=value` nor a comment", place, "comments begin with `#`")
    value, end = _value(text, name.end(), place)
    rest = _REST.match(text, end)
    if rest is None:
        raise ConfigError.of(f"text follows the closing quote of `{name[1]}`", place, "escape quotes inside it by `\\`")
    if "\0" in value:
        raise ConfigError.of(f"the value of `{name[1]}` contains a NUL character", place)
    return name[1], value, rest.end()


def _value(text: str, offset: int, place: Place) -> tuple[str, int]:
    quote = text[offset : offset + 1]
    if quote not in ("'", '"'):
        bare = _BARE.match(text, offset)
        assert bare is not None
        value = "" if bare[0].startswith("#") else bare[0].strip()
        return value, offset + (0 if bare[0].startswith("#") else len(bare[0]))
    quoted = (_SINGLE if quote == "'" else _DOUBLE).match(text, offset)
    if quoted is None:
        raise ConfigError.of(f"the quote {quote} that opens here is never closed", place, "close it")
    if quote == "'":
        return _SINGLE_ESCAPE.sub(r"\1", quoted[1]), quoted.end()
    return _DOUBLE_ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), quoted[1]), quoted.end()
