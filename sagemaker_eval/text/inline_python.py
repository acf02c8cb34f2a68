"""Python that stands in the configuration itself: an expression, or the body of a function."""

from __future__ import annotations

import ast
import builtins
import json
import textwrap
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.text.python_failures import INLINE_LINE, INLINE_LINES, load_error

_HINT = "write an expression, or a function body with `return`"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def compile_python(code: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
    """The function that `code` is or is the body of; a body sees its arguments under the names of `parameters`.

    An expression is the result. A body of several lines may be indented as a whole and returns its result; on a single
    line the last statement needs no `return`. `await` makes it an async function. A lambda, and a `def` at the end, is
    the function itself, and what stands before that `def` runs once, now. `json` is imported, as in promptfoo. Lines
    count as in `code`. Raises `ConfigError` without a place for what is not valid Python, is empty, never returns, or
    raises now.
    """
    file = INLINE_LINES if "\n" in code.strip() else INLINE_LINE
    body = _parsed(code, file)
    if not body:
        raise ConfigError.of("the code is empty", hint=_HINT)
    name, module = _defining(body, parameters, single_line=file == INLINE_LINE)
    scope: dict[str, Any] = {"__builtins__": builtins, "__name__": "sageval_code", "json": json}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = compile(ast.fix_missing_locations(module), file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _invalid(error, file) from error
    try:
        exec(program, scope)
    except (Exception, SystemExit) as error:
        raise load_error(error, file) from error
    return scope[name]  # type: ignore[no-any-return]


def _defining(body: list[ast.stmt], parameters: tuple[str, ...], single_line: bool) -> tuple[str, ast.Module]:
    """A module that defines the function, and under what name it does."""
    last = body[-1]
    if len(body) == 1 and isinstance(last, ast.Expr) and isinstance(last.value, ast.Lambda):
        assign = ast.Assign([ast.Name("code", ast.Store())], last.value)
        return "code", ast.Module([ast.copy_location(assign, last)], [])
    returns = any(isinstance(node, ast.Return | ast.Raise) for node in _own_nodes(body))
    if isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef) and not returns:
        return last.name, ast.Module(body, [])
    if isinstance(last, ast.Expr) and (len(body) == 1 or (single_line and not returns)):
        body[-1] = ast.copy_location(ast.Return(last.value), last)
    elif not returns:
        raise ConfigError.of("the code never returns anything", hint="put `return` before the result")
    return "code", ast.Module([_function(body, parameters)], [])


def _parsed(code: str, file: str) -> list[ast.stmt]:
    """The statements of code as it stands, or else without the indentation that all its lines have in common."""
    first, newline, rest = code.partition("\n")
    faults: list[Exception] = []
    for text in (f"{first.lstrip()}{newline}{rest}", f"{first.lstrip()}{newline}{textwrap.dedent(rest)}"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text, file).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            faults.append(error)
    raise _invalid(faults[-1], file) from faults[-1]


def _function(body: list[ast.stmt], parameters: tuple[str, ...]) -> ast.stmt:
    """The function `code`; `...args` among its parameters takes the rest of the arguments."""
    names = [ast.arg(name) for name in parameters if not name.startswith("...")]
    rest = next((ast.arg(name[3:]) for name in parameters if name.startswith("...")), None)
    arguments = ast.arguments(posonlyargs=[], args=names, vararg=rest, kwonlyargs=[], kw_defaults=[], defaults=[])
    awaits = any(isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) for node in _own_nodes(body))
    define = ast.AsyncFunctionDef if awaits else ast.FunctionDef
    return define(name="code", args=arguments, body=body, decorator_list=[], lineno=1, col_offset=0)


def _own_nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a function's body, those of functions and classes within it left out."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _SCOPES):
            pending.extend(ast.iter_child_nodes(node))


def _invalid(error: Exception, file: str) -> ConfigError:
    if not isinstance(error, SyntaxError):
        reason = "it is nested too deeply" if isinstance(error, RecursionError | MemoryError) else str(error)
        return ConfigError.of(f"the code is not valid Python: {reason}", hint=_HINT)
    spot = f"line {error.lineno} of the code" if file == INLINE_LINES and error.lineno else "the code"
    at = f", at column {error.offset}" if error.offset else ""
    return ConfigError.of(f"{spot} is not valid Python: {error.msg}{at}", hint=_HINT)
