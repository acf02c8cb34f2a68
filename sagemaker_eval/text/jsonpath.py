"""From what the user wrote to a parsed JSONPath: promptfoo's JavaScript spelling, and the paths that mean nothing.

jsonpath-ng accepts many paths that find nothing or something else than they seem to; each such path is refused here,
before anything is sent.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.text.suggestions import path_of

JAVASCRIPT_START = re.compile(r"json(?![\w-])")
JAVASCRIPT_STEP = re.compile(
    r"""
    (?:\?\.|\.)(?P<name>[A-Za-z_$][\w$]*)
    | (?:\?\.)?\[\s*(?:(?P<index>\d+)|'(?P<single>[^'\\]*)'|"(?P<double>[^"\\]*)")\s*\]
    """,
    re.VERBOSE,
)
JAVASCRIPT_SIGNS = re.compile(r"=>|===|!==|\bfunction\b|\breturn\b|\bjson\s*[.\[?]|;\s*$|\bJSON\.")
QUERY_SIGNS = re.compile(r"json[^(]*?(?:\.\.|\[\s*(?:[*?]|-\d|\d*:))")
CALLS = re.compile(r"=>|\w\(")
"""What only JSONPath has after `json`, and what only JavaScript has."""

EXAMPLE = "$.choices[0].message.content"
SPELLING_HINT = f"Write keys after dots, indices in brackets and unusual keys in quotes: `{EXAMPLE}`, `$['my key']`."

REPAIRS = tuple(
    (re.compile(pattern), fault, replacement)
    for pattern, fault, replacement in (
        (r"\.+$", "it ends in a dot", ""),
        (r"^\$(?=[A-Za-z_])", "a dot is missing after `$`", "$."),
        (r"^\.(?!\.)", "it begins with a dot", "$."),
        (r"\](?=[A-Za-z_])", "a dot is missing after `]`", "]."),
        (r"\.(?:length|size|count)\(\)$", "it has no functions", ".`len`"),
        (r"\[\(@\.length\s*-\s*(\d+)\)\]", "it has no scripts", r"[-\1]"),
        (
            r"(?:\.|^)((?=[^.\[\]]*[^\x00-\x7f])[^\s.\[\]()'\"]+|where|wherenot|\d+[A-Za-z_]\w*)(?=[.\[]|$)",
            "the key needs quotes",
            r"['\1']",
        ),
    )
)
"""Common slips: what betrays them, what to say, and how they are repaired."""


class JavaScriptExpression(ConfigError):
    """What was written can only be JavaScript: an expression that computes, which no JSONPath does."""


DOTS = (".", "DOUBLEDOT")
NAMES = ("ID", "BOOL", "NULL")
"""Types of jsonpath-ng's tokens; `true` and `null` are names of keys outside of filters."""


def parse_path(source: str) -> Any:
    """The jsonpath-ng tree of a path in JSONPath or in promptfoo's spelling, `json.choices[0].text`.

    Raises `ConfigError` without a place for what is neither, and for paths that can mean nothing;
    `JavaScriptExpression` where it is JavaScript that computes.
    """
    # jsonpath-ng counts columns within lines, and YAML may have folded the path.
    path = _translated(" ".join(source.splitlines()).strip())
    if not path:
        raise ConfigError.of("the response path is empty", hint=f"write a JSONPath such as `{EXAMPLE}`")
    tree = _parsed(path, source)
    _check_tokens(path, source)
    return tree


def _translated(source: str) -> str:
    """JSONPath for promptfoo's `json.a[0].b`; anything that does not begin with `json` as it is."""
    if not JAVASCRIPT_START.match(source):
        return source
    expression = source.rstrip("; \t\n")
    path, end = _chain(expression)
    if end < len(expression):
        raise _javascript(source)
    return path


def _chain(expression: str) -> tuple[str, int]:
    """The JSONPath of the property accesses that follow `json` at the start, and where they end."""
    steps: list[str | int] = []
    position = len("json")
    while match := JAVASCRIPT_STEP.match(expression, position):
        if match["name"] and expression[match.end() :].lstrip().startswith("("):
            break
        index = match["index"]
        steps.append(match["name"] or match["single"] or match["double"] or "" if index is None else int(index))
        position = match.end()
    return path_of(tuple(steps)), position


def _javascript(source: str) -> ConfigError:
    if not QUERY_SIGNS.match(source) or CALLS.search(source):
        return JavaScriptExpression.of(f"`{shown(source)}` is JavaScript, not a JSONPath")
    return ConfigError.of(
        f"`{shown(source)}` is half JavaScript and half JSONPath", hint=_instead(f"${source.removeprefix('json')}")
    )


def _parsed(path: str, source: str) -> Any:
    try:
        return _parse(path)
    except DeprecationWarning as warning:
        raise ConfigError.of(
            f"`{shown(source)}` uses a form of JSONPath that is deprecated, because it is easily misread",
            hint="quote the strings of a filter (`?(@.role=='user')`), and write `&&` for `&`; "
            "alternatives cannot be joined with `|`",
        ) from warning
    except ValueError as error:
        if JAVASCRIPT_SIGNS.search(source):
            raise _javascript(source) from error
        raise _unparsable(path, source, str(error)) from error


