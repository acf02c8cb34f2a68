"""Which prompt strings are paths, and the files that they name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.references import (
    PREFIX,
    display_path,
    expand_glob,
    is_reference,
    resolve,
    split_function,
)
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

TEXTS = (".txt", ".md", ".j2", ".json", ".jsonl", ".yaml", ".yml", ".csv")
SCRIPTS = (".py", ".js", ".cjs", ".mjs")

_TYPESCRIPT = (".ts", ".cts", ".mts")
_PROGRAMS = (".sh", ".bash", ".rb", ".pl", ".bat", ".cmd", ".ps1", ".exe")
_NO_TEXT = (
    *(".pdf", ".docx", ".xlsx", ".xls", ".zip", ".gz"),
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".svg"),
    *(".mp3", ".wav", ".ogg", ".flac", ".m4a", ".mp4", ".webm", ".mov", ".avi", ".mkv"),
)
_MAX_PATH = 1024

PROGRAM_HINT = "write the prompt as a function in Python or JavaScript: `file://prompt.py:create`"
_REFUSALS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (_TYPESCRIPT, "TypeScript is not supported", "compile it to JavaScript, or write the function in Python"),
    (_PROGRAMS, "programs are not run as prompts", PROGRAM_HINT),
    (_NO_TEXT, "a prompt is text", f"put its text into a file that ends in {', '.join(TEXTS[:-1])} or {TEXTS[-1]}"),
)


def is_path(text: str, base_path: str) -> bool:
    """Whether a prompt string is a path rather than text.

    It is where it says `file://`, where it is one word with the ending of a prompt file (of a script also with a
    function after a colon), and where it names a file or folder that exists. What merely contains a slash, a dot or
    a star is text, and so is what has several lines.
    """
    if any(character in text for character in "\n\r\0"):
        return False
    if is_reference(text):
        return True
    if len(text) > _MAX_PATH or "://" in text:
        return False
    if text.endswith("/"):
        return os.path.isdir(os.path.join(base_path, text))
    file = split_function(text)[0]
    if not file.lower().endswith((*TEXTS, *SCRIPTS, *_TYPESCRIPT, *_PROGRAMS, *_NO_TEXT)):
        return False
    one_word = len(text.split()) == 1 and "{{" not in text
    return one_word or bool(expand_glob(file, base_path))


def prompt_paths(reference: str, base_path: str, where: Place, notice: Callable[[str], None]) -> list[str]:
    """The prompt files that a path, a glob or a folder (without its function) means, sorted by name.

    A folder stands for its texts alone: code is run only where it is named. Raises `ConfigError` for what does not
    exist and for files that can never be prompts; `notice` hears what a glob or a folder passes over.
    """
    path = resolve(reference, base_path)
    if os.path.isdir(path):
        every = sorted(str(file) for file in Path(path).iterdir() if file.is_file() and not file.name.startswith("."))
        return _readable(every, TEXTS, reference, where, notice)
    found = [path] if os.path.isfile(path) else expand_glob(reference, base_path)
    if not found:
        raise no_file(reference, base_path, where)
    for file in found:
        _refuse(file, where, alone=found == [path])
    return _readable(found, (*TEXTS, *SCRIPTS), reference, where, notice)


def _refuse(file: str, where: Place, alone: bool) -> None:
    """Raise for a file that promptfoo would run, and for one that is named although it holds no text."""
    ending = Path(file).suffix.lower()
    for endings, reason, hint in _REFUSALS:
        if ending in endings and (alone or endings is not _NO_TEXT):
            raise ConfigError.of(f"`{display_path(file)}` cannot be a prompt: {reason}", where, hint)


def _readable(
    found: list[str], endings: tuple[str, ...], reference: str, where: Place, notice: Callable[[str], None]
) -> list[str]:
    readable = [file for file in found if file.lower().endswith(endings)]
    if not readable:
        hint = f"prompt files end in {', '.join((*TEXTS, *SCRIPTS))}"
        raise ConfigError.of(f"`{reference.removeprefix(PREFIX)}` is no prompt file", where, hint)
    if passed_over := [file for file in found if not file.lower().endswith(endings)]:
        names = ", ".join(f"`{Path(file).name}`" for file in passed_over)
        notice(f"`{reference.removeprefix(PREFIX)}`: {names} passed over: no prompt file")
    return readable
