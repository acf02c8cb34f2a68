"""The consoles of a command: results on stdout, everything else on stderr."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.reporting.terminal import console_for


def stdout() -> Console:
    """The console for the table and the summary. Raises OSError where the process was started without a stdout."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return console_for(sys.stdout)


def stderr() -> Console:
    """The console for progress, notes and errors."""
    return console_for(sys.stderr)


@contextmanager
def writing_to_stdout() -> Iterator[None]:
    """Ends the block early where the reader of a pipe has left, as `head` does: that is no failure of the command.

    Raises `SagevalError` where stdout cannot be written for another reason, such as a full disk.
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except SystemExit:  # rich's answer to a broken pipe, with stdout led to nowhere
        return
    except OSError as error:
        _discard_stdout()
        if not isinstance(error, BrokenPipeError):
            reason = (error.strerror or str(error)).lower()
            raise SagevalError(f"cannot write to stdout: {reason}") from error


def _discard_stdout() -> None:
    """What is still in buffers would fail once more when Python ends."""
    if sys.stdout is None:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
