"""References to other files: `file://` prefixes, globs, `path:function` and how a path is shown."""

from __future__ import annotations

import glob
import os
import re
from functools import partial
from pathlib import Path
from typing import TypeGuard

from sagemaker_eval.text.files_read import note_read, note_search

PREFIX = "file://"

_SCRIPT_WITH_FUNCTION = re.compile(r"(.+\.(?:py|[cm]?[jt]s)):([^:/\\]+)", re.DOTALL)
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_MAX_ALTERNATIVES = 1000


def is_reference(value: object) -> TypeGuard[str]:
    """Whether `value` is a string that begins with `file://`."""
    return isinstance(value, str) and value.startswith(PREFIX)


def resolve(reference: str, base_path: str) -> str:
    """The path that a reference, with or without `file://`, means from the folder `base_path`; `~` is expanded."""
    path = os.path.expanduser(reference.removeprefix(PREFIX))
    resolved = os.path.normpath(os.path.join(base_path, path))
    note_read(resolved)
    return resolved


def expand_glob(pattern: str, base_path: str) -> list[str]:
    """The files that `pattern` matches, sorted; none where nothing does.

    `**` matches any number of folders and `{a,b}` either word. A file of exactly that name counts as itself, so that
    names with brackets can be written as they are. Paths have POSIX separators. Any text may be asked about.
    """
    if "\n" in pattern or "\0" in pattern:
        return []
    exact = resolve(pattern, base_path)
    if os.path.isfile(exact):
        return [_posix(exact)]
    relative = os.path.expanduser(pattern.removeprefix(PREFIX))
    found = {
        os.path.normpath(os.path.join(base_path, match))
        for alternative in _brace_alternatives(relative)
        for match in glob.iglob(alternative, root_dir=base_path or None, recursive=True)
    }
    files = sorted(_posix(path) for path in found if os.path.isfile(path))
    note_search(pattern, base_path, partial(expand_glob, pattern, base_path), files)
    return files


def is_glob(pattern: str) -> bool:
    """Whether `pattern` may match several files."""
    return glob.has_magic(pattern) or _BRACES.search(pattern) is not None


def _brace_alternatives(pattern: str) -> list[str]:
    """The patterns without braces that `pattern` stands for; itself where those are too many to be meant."""
    alternatives = [pattern]
    while _BRACES.search(alternatives[0]):
        alternatives = [one for alternative in alternatives for one in _without_first_braces(alternative)]
        if len(alternatives) > _MAX_ALTERNATIVES:
            return [pattern]
    return alternatives


def _without_first_braces(pattern: str) -> list[str]:
    match = _BRACES.search(pattern)
    if match is None:
        return [pattern]
    return [pattern[: match.start()] + word + pattern[match.end() :] for word in match[1].split(",")]


def split_function(path: str) -> tuple[str, str | None]:
    """`x.py:fn` as path and function name; the name is None where the path does not end in a script and a colon."""
    match = _SCRIPT_WITH_FUNCTION.fullmatch(path)
    return (match[1], match[2]) if match else (path, None)


def display_path(path: str) -> str:
    """`path` as messages show it: relative to the working folder where it lies inside or that is shorter."""
    absolute = os.path.abspath(path)
    try:
        relative = os.path.relpath(absolute)
    except ValueError:  # another drive, on Windows
        return _posix(absolute)
    inside = Path(absolute).is_relative_to(Path.cwd())
    return _posix(relative if inside or len(relative) < len(absolute) else absolute)


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")
