"""The log of a run: a file in its folder, and stderr with `--verbose`. Secrets are removed from every record."""

from __future__ import annotations

import logging
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sagemaker_eval.errors import SagevalError

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


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


@contextmanager
def logging_to(path: Path, verbose: bool, scrub: Callable[[str], str], lasting: bool = True) -> Iterator[None]:
    """Log to `path`, and to stderr where `verbose`, until the block ends; `lasting` says whether the file stays then.

    Raises `LoggedBug` for whatever is not an expected error, once its traceback is in a file that stays.
    """
    logger = logging.getLogger("sagemaker_eval")
    handlers: list[logging.Handler] = [logging.FileHandler(path, encoding="utf-8", delay=True)]
    if verbose:
        handlers.append(logging.StreamHandler(sys.stderr))
    level = logger.level
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    for handler in handlers:
        handler.setFormatter(_Scrubbing(scrub))
        logger.addHandler(handler)
    try:
        yield
    except SagevalError:
        raise
    except Exception as error:
        logger.error("a bug in sageval", exc_info=error)
        raise (LoggedBug(str(path), type(error).__name__) if lasting else written_down(error, scrub)) from error
    finally:
        logger.setLevel(level)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