def _parse(path: str) -> Any:
    """jsonpath-ng's tree. Raises ValueError where it refuses the path, DeprecationWarning where it will."""
    # The import takes tens of milliseconds, and most runs have no response path.
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse
    from jsonpath_ng.ext.string import DefintionInvalid

    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return parse(path)
        except (JSONPathError, DefintionInvalid, re.error, RecursionError) as error:
            raise ValueError(str(error)) from error


def _unparsable(path: str, source: str, reason: str) -> ConfigError:
    """What is wrong with a path that jsonpath-ng refuses, with the correct spelling where a repair of it parses."""
    message = f"`{shown(source)}` is not a JSONPath"
    first, repaired = "", path
    for pattern, fault, replacement in REPAIRS:
        changed = pattern.sub(replacement, repaired)
        if changed != repaired:
            first, repaired = first or fault, changed
            if mended := _mended(repaired):
                return ConfigError.of(f"{message}: {first}", hint=_instead(mended))
    return ConfigError.of(f"{message}: {first or _reason(path, reason)}", hint=SPELLING_HINT)


def _mended(path: str) -> str:
    """The path without the faults that jsonpath-ng overlooks; empty where it does not parse or nobody can tell."""
    try:
        _parse(path)
    except (ValueError, DeprecationWarning):
        return ""
    while path and (fault := _first_fault(path)):
        path = fault[1]
    return path


def _reason(path: str, reason: str) -> str:
    """jsonpath-ng's reason in fewer words; it counts columns from 0."""
    if "EOF" in reason:
        return "a quoted name is not closed"
    if "end of string" in reason:
        return "it ends too early"
    match = re.search(r":(\d+) near token|col (\d+)", reason)
    if match is None:
        return " ".join(reason.split()) or "it cannot be read"
    column = int(match[1] or match[2])
    return f"`{path[column : column + 1]}` is not expected at character {column + 1}"


def _check_tokens(path: str, source: str) -> None:
    """Refuses what jsonpath-ng parses without complaint although it does not mean what it says."""
    fault = _first_fault(path)
    if fault is None:
        return
    message, repaired = fault
    mended = repaired and _mended(repaired)
    raise ConfigError.of(
        f"`{shown(source)}` is not a JSONPath: {message}", hint=_instead(mended) if mended else SPELLING_HINT
    )


def _first_fault(path: str) -> tuple[str, str] | None:
    """The first thing wrong with a path that parses, and the path without it (empty where nobody can tell)."""
    from jsonpath_ng.ext.parser import ExtendedJsonPathLexer

    tokens: list[Any] = list(ExtendedJsonPathLexer().tokenize(path))
    brackets: list[str] = []
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.type == "[":
            brackets.append(after.type)
        elif token.type == "]":
            brackets.pop()
        elif "?" not in brackets:
            problem = _problem(before, token, after, brackets[-1] if brackets else None)
            if problem:
                message, new = problem
                return message, _replaced(path, before, token, new) if new else ""
    return None


def _problem(before: Any, token: Any, after: Any, bracket: str | None) -> tuple[str, str] | None:
    """What is wrong with a token outside of filters, and what to write in its place (empty: nobody can tell).

    `bracket` is the type of the first token in the brackets around it.
    """
    after_dot = before is not None and before.type in DOTS
    if token.type in NAMES and bracket in NAMES and not getattr(token, "quoted", False):
        name = str(token.value).lower() if token.type == "BOOL" else str(token.value)
        return f"the name `{name}` in brackets lacks quotes", f"'{name}'"
    if token.type == "$" and after_dot:
        return "`$` is the top of the document and has its place at the beginning", ""
    if token.type == "@" and bracket is None:
        return "`@` means something in filters only", "$" if before is None else ""
    if token.type == "NUMBER" and bracket is None:
        begins = before is None and (after is None or after.type in (*DOTS, "["))
        if begins or after_dot:
            return f"`{token.value}` is a key here, not an index", f"[{token.value}]"
    return None


def _replaced(path: str, before: Any, token: Any, new: str) -> str:
    """The path with `new` in place of a token; an index takes the place of the dot before it, too."""
    written = re.compile(r"-?\d+|[\w@-]+", re.ASCII).match(path, token.lexpos)
    end = written.end() if written else token.lexpos + 1
    start = before.lexpos if token.type == "NUMBER" and before is not None and before.type == "." else token.lexpos
    return path[:start] + new + path[end:]


def _instead(path: str) -> str:
    return f"Write `{path}`."


def shown(source: str) -> str:
    """A path or an expression on one line of a message."""
    line = " ".join(source.split())
    return line if len(line) <= 80 else f"{line[:77]}..."
