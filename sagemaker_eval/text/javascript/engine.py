"""The binding to QuickJS: one program, run once, in a context of its own, within limits.

A context has the language and nothing else: no files, no network, no modules, no environment. What the engine cannot
do by itself is done by the files in `shims/`, which are evaluated first.
"""

from __future__ import annotations

import json
import logging
import re
import time
from contextlib import suppress
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json
from sagemaker_eval.text.javascript.programs import Arguments, Kind, Limits, Program, Reply, SyntaxFault

log = logging.getLogger(__name__)

_KINDS: dict[str, Kind] = {
    "V": "value",
    "N": "value",
    "U": "undefined",
    "F": "function",
    "X": "unusable",
    "E": "raised",
    "M": "memory",
    "S": "missing",
}

_FRAME = re.compile(r"^    at (?!sageval\$)\S.* \(<input>:(\d+):\d+\)$", re.MULTILINE)
_POSITION = re.compile(r"^    at <input>:(\d+):(\d+)$", re.MULTILINE)

_NEARLY = 0.9
"""The share of its time from which a script that was stopped counts as having had it."""

_MOST_SCALE = 16.0


def syntax_fault(text: str, limits: Limits, module: bool = False) -> SyntaxFault | None:
    """What is wrong with a text whose value is a function, or that is a module; None where nothing is.

    Nothing of the user's code runs. A module that imports another is wrong, too: there are none.
    """
    context = _context(limits)
    try:
        if module:
            context.module(f"throw 0;{text}")
        else:
            context.eval(text)
    except quickjs().JSException as error:
        return _syntax_fault(str(error), len("throw 0;") if module else 0)
    return None


def run(program: Program, arguments: Arguments | None, limits: Limits) -> Reply:
    """Runs a program. Without arguments it only looks whether the function is there.

    The engine measures the time of the whole process. A script that was stopped before it had computed for its own
    time, because other threads were busy, is run again with more: nothing of the first run is left.
    """
    scale = 1.0
    while True:
        session = _Session(program, limits, scale)
        reply = session.run(arguments)
        spent = session.spent()
        if reply.kind != "time" or spent >= _NEARLY * limits.seconds or scale >= _MOST_SCALE:
            session.log_console()
            return reply
        scale *= min(limits.seconds / max(spent, 0.001), 4.0)


class _TimeIsUp(Exception):
    pass


class _Session:
    """One run of a program in a fresh context."""

    def __init__(self, program: Program, limits: Limits, scale: float) -> None:
        self._program = program
        self._seconds = limits.seconds
        self._scale = scale
        self._started = time.thread_time()
        self._context = _context(limits)
        self._host: Any = None

    def spent(self) -> float:
        """Seconds that this thread has computed for the run."""
        return time.thread_time() - self._started

    def run(self, arguments: Arguments | None) -> Reply:
        try:
            return _read(self._settle(arguments))
        except _TimeIsUp:
            return Reply("time")
        except quickjs().JSException as error:
            return _ended_by(str(error))

    def log_console(self) -> None:
        """Tells the debug log what the code wrote to its console, however the run ended."""
        if self._host is None or "console" not in self._program.extensions:
            return
        with suppress(quickjs().JSException):
            self._context.set_time_limit(self._seconds)
            for level, text in json.loads(self._host("console")):
                log.debug("console.%s: %s", level, text)

    def _settle(self, arguments: Arguments | None) -> str | None:
        """The reply as the host side writes it; None where there will never be one."""
        program = self._program
        self._host = self._context.eval(_host(program.extensions))
        self._allow_the_rest()
        subject = self._begin()
        values = self._values(arguments)
        self._allow_the_rest()
        if program.step == "call":
            reply = self._host("call", subject, values, program.calls)
        else:
            reply = self._host(program.step, subject, values, program.name, program.other)
        while reply is None and self._advance():
            reply = self._host("reply")
        return reply  # type: ignore[no-any-return]

    def _begin(self) -> Any:
        if self._program.step == "module":
            self._context.module(self._program.text)
            return None
        return self._context.eval(self._program.text)

    def _values(self, arguments: Arguments | None) -> Any:
        if arguments is None:
            return None
        return arguments.text if arguments.json else self._context.eval(arguments.text)

    def _advance(self) -> bool:
        """Does the next thing that is to be done before a promise can settle; False where nothing is."""
        self._allow_the_rest()
        if self._context.execute_pending_job():
            return True
        return "timers" in self._program.extensions and bool(self._host("timer"))

    def _allow_the_rest(self) -> None:
        """The engine counts from the start of each entry; the limit is for all of them."""
        left = self._seconds - self.spent()
        if left <= 0:
            raise _TimeIsUp
        self._context.set_time_limit(left * self._scale)


def _read(reply: str | None) -> Reply:
    if reply is None:
        return Reply("unsettled")
    letter, payload = reply[0], reply[1:]
    if letter == "N":
        return Reply("value", float(payload.replace("Infinity", "inf")))
    try:
        value: Json = json.loads(payload) if payload else None
    except RecursionError:
        return Reply("unusable", "it is nested too deeply")
    if letter != "E":
        return Reply(_KINDS[letter], value)
    stack = value.pop("stack")
    if value == {"name": "InternalError", "message": "interrupted"}:
        return Reply("time")
    return Reply("raised", value, _line_of(stack))


def _ended_by(told: str) -> Reply:
    """What ended a run from outside the code: `told` is the text of the error, followed by its stack.

    The stack of an interrupted run is not used: it shows the last call, which may be far from the loop.
    """
    if told.startswith("InternalError: interrupted"):
        return Reply("time")
    if told.startswith(("null\n", "InternalError\n", "InternalError: out of memory")):
        return Reply("memory")
    name, _, message = told.partition("\n")[0].partition(": ")
    return Reply("raised", {"name": name, "message": message}, _line_of(told))


def _line_of(stack: str) -> int | None:
    frame = _FRAME.search(stack)
    return int(frame[1]) if frame else None


def _syntax_fault(told: str, shift: int) -> SyntaxFault:
    message = told.partition("\n")[0].removeprefix("SyntaxError: ")
    position = _POSITION.search(told)
    if position is None:
        return SyntaxFault(message)
    line, byte = int(position[1]), int(position[2])
    return SyntaxFault(message, line, byte - shift if line == 1 else byte)


def _context(limits: Limits) -> Any:
    context = quickjs().Context()
    context.set_memory_limit(limits.memory)
    context.set_max_stack_size(limits.stack)
    context.set_time_limit(limits.seconds)
    return context


@cache
def _host(extensions: tuple[str, ...]) -> str:
    from importlib import resources  # takes 10 ms that only those pay who run JavaScript

    folder = resources.files(__package__)
    host, *others = (
        folder.joinpath("shims", f"{name}.js").read_text(encoding="utf-8") for name in ("host", *extensions)
    )
    return f"({host})([{','.join(f'({other})' for other in others)}])"


@cache
def quickjs() -> ModuleType:
    """The engine's module, imported when it is first needed. Raises `ConfigError` where it is not installed."""
    try:
        return import_module("quickjs")
    except ImportError as error:
        raise ConfigError.of(
            "JavaScript cannot be run: the package `quickjs-ng` is not installed",
            hint="Install it with `pip install quickjs-ng`, or write the code in Python.",
        ) from error
