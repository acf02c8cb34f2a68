"""What a user may write as JavaScript, and the program that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place
from sagemaker_eval.text.javascript.engine import syntax_fault
from sagemaker_eval.text.javascript.programs import Limits, Program, Step, SyntaxFault, needed_extensions

_AWAIT = re.compile(r"\bawait\b")
_ENDS = re.compile(r"\b(?:return|throw|while|for)\b")
"""One of these is in every body that does anything but fall off its end. Loops count: one may run for ever."""
_UNKNOWN_MODULE = re.compile(r"ReferenceError: could not load module '(.*)'")
_NOT_UTF8 = re.compile("[\x00\ud800-\udfff]")

_LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")
_CLOSED = "\n})"
"""Ends a function. The code before it may end in a `//` comment."""


class Style(StrEnum):
    """What inline code may be: an expression, the body of a function, or whichever of the two it is."""

    ANY = "any"
    EXPRESSION = "expression"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Source:
    """Code as the user wrote it: inline, or the content of a file. `where` is the place of its first line."""

    code: str
    where: Place | None = None
    file: str | None = None

    def spot(self, line: int | None) -> str:
        """A place in the code for a message: "`transform.js:3`", "line 3 of the code", "the code"."""
        if self.file is not None:
            return f"`{self.file}:{line}`" if line else f"`{self.file}`"
        return f"line {line} of the code" if line and "\n" in self.code.strip() else "the code"


@dataclass(frozen=True, slots=True)
class Wrapping:
    """Text around the user's code that makes a program of it. Its head stays on the code's first line."""

    head: str
    tail: str = _CLOSED
    step: Step = "call"
    calls: bool = False

    def program(self, code: str, name: str | None = None, other: str | None = None) -> Program:
        text = f"{self.head}{code}{self.tail}"
        files = () if self.step == "call" else ("files",)
        return Program(text, self.step, self.calls, name, other, (*files, *needed_extensions(code)))

    def fault(self, code: str, limits: Limits) -> SyntaxFault | None:
        """What is wrong with `code` so wrapped, by its own lines and bytes."""
        fault = syntax_fault(f"{self.head}{code}{self.tail}", limits, module=self.step == "module")
        if fault is None or fault.line != 1 or fault.byte is None:
            return fault
        return SyntaxFault(fault.message, 1, max(fault.byte - len(self.head.encode()), 1))


MODULE = Wrapping("", "\n", step="module")
COMMONJS = Wrapping("(function(module,exports){", step="commonjs")
_BODY = Wrapping("(async function(){")


def inline_program(source: Source, parameters: tuple[str, ...], style: Style, limits: Limits) -> Program:
    """The program of inline code. Which form the code has is decided by what the engine can parse.

    An expression is the result, and is called where it is a function; a body returns its result. A single line may
    leave out the `return` before its last statement. Raises `ConfigError`, at `source.where`, for code that is neither,
    and for a body that never returns.
    """
    code = checked(source)
    if _is_blank(code, limits):
        raise _empty(source)
    faults: list[SyntaxFault] = []
    for wrapping, text in _forms(code, ",".join(parameters), style, limits):
        fault = wrapping.fault(text, limits)
        if fault is None:
            return wrapping.program(text)
        faults.append(fault)
    if style is Style.ANY and not _ENDS.search(code):
        fault = _BODY.fault(code, limits)
        if fault is None:
            raise _never_returns(source)
        faults.append(fault)
    raise broken(source, faults)


def checked(source: Source) -> str:
    """The code in the form that the engine takes. Raises `ConfigError` where it holds what is no text."""
    found = _NOT_UTF8.search(source.code)
    if found:
        line = source.code.count("\n", 0, found.start()) + 1
        raise ConfigError.of(
            f"{source.spot(line)} holds the character U+{ord(found[0]):04X}, which is not allowed in JavaScript",
            source.where,
            hint=f"Write it as `\\u{ord(found[0]):04x}` within a string.",
        )
    return source.code


def broken(source: Source, faults: list[SyntaxFault]) -> ConfigError:
    """The error of the attempt that got furthest: that is most likely what the user meant."""
    for fault in faults:
        unknown = _UNKNOWN_MODULE.match(fault.message)
        if unknown:
            return _imports(source, unknown[1])
    fault = max(faults, key=lambda fault: (fault.line or 0, fault.byte or 0))
    lines = _LINE_END.split(source.code)
    if fault.line is not None and fault.line > len(lines):
        message, line, column = "it ends where more is expected", None, None
    else:
        message, line, column = _plain_words(fault.message), fault.line, _column(lines, fault)
    at = f", at column {column}" if column and source.file is None else ""
    return ConfigError.of(
        f"{source.spot(line)} is not valid JavaScript: {message}{at}",
        _place(source, line, column),
        hint="Write an expression, or a function body with `return`." if source.file is None else "Correct the file.",
    )


def _forms(code: str, parameters: str, style: Style, limits: Limits) -> Iterator[tuple[Wrapping, str]]:
    """The forms that the code may have, in the order in which they are tried."""
    functions = ("async function", "function") if _AWAIT.search(code) else ("function",)
    heads = [f"({function}({parameters}){{" for function in functions]
    if style is not Style.BODY:
        expression = _without_end(code, limits)
        yield from ((Wrapping(f"{head}return (", "\n)})", calls=True), expression) for head in heads)
    if style is Style.EXPRESSION:
        return
    bodies = [Wrapping(head) for head in heads]
    if style is Style.ANY and "\n" not in code.strip():
        yield from ((body, text) for body in bodies for text in _with_return(code, body, limits))
    if style is Style.BODY or _ENDS.search(code):
        yield from ((body, code) for body in bodies)


def _with_return(code: str, body: Wrapping, limits: Limits) -> Iterator[str]:
    """The code with `return` before its last statement, if that is an expression after other statements."""
    line = _without_end(code, limits)
    for found in reversed(list(re.finditer(";", line))):
        before, last = line[: found.end()], line[found.end() :]
        text = f"{before} return ({last}\n)"
        if body.fault(before, limits) is None and body.fault(text, limits) is None:
            yield text


def _without_end(code: str, limits: Limits) -> str:
    """The code without the semicolon at its end, and comments that follow it."""
    ends = [found.start() for found in re.finditer(";", code)]
    for end in reversed(ends):
        if _is_blank(code[end:].replace(";", " ", 1), limits):
            code = code[:end]
    return code


def _is_blank(code: str, limits: Limits) -> bool:
    """Whether code is nothing but space and comments: then it may stand both behind and before a value."""
    return not code.strip() or all(
        Wrapping(head, tail).fault(code, limits) is None
        for head, tail in (("(function(){(1 ", "\n)})"), ("(function(){(", "\n1)})"))
    )


def _empty(source: Source) -> ConfigError:
    return ConfigError.of(
        f"{source.spot(None)} is empty", source.where, hint="Write an expression, or a function body with `return`."
    )


def _never_returns(source: Source) -> ConfigError:
    return ConfigError.of(
        f"{source.spot(None)} never returns anything",
        source.where,
        hint="Put `return` before the result: code of several statements is the body of a function.",
    )


def _imports(source: Source, module: str) -> ConfigError:
    named = re.compile(rf"['\"](?:\./)?{re.escape(module)}['\"]")
    line = next((number for number, text in enumerate(source.code.split("\n"), 1) if named.search(text)), None)
    return ConfigError.of(
        f"{source.spot(line)} imports `{module}`: modules and file access are not available to JavaScript",
        _place(source, line, None),
        hint="Put what it needs into the file itself, or write the function in Python.",
    )


def _plain_words(message: str) -> str:
    return message[:1].lower() + message[1:]


def _column(lines: list[str], fault: SyntaxFault) -> int | None:
    """The column in characters; the engine counts bytes."""
    if fault.line is None or fault.byte is None:
        return None
    return len(lines[fault.line - 1].encode()[: fault.byte - 1].decode(errors="ignore")) + 1


def _place(source: Source, line: int | None, column: int | None) -> Place | None:
    if source.file is None or source.where is None:
        return source.where
    return Place(source.where.path, line, column)
