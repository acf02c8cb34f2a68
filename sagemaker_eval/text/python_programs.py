"""Prompt functions of the user; among them Python files without a named function, which are run as programs.

A program gets the context as JSON in its first argument and prints the prompt, as promptfoo has it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code, is_python
from sagemaker_eval.text.files_read import note_read
from sagemaker_eval.text.python_failures import LONGEST_MESSAGE
from sagemaker_eval.text.scripts import PREFIX

log = logging.getLogger(__name__)

PROMPT_FUNCTION = Role("prompt function", ("context",))

_SECONDS = 60.0
_LINE = re.compile(r'^ *File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)


def compile_prompt_function(code: UserCode, seconds: float = _SECONDS) -> Code:
    """What makes a prompt for each case: called with one dict `{vars, provider: {id, label}, config}`.

    A Python file without a function after a colon is a program, given `seconds` for each call. Raises `ConfigError`
    placed at `code.where`.
    """
    source = code.source.strip()
    if source.startswith(PREFIX) and is_python(source) and source.lower().endswith(".py"):
        return _program(Path(code.base_path, source.removeprefix(PREFIX)), code, seconds)
    return compile_code(code, PROMPT_FUNCTION)


@dataclass(frozen=True, slots=True)
class PythonProgram:
    """A Python file that prints the prompt for the context in its first argument, run anew by this interpreter."""

    path: Path
    seconds: float

    def call(self, *arguments: Json) -> Json:
        """What it prints, without newlines around it. Raises `ScriptError`."""
        try:
            done = subprocess.run(
                self._command(arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.seconds,
                env=_environment(),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._too_slow() from None
        except OSError as error:
            raise self._not_started(error) from None
        return self._printed(done.returncode, done.stdout, done.stderr)

    async def acall(self, *arguments: Json) -> Json:
        """As `call`, while the event loop goes on; whoever is cancelled meanwhile leaves no process behind."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(),
            )
        except OSError as error:
            raise self._not_started(error) from None
        try:
            output, errors = await asyncio.wait_for(process.communicate(), self.seconds)
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return self._printed(process.returncode or 0, output, errors)

    def _command(self, arguments: tuple[Json, ...]) -> list[str]:
        return [sys.executable, str(self.path), *(json.dumps(argument) for argument in arguments)]

    def _printed(self, status: int, output: bytes, errors: bytes) -> str:
        if errors:
            log.debug("%s wrote to its standard error: %s", self.path, errors.decode(errors="replace"))
        if status:
            hint = f"run `python {self.path.name}` with the context as JSON; the debug log has the traceback"
            raise ScriptError(f"{PROMPT_FUNCTION.name}: {self._failure(status, errors)}", hint)
        try:
            text = output.decode()
        except UnicodeDecodeError as error:
            message = f"{self._name} printed what is not UTF-8 (byte {error.start})"
            raise ScriptError(message, "print text, or write UTF-8 to `sys.stdout.buffer`") from None
        if not text.strip():
            hint = f"print the prompt, or name the function that returns it: `{PREFIX}{self.path.name}:function`"
            raise ScriptError(f"{self._name} printed nothing", hint)
        return text.replace("\r\n", "\n").strip("\n")

    def _failure(self, status: int, errors: bytes) -> str:
        text = errors.decode(errors="replace").strip()
        own = [match for match in _LINE.finditer(text) if Path(match["file"]).parent == self.path.parent]
        spot = f"`{Path(own[-1]['file']).name}:{own[-1]['line']}`" if own else f"`{self.path.name}`"
        if not text:
            return f"{spot} ended with status {status}"
        last = text.splitlines()[-1].strip()
        told = last if len(last) <= LONGEST_MESSAGE else f"{last[:LONGEST_MESSAGE]} ..."
        return f"{spot} raised {told}" if own else f"{spot} ended with status {status}: {told}"

    def _too_slow(self) -> ScriptError:
        return ScriptError(
            f"{self._name} did not end within {self.seconds:g} s",
            f"a function that is called in this process starts faster: `{PREFIX}{self.path.name}:function`",
        )

    def _not_started(self, error: OSError) -> ScriptError:
        return ScriptError(
            f"{self._name} cannot be started: {error.strerror or error}",
            f"long variables do not fit into an argument; name a function: `{PREFIX}{self.path.name}:function`",
        )

    @property
    def _name(self) -> str:
        return f"{PROMPT_FUNCTION.name}: `{self.path.name}`"


def _program(path: Path, code: UserCode, seconds: float) -> PythonProgram:
    """The program, known to be valid Python. Raises `ConfigError`."""
    path = path.resolve()
    note_read(path)
    try:
        compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    except OSError as error:
        message = f"the script `{path.name}` cannot be read: {error.strerror or error}"
        raise ConfigError.of(message, code.where, f"it was looked for at `{path}`") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        message = f"`{path.name}:{line}` is not valid Python: {getattr(error, 'msg', error)}"
        raise ConfigError.of(message, code.where, f"correct line {line} of `{path}`") from None
    return PythonProgram(path, seconds)


def _environment() -> dict[str, str]:
    """Ours, with output in UTF-8 whatever the locale says."""
    return {**os.environ, "PYTHONIOENCODING": "utf-8"}
