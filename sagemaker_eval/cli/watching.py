"""`sageval eval --watch`: run, wait until a file that the run was made from changes, run again."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sagemaker_eval.cli.evaluation import evaluate
from sagemaker_eval.cli.exit_codes import FINE, INTERRUPTED
from sagemaker_eval.cli.failures import print_failure
from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.cli.streams import stderr
from sagemaker_eval.config.config_file import DEFAULT_NAMES
from sagemaker_eval.config.references import display_path
from sagemaker_eval.errors import ConfigError, SagevalError
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.reporting.messages import print_notice
from sagemaker_eval.text.files_read import FilesRead, note_read, recording
from sagemaker_eval.text.scripts import forget_scripts

_LOOK_AGAIN_MS = 2_000
"""A look at the files without having been woken: some file systems (network, containers) tell of nothing."""
_SETTLING_MS = 300
_NAMED = 3


def watch(request: EvalRequest) -> int:
    """Evaluate, and again after each change, until Ctrl-C: while it waits that is the end, with FINE, and while a run
    is going on it interrupts that run, with INTERRUPTED. Raises `ConfigError` for options that do not go together.
    """
    if request.as_json:
        raise ConfigError.of(
            "--watch and --json exclude each other: stdout would carry one document after the other",
            hint="write the document to a file: `-o results.json`",
        )
    once = {"--resume": request.resume or request.rerun, "--retry-errors": request.retry_errors}
    once |= {"--record": request.record, "--replay": request.replay}
    if given := [option for option, value in once.items() if value]:
        raise ConfigError.of(
            f"--watch and {given[0]} exclude each other: each run of a watch is a new one", hint="leave one of them out"
        )
    while True:
        with recording() as files:
            _note_what_may_appear(request)
            if _run(request) == INTERRUPTED:
                return INTERRUPTED
        with _stoppable() as stop:
            print_notice(stderr(), f"watching {counted(len(files.files), 'file')}; press Ctrl-C to end")
            changed = wait_for_change(files, stop)
        if not changed:
            return FINE
        print_notice(stderr(), f"{_listed(changed)} changed")
        _forget()


def wait_for_change(files: FilesRead, stop: threading.Event) -> tuple[str, ...]:
    """The paths that changed, as soon as some did, also if that was before the call; none where `stop` was set."""
    from watchfiles import watch as wake_ups

    for _ in wake_ups(
        *files.folders(),
        watch_filter=None,
        debounce=_SETTLING_MS,
        rust_timeout=_LOOK_AGAIN_MS,
        yield_on_timeout=True,
        stop_event=stop,
        recursive=False,
        ignore_permission_denied=True,
    ):
        if changed := files.changed():
            return changed
    return ()


def _run(request: EvalRequest) -> int:
    """One run. What keeps it from running is said, and may be mended."""
    try:
        return evaluate(request)
    except SagevalError as error:
        print_failure(error)
        return FINE


def _note_what_may_appear(request: EvalRequest) -> None:
    """Files that count as soon as they are there: `.env`, and the configuration of a folder."""
    note_read(".env")
    for folder in filter(os.path.isdir, request.config or (".",)):
        for name in DEFAULT_NAMES:
            note_read(os.path.join(folder, name))


def _forget() -> None:
    """What the last run left behind: scripts as they were, and what was frozen for speed."""
    forget_scripts()
    gc.unfreeze()
    gc.collect()


def _listed(paths: tuple[str, ...]) -> str:
    shown = ", ".join(display_path(path) for path in paths[:_NAMED])
    return shown if len(paths) <= _NAMED else f"{shown} and {len(paths) - _NAMED} more"


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set while the block lasts."""
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    before: dict[signal.Signals, Callable[..., object] | int | None] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
