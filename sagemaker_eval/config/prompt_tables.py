"""Prompts from CSV: a table with a column `prompt`, or one prompt on each line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sagemaker_eval.config.explaining import listed
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place
from sagemaker_eval.registry import nearest_name

_LINE_END = re.compile(r"\r?\n|\r")
_PROMPT, _LABEL = "prompt", "label"


@dataclass(frozen=True, slots=True)
class TablePrompt:
    """One prompt; `line` is where its text begins, `label` what a column says that it is called."""

    raw: str
    line: int
    label: str | None = None


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    line: int


def read_table(text: str, path: str, delimiter: str) -> list[TablePrompt]:
    """The prompts of a CSV text, in order; rows without one do not count.

    With a column `prompt` (and perhaps `label`) it is CSV as RFC 4180 has it, spaces around unquoted values off.
    Where `prompt` is the only column, values that do not follow those rules make each line a prompt, as it stands, and
    so does a text of lines with different numbers of columns. Raises `ConfigError` with the line.
    """
    first = next((index for index, line in enumerate(_LINE_END.split(text)) if line.strip()), None)
    if first is None:
        return []
    header = _names(_LINE_END.split(text)[first], delimiter)
    if header == [_PROMPT]:
        return _column(text, path, delimiter, first + 1)
    if _PROMPT in header:
        return _table(_rows(text, path, delimiter), path)
    if len(header) > 1 and (_LABEL in header or nearest_name(_PROMPT, header) or _even(text, path, delimiter)):
        raise _no_column(header, Place(path, first + 1))
    return _lines(text, first)


def labels(prompts: Sequence[TablePrompt], label: str | None) -> list[str]:
    """What the prompts are called, all differently unless their texts are equal; `label` is the user's for the file.

    A column comes first, then the user's label, with the text where there are several, then `Prompt 1 - text`.
    """
    used = {prompt.label: prompt.raw for prompt in reversed(prompts) if prompt.label}
    called: list[str] = []
    for number, prompt in enumerate(prompts, start=1):
        wanted = prompt.label or _label(prompt, number, label, several=len(prompts) > 1)
        called.append(_free(wanted, prompt, number, used))
        used[called[-1]] = prompt.raw
    return called


def _label(prompt: TablePrompt, number: int, label: str | None, several: bool) -> str:
    if label is None:
        return f"Prompt {number} - {prompt.raw}"
    return f"{label}: {prompt.raw}" if several else label


def _free(wanted: str, prompt: TablePrompt, number: int, used: dict[str, str]) -> str:
    """`wanted`, or with the number of its row where that already means another text."""
    called, attempt = wanted, 0
    while used.get(called, prompt.raw) != prompt.raw:
        attempt += 1
        called = f"{wanted} (row {number}{f'.{attempt}' if attempt > 1 else ''})"
    return called


def _column(text: str, path: str, delimiter: str, first: int) -> list[TablePrompt]:
    try:
        rows = list(_rows(text, path, delimiter, trim=delimiter in text))
    except ConfigError:
        return _lines(text, first)
    if any(len(row) != 1 for row in rows):
        return _lines(text, first)
    return _table(iter(rows), path)


def _lines(text: str, skipped: int) -> list[TablePrompt]:
    lines = enumerate(_LINE_END.split(text), start=1)
    return [TablePrompt(line, number) for number, line in lines if line.strip() and number > skipped]


def _table(rows: Iterator[list[_Cell]], path: str) -> list[TablePrompt]:
    header = [cell.text.strip().lower() for cell in next(rows)]
    position = header.index(_PROMPT)
    label = header.index(_LABEL) if _LABEL in header else None
    prompts = []
    for row in rows:
        if len(row) != len(header):
            message = f"the row has {len(row)} column{'s' if len(row) != 1 else ''}, the header has {len(header)}"
            hint = "put values that contain the delimiter in double quotes"
            raise ConfigError.of(message, Place(path, row[0].line), hint)
        if row[position].text:
            called = row[label].text.strip() if label is not None else None
            prompts.append(TablePrompt(row[position].text, row[position].line, called or None))
    return prompts


def _rows(text: str, path: str, delimiter: str, trim: bool = True) -> Iterator[list[_Cell]]:
    """The rows that are not blank.

    The csv module does not tell quoted values from others, and only the latter are to be trimmed.
    """
    fields, position, line = _fields(delimiter), 0, 1
    row: list[_Cell] = []
    while position < len(text) or row:
        match = fields.match(text, position)
        assert match is not None
        quoted, plain = match["quoted"], match["plain"]
        if plain is not None and plain.lstrip().startswith('"'):
            hint = 'a value in double quotes ends with one, and a quote inside it is written `""`'
            raise ConfigError.of("the double quotes of this row cannot be read", Place(path, line), hint)
        value = (plain.strip() if trim else plain) if quoted is None else quoted.replace('""', '"')
        row.append(_Cell(value, line))
        line += len(_LINE_END.findall(match[0]))
        position = match.end()
        if match["end"] != delimiter:
            if any(cell.text.strip() for cell in row):
                yield row
            row = []


def _fields(delimiter: str) -> re.Pattern[str]:
    """One value and what ends it. What begins with a quote but is not closed before its end counts as plain."""
    end = re.escape(delimiter)
    space = rf"(?:(?!{end})[^\S\r\n])*"
    return re.compile(
        rf'(?:{space}"(?P<quoted>(?:[^"]|"")*+)"{space}|(?P<plain>[^{end}\r\n]*))(?P<end>{end}|\r?\n|\r|\Z)'
    )


def _even(text: str, path: str, delimiter: str) -> bool:
    """Whether all rows have as many columns, so that the first is probably a header."""
    try:
        return len({len(row) for row in _rows(text, path, delimiter)}) == 1
    except ConfigError:
        return False


def _names(line: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').strip().lower() for name in line.split(delimiter)]


def _no_column(header: list[str], where: Place) -> ConfigError:
    columns = listed(tuple(header))
    hint = "call the column of the prompts `prompt`; for one prompt on each line, let `prompt` be the first line"
    return ConfigError.of(f"the file has no column `prompt`; its columns are {columns}", where, hint)
