"""What the user's own Python raised, put into words: the line of the user's code, and the error on one line."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagemaker_eval.errors import ConfigError, ScriptError

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 300

INLINE_LINE, INLINE_LINES = "<code>", "<lines of code>"
"""What stands for the name of a file where the code is the configuration's own: one line of it, or several."""


def script_error(error: BaseException, function: Callable[..., Any], what: str) -> ScriptError:
    """The error of a case whose function raised. The traceback goes to the debug log."""
    log.debug("the %s raised", what, exc_info=error)
    return ScriptError(
        f"{raised_at(error, _file_of(function))} raised {told(error)}",
        hint=f"correct the function of the {what}; the debug log has the traceback",
    )


def load_error(error: BaseException, file: str) -> ConfigError:
    """The error of inline code that raised before it was called."""
    log.debug("code of the configuration raised while it was loaded", exc_info=error)
    return ConfigError.of(
        f"{raised_at(error, file)} raised {told(error)} while it was loaded",
        hint="correct the code; the debug log has the traceback",
    )


def raised_at(error: BaseException, file: str | None) -> str:
    """The innermost line of the user's code that led to an error: in `file`, or in a neighbour of it."""
    frames = traceback.extract_tb(error.__traceback__)
    if file in (INLINE_LINE, INLINE_LINES):
        lines = [frame.lineno for frame in frames if frame.filename == file]
        return f"line {lines[-1]} of the code" if lines and file == INLINE_LINES else "the code"
    folder = Path(file).parent if file else None
    own = [frame for frame in frames if Path(frame.filename).parent == folder]
    if own:
        return f"`{Path(own[-1].filename).name}:{own[-1].lineno}`"
    return f"`{Path(file).name}`" if file else "the function"


def told(error: BaseException) -> str:
    """The type and text of an error, on one line; the type alone where it fails to say its text."""
    try:
        line = " ".join(str(error).split())
    except Exception:
        line = ""
    if len(line) > LONGEST_MESSAGE:
        line = f"{line[:LONGEST_MESSAGE]} ..."
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _file_of(function: Callable[..., Any]) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code else None
