"""The user's own Python: functions named by `file://script.py[:function]`, loaded once and called safely."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.files_read import note_failure, note_read
from sagemaker_eval.text.python_failures import raised_at, script_error, told

log = logging.getLogger(__name__)

PREFIX = "file://"
JAVASCRIPT = frozenset({".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"})


def load_function(reference: str, base_path: str, default_name: str) -> Callable[..., Any]:
    """The function that `file://script.py[:function]` names; `default_name` where it names none.

    The path is relative to `base_path`. A file is run once however many functions of it are asked for, with its folder
    importable meanwhile. Raises `ConfigError` without a place for a file that is missing, of another kind, broken or
    raises, and for a function that is not there.
    """
    path, name = _split(reference, base_path)
    module = _module_of(path)
    function: Any = module
    for part in (name or default_name).split("."):
        function = getattr(function, part, None)
    if callable(function):
        return function  # type: ignore[no-any-return]
    raise _no_function(path, name or default_name, module, exists=function is not None)


def run_script(reference: str, base_path: str) -> None:
    """Runs `file://script.py`, or the plain path, for what it does. Raises `ConfigError` as `load_function` does."""
    path, name = _split(reference, base_path)
    if name is not None:
        raise ConfigError.of(f"`{reference}` names a function, and the whole script is run", hint="leave it out")
    try:
        _load.__wrapped__(path, 0, 0)
    except OSError as error:
        raise ConfigError.of(
            f"the script `{path.name}` cannot be read: {error.strerror or error}", hint=f"check `{path}`"
        ) from error


def call(function: Callable[..., Any], *args: Any, what: str) -> Any:
    """What the user's function returns. `what` names its part in the run ("response path").

    Raises `ScriptError` with the place and the text of whatever it raises; the traceback goes to the debug log.
    """
    try:
        return function(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise script_error(error, function, what) from error


async def acall(
    function: Callable[..., Any], *args: Any, what: str, raised_by: Callable[..., Any] | None = None
) -> Any:
    """What the user's function returns, awaited where that has to be. Raises as `call` does."""
    try:
        made = function(*args)
        return await made if inspect.isawaitable(made) else made
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError) and _is_being_cancelled():
            raise
        raise script_error(error, raised_by or function, what) from error


def _is_being_cancelled() -> bool:
    """Whether the running task was asked to end: else a `CancelledError` is one that the user's code let out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def positional_arguments(function: Callable[..., Any], most: int = 3) -> frozenset[int]:
    """With how many positional arguments, of 0 to `most`, a function can be called; all where it does not tell."""
    counts = range(most + 1)
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return frozenset(counts)
    return frozenset(count for count in counts if _accepts(signature, count))


def _accepts(signature: inspect.Signature, count: int) -> bool:
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _split(reference: str, base_path: str) -> tuple[Path, str | None]:
    """The file and the function of a reference; the last colon counts, and only after the name of a script."""
    written = reference.removeprefix(PREFIX)
    head, colon, tail = written.rpartition(":")
    name = tail if colon and Path(head).suffix else None
    file = head if name is not None else written
    suffix = Path(file).suffix.lower()
    if suffix in JAVASCRIPT:
        raise ConfigError.of(
            f"`{reference}` is not a Python script, and only Python can be used here",
            hint="write the function in Python: `file://script.py:function`",
        )
    if suffix != ".py":
        raise ConfigError.of(
            f"`{reference}` is not a Python script",
            hint="name a file that ends in `.py`, and the function after a colon: `file://script.py:function`",
        )
    if name is not None and not all(part.isidentifier() for part in name.split(".")):
        raise ConfigError.of(
            f"`{reference}`: `{name}` is not the name of a function",
            hint=f"write it as `{PREFIX}{file}:function`",
        )
    path = Path(base_path, file).resolve()
    note_read(path)
    if not os.path.isfile(path):  # unlike `Path.is_file`, False for a name that no file can have
        raise ConfigError.of(
            f"the script `{file}` does not exist",
            hint=f"it was looked for at `{path}`: paths are relative to the configuration file",
        )
    return path, name


def _module_of(path: Path) -> ModuleType:
    try:
        status = path.stat()
        return _load(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise ConfigError.of(
            f"the script `{path.name}` cannot be read: {error.strerror or error}", hint=f"check `{path}`"
        ) from error


@cache
def _load(path: Path, modified: int, size: int) -> ModuleType:
    """Runs a script once for each state of its file, told by time of change and size."""
    name = f"sageval_script_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    module = ModuleType(name)
    module.__file__ = str(path)
    # dataclasses and pickle look a class's module up here while it is being defined and later.
    sys.modules[name] = module
    try:
        with _importable(path.parent):
            # importlib's own loader would trust a .pyc by whole seconds, and leave one in the user's folder.
            exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), vars(module))
    except SyntaxError as error:
        del sys.modules[name]
        place = f"{Path(error.filename or path).name}:{error.lineno}"
        raise ConfigError.of(
            f"`{place}` is not valid Python: {error.msg}", hint=f"correct line {error.lineno} of `{error.filename}`"
        ) from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        log.debug("the script %s raised while it was loaded", path, exc_info=error)
        raise ConfigError.of(
            f"{raised_at(error, str(path))} raised {told(error)} while it was loaded",
            hint=f"run `python {path}` to see the whole traceback",
        ) from error
    return module


def forget_scripts() -> None:
    """Run every script anew when it is asked for again: what it imports may have changed."""
    _load.cache_clear()


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Lets a script import its neighbours, and forgets them afterwards: another folder may use the same names."""
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    except BaseException as error:
        note_failure(error, folder)
        raise
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if not name.startswith("sageval_script_") and file and Path(file).resolve().is_relative_to(folder):
                note_read(file)
                del sys.modules[name]


def _no_function(path: Path, name: str, module: ModuleType, exists: bool) -> ConfigError:
    if exists:
        return ConfigError.of(
            f"`{name}` in `{path.name}` is not a function", hint=f"define it as `def {name}(...)` in `{path}`"
        )
    defined = tuple(
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
    )
    if not defined:
        return ConfigError.of(f"`{path.name}` has no function `{name}`", hint=f"it defines none: add `def {name}(...)`")
    best = nearest_name(name, defined) or defined[0]
    names = ", ".join(f"`{key}`" for key in defined)
    return ConfigError.of(
        f"`{path.name}` has no function `{name}`", hint=f"it defines {names}; write `{PREFIX}{path.name}:{best}`"
    )
