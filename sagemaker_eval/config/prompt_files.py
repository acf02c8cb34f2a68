"""Prompts out of files: which strings are paths, and what each ending holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.references import display_path, expand_glob, is_reference, resolve
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place, compact_json

SUPPORTED = (".txt", ".md", ".j2", ".json", ".yaml", ".yml")
LATER = (
    ".csv",
    ".jsonl",
    ".py",
    ".js",
    ".cjs",
    ".mjs",
    ".ts",
    ".cts",
    ".mts",
    ".sh",
    ".bash",
    ".rb",
    ".pl",
    ".bat",
    ".cmd",
    ".ps1",
    ".exe",
)

_SEPARATOR = "---"
_MAX_PATH = 1024


@dataclass(frozen=True, slots=True)
class FilePrompt:
    """One prompt of a file; `head` is the part of its text that its label shows."""

    path: str
    raw: str
    head: str
    splits: bool
    """Whether files of this ending may hold several prompts."""


def is_path(text: str, base_path: str) -> bool:
    """Whether a prompt string is a path rather than text.

    It is where it says `file://`, where it is one word with the ending of a prompt file, and where it names a file or
    folder that exists. What merely contains a slash, a dot or a star is text.
    """
    if is_reference(text):
        return True
    if len(text) > _MAX_PATH or any(character in text for character in "\n\r\0"):
        return False
    if text.endswith("/"):
        return Path(base_path, text).is_dir()
    if not text.lower().endswith(SUPPORTED + LATER):
        return False
    one_word = len(text.split()) == 1 and "{{" not in text
    return one_word or Path(base_path, text).is_file() or bool(expand_glob(text, base_path))


def load_prompts(reference: str, base_path: str, where: Place) -> list[FilePrompt]:
    """The prompts of the file, folder or glob, in the order of the files' names. Raises `ConfigError`."""
    prompts = [prompt for path in _paths(reference, base_path, where) for prompt in _prompts_in(path)]
    if not prompts:
        raise ConfigError.of(f"there is no prompt in `{reference}`", where)
    return prompts


def _paths(reference: str, base_path: str, where: Place) -> list[str]:
    path = Path(resolve(reference, base_path))
    if path.is_dir():
        found = sorted(str(file) for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    elif path.is_file():
        found = [str(path)]
    else:
        found = expand_glob(reference, base_path)
    if not found:
        raise no_file(reference, base_path, where)
    later = [file for file in found if file.lower().endswith(LATER)]
    if later:
        raise ConfigError(
            Problem(f"prompts from `{Path(file).suffix}` files are not yet supported: `{file}`", where)
            for file in later
        )
    readable = [file for file in found if file.lower().endswith(SUPPORTED)]
    if not readable:
        hint = f"prompt files end in {', '.join(SUPPORTED)}"
        raise ConfigError.of(f"`{reference}` is no prompt file", where, hint)
    return readable


def _prompts_in(path: str) -> Iterator[FilePrompt]:
    text, shown = read_text(path), display_path(path)
    ending = Path(path).suffix.lower()
    if ending == ".txt":
        for part in _parts(text):
            yield FilePrompt(shown, part, part, splits=True)
    elif ending == ".json":
        raw = _json_text(text, path)
        yield FilePrompt(shown, raw, raw, splits=False)
    elif ending in {".yaml", ".yml"}:
        raw = compact_json(_without_references(parse_yaml(text, path), path))
        yield FilePrompt(shown, raw, raw[:80], splits=False)
    elif text.strip():
        yield FilePrompt(shown, text, f"{text[:50]}...", splits=False)


def _parts(text: str) -> Iterator[str]:
    """The prompts of a text file: what stands between lines that hold nothing but the separator."""
    part: list[str] = []
    for line in [*text.splitlines(), _SEPARATOR]:
        if line.strip() != _SEPARATOR:
            part.append(line)
            continue
        if prompt := "\n".join(part).strip():
            yield prompt
        part = []


def _json_text(text: str, path: str) -> str:
    """Compact JSON; a text that is no JSON before its templates are rendered stays as it is."""
    try:
        document = parse_json(text, path)
    except ConfigError:
        return text
    return compact_json(_without_references(document, path))


def _without_references(document: Json, path: str) -> Json:
    pending: list[tuple[Json, Place]] = [(document, Place(path))]
    while pending:
        value, where = pending.pop()
        if is_reference(value):
            raise ConfigError.of(f"`{value}`: a file inside a prompt file is not yet supported", where)
        steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        pending.extend((inner, Place(path, pointer=(*where.pointer, step))) for step, inner in steps)
    return document
