"""Prompts out of files: what each ending holds, and what its prompts are called."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sagemaker_eval.config.csv_tests import csv_delimiter
from sagemaker_eval.config.nested_files import with_files
from sagemaker_eval.config.prompt_paths import SCRIPTS, prompt_paths
from sagemaker_eval.config.prompt_tables import labels, read_table
from sagemaker_eval.config.references import PREFIX, display_path, split_function
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place, UserCode
from sagemaker_eval.text.templating.javascript_values import to_json

_LINE_END = re.compile(r"\r?\n")


@dataclass(frozen=True, slots=True)
class PromptReading:
    """How prompt files are read. `separator` stands between the prompts of a text file, `delimiter` is that of CSV."""

    base_path: str
    notice: Callable[[str], None]
    separator: str = "---"
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class FilePrompt:
    """One prompt of a file. `where` is where its text begins, `whole_file` whether its lines are lines of the file."""

    raw: str
    label: str
    where: Place
    whole_file: bool = False
    function: UserCode | None = None


@dataclass(frozen=True, slots=True)
class _File:
    """A prompt file on its way; `label` is the user's, and of several files of one entry each adds its own path."""

    path: str
    reading: PromptReading
    label: str | None
    several: bool

    @property
    def shown(self) -> str:
        return display_path(self.path)

    @property
    def own_label(self) -> str | None:
        return f"{self.label}: {self.shown}" if self.label is not None and self.several else self.label


def load_prompts(reference: str, label: str | None, reading: PromptReading, where: Place) -> list[FilePrompt]:
    """The prompts of a file, folder or glob, in the order of the files' names; a script is one function.

    `label` is what the user calls them. Raises `ConfigError`, also where there is none.
    """
    path, function = split_function(reference)
    paths = prompt_paths(path, reading.base_path, where, reading.notice)
    prompts: list[FilePrompt] = []
    for found in paths:
        file = _File(found, reading, label, several=len(paths) > 1)
        if found.lower().endswith(SCRIPTS):
            prompts.append(_function_prompt(file, function, where))
        else:
            prompts += _LOADERS[Path(found).suffix.lower()](file, read_text(found))
    if not prompts:
        raise ConfigError.of(f"there is no prompt in `{reference}`", where)
    return prompts


def _function_prompt(file: _File, function: str | None, where: Place) -> FilePrompt:
    """A prompt that code makes for each case. Its text, for documents, is that of the script."""
    text = read_text(file.path)
    suffix = f":{function}" if function else ""
    label = file.own_label
    if label is None:
        is_program = not function and file.path.lower().endswith(".py")
        label = f"{file.shown}: {text}" if is_program else f"{file.shown}{suffix}"
    base_path = file.reading.base_path
    relative = os.path.relpath(file.path, base_path or ".").replace(os.sep, "/")
    return FilePrompt(text, label, where, function=UserCode(f"{PREFIX}{relative}{suffix}", base_path, where))


def _text_prompts(file: _File, text: str) -> Iterator[FilePrompt]:
    """What stands between lines that hold nothing but the separator, each part trimmed."""
    part: list[str] = []
    separator = file.reading.separator
    for number, line in enumerate([*_LINE_END.split(text), separator], start=1):
        if line.strip() != separator:
            part.append(line)
            continue
        written = "\n".join(part)
        if raw := written.strip():
            blank = written[: len(written) - len(written.lstrip())].count("\n")
            label = f"{file.shown}: {raw}" if file.label is None else f"{file.label}: {file.shown}: {raw}"
            yield FilePrompt(raw, label, Place(file.path, number - len(part) + blank), whole_file=True)
        part = []


def _whole_text(file: _File, text: str) -> Iterator[FilePrompt]:
    if text.strip():
        label = file.own_label or f"{file.shown}: {text[:50]}..."
        yield FilePrompt(text, label, Place(file.path, 1), whole_file=True)


def _json_prompt(file: _File, text: str) -> Iterator[FilePrompt]:
    """The document as compact JSON; a text that is no JSON before its templates are rendered stays as it is."""
    if not text.strip():
        return
    where = Place(file.path)
    try:
        document = parse_json(text, file.path)
    except ConfigError as error:
        file.reading.notice(f"{error.problems[0]}: the prompt is sent as plain text, so values in it are not escaped")
        yield FilePrompt(text, file.own_label or f"{file.shown}: {text}", Place(file.path, 1), whole_file=True)
    else:
        raw = to_json(with_files(document, file.reading.base_path, where))
        yield FilePrompt(raw, file.own_label or f"{file.shown}: {raw}", where)


def _yaml_prompt(file: _File, text: str) -> Iterator[FilePrompt]:
    """The document as compact JSON."""
    where = Place(file.path)
    document = parse_yaml(text, file.path)
    if document is not None:
        raw = to_json(with_files(document, file.reading.base_path, where))
        yield FilePrompt(raw, file.own_label or f"{file.shown}: {raw[:80]}", where)


def _line_prompts(file: _File, text: str) -> Iterator[FilePrompt]:
    lines = [(number, line) for number, line in enumerate(_LINE_END.split(text), start=1) if line.strip()]
    called = file.own_label or file.shown
    for number, line in lines:
        label = f"{called}: {line}" if len(lines) > 1 else called
        yield FilePrompt(line, label, Place(file.path, number), whole_file=True)


def _table_prompts(file: _File, text: str) -> Iterator[FilePrompt]:
    delimiter = csv_delimiter(file.reading.delimiter, Place("PROMPTFOO_CSV_DELIMITER"))
    table = read_table(text, file.path, delimiter)
    for prompt, label in zip(table, labels(table, file.own_label), strict=True):
        yield FilePrompt(prompt.raw, label, Place(file.path, prompt.line), whole_file=True)


_LOADERS: dict[str, Callable[[_File, str], Iterator[FilePrompt]]] = {
    ".txt": _text_prompts,
    ".md": _whole_text,
    ".j2": _whole_text,
    ".json": _json_prompt,
    ".yaml": _yaml_prompt,
    ".yml": _yaml_prompt,
    ".jsonl": _line_prompts,
    ".csv": _table_prompts,
}
