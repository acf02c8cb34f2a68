"""The user's Python as a guest in this process: it may print and change the working folder, and disturbs no output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress


class Guests:
    """The user's code of one command. Where `quiet`, what it prints goes to stderr, since stdout is a document."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._folder: str | None = None

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """A block in which code of the user runs: in the working folder that it chose before, if it did.

        After the block the working folder is the one from before it, so that relative paths mean what they meant.
        """
        ours = _working_folder()
        _go_to(self._folder)
        try:
            with redirect_stdout(sys.stderr) if self._quiet else nullcontext():
                yield
        finally:
            self._folder = _working_folder()
            _go_to(ours)


def _working_folder() -> str | None:
    """None where it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _go_to(folder: str | None) -> None:
    if folder is not None:
        with suppress(OSError):
            os.chdir(folder)
