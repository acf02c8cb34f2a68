"""The log of a run: a file in its folder, and stderr with `--verbose`. Secrets are removed from every record."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from sagemaker_eval.errors import SagevalError

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_OURS = "sagemaker_eval"
_LIBRARIES = ("aiohttp", "asyncio", "boto3", "botocore", "urllib3")
"""Their warnings may quote requests; without a handler of ours Python would print them as they are."""


class LoggedBug(Exception):
    """Something that should not have been raised; its traceback is in the log at `path`."""

    def __init__(self, path: str, what: str) -> None:
        super().__init__(what)
        self.path = path
        self.what = what


def written_down(bug: Exception, scrub: Callable[[str], str] = str) -> LoggedBug:
    """A `LoggedBug` for a bug that no lasting log tells of: its traceback goes to a new temporary file."""
    with tempfile.NamedTemporaryFile("w", prefix="sageval-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(scrub("".join(traceback.format_exception(bug))))
    return LoggedBug(file.name, type(bug).__name__)


class _Scrubbing(logging.Formatter):
    def __init__(self, scrub: Callable[[str], str]) -> None:
        super().__init__(_FORMAT)
        self._scrub = scrub

    def format(self, record: logging.LogRecord) -> str:
        return self._scrub(super().format(record))


class _PrivateFile(logging.FileHandler):
    """A log that its owner alone may read."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return TextIOWrapper(open(os.open(self.baseFilename, flags, 0o600), "ab"), encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written, as on a full disk, is no reason for a traceback."""


@contextmanager
def logging_to(path: Path, verbose: bool, scrub: Callable[[str], str], lasting: bool = True) -> Iterator[None]:
    """Log to `path`, and to stderr where `verbose`, until the block ends; `lasting` says whether the file stays then.

    Raises `LoggedBug` for whatever is not an expected error, once its traceback is in a file that stays.
    """
    ours = logging.getLogger(_OURS)
    loggers = [ours, *map(logging.getLogger, _LIBRARIES)]
    handlers: list[logging.Handler] = [_PrivateFile(path, encoding="utf-8", delay=True)]
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    level = ours.level
    ours.setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in handlers:
        handler.setFormatter(_Scrubbing(scrub))
        for logger in loggers:
            logger.addHandler(handler)
    try:
        yield
    except SagevalError:
        raise
    except Exception as error:
        ours.error("a bug in sageval", exc_info=error)
        raise (LoggedBug(str(path), type(error).__name__) if lasting else written_down(error, scrub)) from error
    finally:
        ours.setLevel(level)
        for handler in handlers:
            for logger in loggers:
                logger.removeHandler(handler)
            handler.close()
