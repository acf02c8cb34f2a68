"""The user's own JavaScript, inline or from files, run by an embedded engine.

A script has no files, no network, no modules and no environment, and it runs within limits of time and memory.
Every call starts from nothing: the code is evaluated anew in a context of its own, so that what one case does (a
counter at the top of a file, a changed prototype) is never seen by another, in whatever order they run.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from typing import Final

from sagemaker_eval.errors import ScriptError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.text.javascript.engine import run
from sagemaker_eval.text.javascript.failures import load_error, script_error
from sagemaker_eval.text.javascript.files import file_program, no_function, read_reference
from sagemaker_eval.text.javascript.programs import Arguments, Limits, Program, Reply
from sagemaker_eval.text.javascript.sources import Source, Style, inline_program
from sagemaker_eval.text.javascript.worker import LeftBehind, worker

__all__ = ["UNDEFINED", "Limits", "Script", "Style", "Undefined", "compile_javascript", "load_javascript"]

_DEFAULT_LIMITS = Limits()
_KEPT = 256


class Undefined(Enum):
    """The type of `UNDEFINED`."""

    UNDEFINED = "undefined"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined.UNDEFINED
"""What a script returned that returned nothing. Within a value, undefined is left out or null, as JSON has it."""


@dataclass(frozen=True, slots=True)
class Script:
    """JavaScript that is known to be valid, ready to be called any number of times and from any thread.

    Values pass as JSON both ways: a Date becomes its ISO text, NaN within a list null; a result that is NaN or
    infinite itself is that float. Integers beyond 2^53 lose digits, as in JavaScript. Promises are awaited; timers fire
    without waiting. What is written to the console goes to the debug log.
    """

    program: Program
    source: Source
    limits: Limits

    def call(self, *arguments: Json) -> Json:
        """What the code returns, or `UNDEFINED`. Blocks meanwhile.

        Raises `ScriptError` with the line of the user's code: it raised, used up its time or memory, waits for a
        promise that is never settled, or returned a function or what cannot be written as JSON.
        """
        work = partial(run, self.program, self._passed(arguments), self.limits)
        try:
            reply = worker().run(work, self.limits.patience)
        except LeftBehind:
            reply = Reply("time")
        return self._result(reply)

    async def acall(self, *arguments: Json) -> Json:
        """As `call`, while the event loop goes on. Calls run one after the other, in the order of their coming."""
        work = partial(run, self.program, self._passed(arguments), self.limits)
        try:
            reply = await worker().arun(work, self.limits.patience)
        except LeftBehind:
            reply = Reply("time")
        return self._result(reply)

    def _passed(self, arguments: tuple[Json, ...]) -> Arguments:
        try:
            return Arguments.of(arguments)
        except RecursionError:
            raise ScriptError(
                f"{self.source.spot(None)} cannot be given a value that is nested so deeply",
                hint="Look at the variables and the output of this case.",
            ) from None

    def _result(self, reply: Reply) -> Json:
        if reply.kind == "value":
            return reply.payload
        if reply.kind == "undefined":
            return UNDEFINED
        raise script_error(reply, self.source, self.limits)


def compile_javascript(
    source: str,
    parameters: tuple[str, ...],
    where: Place | None = None,
    style: Style = Style.ANY,
    limits: Limits = _DEFAULT_LIMITS,
) -> Script:
    """The script of inline code, which sees what it is called with under the names of `parameters`.

    It may be an expression; a function (`prompt => ...`, `function (prompt) { ... }`), which is then called; or a
    function body with `return`. A single line of several statements needs no `return`. Raises `ConfigError` at `where`
    for anything else, with the line within the code in its message.
    """
    origin = Source(source, where)
    program = worker().run(partial(inline_program, origin, parameters, style, limits), limits.patience)
    return Script(program, origin, limits)


def load_javascript(
    reference: str, base_path: str, default_name: str | None = None, limits: Limits = _DEFAULT_LIMITS
) -> Script:
    """The script of `file://script.js[:function]`; `.mjs` and `.cjs` likewise. The file is read now.

    Without `:function` it is the default export (`module.exports = function`, `export default`), else the export
    called `default_name`. The top level of the file runs once now, and again before each call. Raises `ConfigError`,
    with the place in the file for code that is not valid, without a place for a file that is missing, raises while
    it is loaded, needs another module, or does not export the function.
    """
    source, name = read_reference(reference, base_path)
    return _loaded(source, name, default_name, limits)


@lru_cache(_KEPT)
def _loaded(source: Source, name: str | None, default_name: str | None, limits: Limits) -> Script:
    """The script of a file with this content, which is looked at once."""
    program = worker().run(partial(file_program, source, name, default_name, limits), limits.patience)
    try:
        reply = worker().run(partial(run, program, None, limits), limits.patience)
    except LeftBehind:
        reply = Reply("time")
    if reply.kind == "missing":
        raise no_function(source, program, reply.payload)
    if reply.kind != "value":
        raise load_error(reply, source, limits)
    return Script(program, source, limits)
