"""Which files a suite was made from: who reads one says so here, and who wants to know records it.

Without a recording, telling costs a look at a context variable.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int] | tuple[str, ...] | None
"""A state of a path: size and time of change of a file, the names in a folder, None where there is nothing."""

Search: TypeAlias = Callable[[], Iterable[str]]
"""Looks for files once more; the paths that it finds."""


class FilesRead:
    """The files that were read, or looked for in vain, since recording began, as they were at that moment."""

    def __init__(self, outer: FilesRead | None = None) -> None:
        self._outer = outer
        self._stamps: dict[str, Stamp] = {}
        self._searches: dict[tuple[str, str], tuple[Search, tuple[str, ...]]] = {}
        self._ignored: frozenset[str] = frozenset()

    def add(self, path: str | Path) -> None:
        """A path that was read. Its state at the first reading counts."""
        if self._outer is not None:
            self._outer.add(path)
        absolute = os.path.abspath(path)
        if absolute not in self._stamps:
            self._stamps[absolute] = _stamp(absolute)

    def add_search(self, pattern: str, folder: str, search: Search, found: Iterable[str]) -> None:
        """What a search for `pattern`, from `folder` on, found: files that are about to be read."""
        if self._outer is not None:
            self._outer.add_search(pattern, folder, search, found)
        paths = _absolute(found)
        self._searches.setdefault((pattern, os.path.abspath(folder)), (search, paths))
        for path in paths:
            self.add(path)

    def ignore(self, paths: Iterable[str]) -> None:
        """Files that are written by whoever records; their changes mean nothing."""
        if self._outer is not None:
            self._outer.ignore(paths)
        self._ignored |= frozenset(_absolute(paths))

    @property
    def files(self) -> tuple[str, ...]:
        """The absolute paths of those that exist, sorted."""
        return tuple(sorted(path for path in self._stamps.keys() - self._ignored if os.path.isfile(path)))

    def folders(self) -> tuple[str, ...]:
        """The existing folders that hold them, or would; searches count from where they began."""
        begun = {folder for _, folder in self._searches}
        around = {os.path.dirname(path) for path in self._stamps} | {p for p in self._stamps if os.path.isdir(p)}
        return tuple(sorted({_existing(folder) for folder in begun | around}))

    def changed(self) -> tuple[str, ...]:
        """The paths that are no longer what they were, sorted; none where everything is."""
        changed = {path for path, stamp in self._stamps.items() if _stamp(path) != stamp}
        for search, found in self._searches.values():
            changed |= set(found).symmetric_difference(_absolute(search()))
        return tuple(sorted(changed - self._ignored))


_recording: ContextVar[FilesRead | None] = ContextVar("recording", default=None)


def note_read(path: str | Path) -> None:
    """Tell that the file or folder at `path` is about to be read, or is missed there."""
    if (files := _recording.get()) is not None:
        files.add(path)


def note_search(pattern: str, folder: str, search: Search, found: Iterable[str]) -> None:
    """Tell that `search` looked for `pattern` from `folder` on, and what it found."""
    if (files := _recording.get()) is not None:
        files.add_search(pattern, folder, search, found)


def note_written(paths: Iterable[str]) -> None:
    """Tell that the run itself writes these files, so that their changes are nobody else's."""
    if (files := _recording.get()) is not None:
        files.ignore(paths)


def note_failure(error: BaseException, folder: Path) -> None:
    """Tell of the files below `folder` that an exception of the user's Python came from, or missed there."""
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        files.append(error.filename)
    if isinstance(error, ModuleNotFoundError) and error.name:
        files.append(str(folder / f"{error.name.replace('.', '/')}.py"))
    for file in files:
        if Path(file).is_relative_to(folder):
            note_read(file)


@contextmanager
def recording() -> Iterator[FilesRead]:
    """What is told inside the block, also by threads and tasks that begin there. An outer recording gets it as well."""
    outer = _recording.get()
    token = _recording.set(files := FilesRead(outer))
    try:
        yield files
    finally:
        _recording.reset(token)


def _stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
        return tuple(sorted(os.listdir(path))) if os.path.isdir(path) else (status.st_size, status.st_mtime_ns)
    except (OSError, ValueError):
        return None


def _existing(folder: str) -> str:
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _absolute(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(os.path.abspath(path) for path in paths)
