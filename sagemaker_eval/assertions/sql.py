"""Assertions on SQL: is-sql and contains-sql, with the tables and columns that may be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, decide, shortened
from sagemaker_eval.assertions.regex.nodes import PatternError
from sagemaker_eval.assertions.regex.syntax import parse
from sagemaker_eval.assertions.regex.translation import translate
from sagemaker_eval.assertions.sql_dialects import DATABASES
from sagemaker_eval.assertions.sql_statements import NotSql, read_statements
from sagemaker_eval.assertions.sql_uses import used_columns, used_tables
from sagemaker_eval.assertions.values import refuse_unknown_keys, value_reader
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.registry import nearest_name

if TYPE_CHECKING:
    from sqlglot import exp

_BEGINNING = re.compile(r"[\s(;]*+(?:[a-zA-Z]|--|/\*|\#|\Z)")
_OPENING_FENCE = re.compile(r"[ \t]{0,3}(?P<fence>`{3,}|~{3,})(?P<language>.*)")
_LINE_END = re.compile(r"\r\n?|\n")
_NO_CODE = re.compile(
    r"""--[^\r\n]*+ | \#[^\r\n]*+ | /\*.*?(?:\*/|\Z)
    | (?P<text>'(?:[^'\\]|\\.|'')*+(?:'|\Z) | "(?:[^"\\]|\\.|"")*+(?:"|\Z) | `(?:[^`\\]|\\.|``)*+(?:`|\Z))""",
    re.VERBOSE | re.DOTALL,
)
_MODIFIERS = r"(?:all|distinct|distinctrow|high_priority|straight_join|sql_[a-z_]+)"
_TWO_NAMES = re.compile(
    rf"\bselect\s++(?:{_MODIFIERS}\s++)*+(?!{_MODIFIERS}\b)[a-z_]\w*+\s++[a-z_]\w*+\s++from\b", re.IGNORECASE | re.ASCII
)
_SERIES = re.compile(r"\bgenerate_series\s*\(", re.IGNORECASE)


class _Allowed(Protocol):
    def search(self, string: str) -> object | None: ...


@dataclass(frozen=True, slots=True)
class SqlRules:
    """What SQL must be: of a database type, with uses that match one of the patterns; None allows all."""

    database: str
    tables: tuple[_Allowed, ...] | None = None
    columns: tuple[_Allowed, ...] | None = None

    def fault(self, text: str) -> str | None:
        """What keeps a text from being such SQL, None where nothing does."""
        text = text.strip()
        try:
            _refuse_suspicious(text, self.database)
            statements = read_statements(text, self.database)
        except NotSql as error:
            return str(error)
        return _forbidden("tables", self.tables, statements, used_tables) or _forbidden(
            "columns", self.columns, statements, used_columns
        )


@ASSERTIONS.register("is-sql")
def is_sql(spec: AssertionSpec) -> Check:
    """The whole output is SQL of the `databaseType` in `value` (MySQL where none is named).

    With `allowedTables` and `allowedColumns` it uses nothing else.
    """
    rules_for = value_reader(spec, lambda value: _rules(spec, value))

    def check(subject: Subject) -> Verdict:
        rules = rules_for(subject)
        fault = rules.fault(subject.text)
        return decide(spec, fault is None, f"to be {rules.database} SQL" + (f"; {fault}" if fault else ""))

    return check


@ASSERTIONS.register("contains-sql")
def contains_sql(spec: AssertionSpec) -> Check:
    """A code block of the output is SQL, as for is-sql; where it has no `sql` or plain blocks, the whole output is."""
    rules_for = value_reader(spec, lambda value: _rules(spec, value))

    def check(subject: Subject) -> Verdict:
        rules = rules_for(subject)
        fault: str | None = "there is none"
        for candidate in list(sql_blocks(subject.text)) or [subject.text]:
            if candidate.strip() and (fault := rules.fault(candidate)) is None:
                break
        return decide(spec, fault is None, f"to contain {rules.database} SQL" + (f"; {fault}" if fault else ""))

    return check


def sql_blocks(text: str) -> Iterator[str]:
    """The contents of the closed code blocks of a Markdown text that are marked `sql` or not marked at all."""
    opening: re.Match[str] | None = None
    lines: list[str] = []
    for line in _LINE_END.split(text):
        found = _OPENING_FENCE.match(line)
        if opening is None:
            opening, lines = found, []
        elif found and found["fence"].startswith(opening["fence"]) and not found["language"].strip(" \t"):
            if opening["language"].strip().lower() in ("", "sql"):
                yield "\n".join(lines)
            opening = None
        else:
            lines.append(line)


def _refuse_suspicious(text: str, database: str) -> None:
    """Raises `NotSql` for what a parser takes for SQL although it is a slip, as promptfoo does."""
    if not _BEGINNING.match(text):
        raise NotSql("it does not begin as a statement does")
    if text.count("`") % 2:
        raise NotSql("a backtick is not closed")
    code = _NO_CODE.sub(lambda found: " ? " if found["text"] else " ", text)
    if found := _TWO_NAMES.search(code):
        raise NotSql(f"a comma seems to be missing in `{shortened(found[0], 80)}`")
    if database == "MySQL" and _SERIES.search(text):
        raise NotSql("`generate_series` is not MySQL")


def _forbidden(
    what: str,
    allowed: tuple[_Allowed, ...] | None,
    statements: Iterable[exp.Expr],
    uses: Callable[[exp.Expr], Iterable[str]],
) -> str | None:
    if not allowed:
        return None
    if any(statement.key == "command" for statement in statements):
        return f"which {what} it uses is not known"
    used = dict.fromkeys(use for statement in statements for use in uses(statement))
    more = [use for use in used if not any(pattern.search(use) for pattern in allowed)]
    return f"it uses {what} that are not allowed: {shortened(', '.join(f'`{use}`' for use in more))}" if more else None


def _rules(spec: AssertionSpec, value: Json) -> SqlRules:
    if value is None:
        return SqlRules("MySQL")
    if not isinstance(value, dict):
        hint = "for example `value: {databaseType: PostgreSQL}`"
        raise ConfigError.of(f"the value of `{spec.type}` must be an object", hint=hint)
    refuse_unknown_keys(spec, value, ("databaseType", "allowedTables", "allowedColumns"))
    columns = _patterns(spec, value, "allowedColumns")
    return SqlRules(
        _database(spec, value.get("databaseType")),
        _compiled(spec, _patterns(spec, value, "allowedTables")),
        _compiled(spec, columns + [open_form for one in columns if (open_form := _without_table(one))]),
    )


def _database(spec: AssertionSpec, name: Json) -> str:
    if name is None:
        return "MySQL"
    for known in DATABASES:
        if isinstance(name, str) and name.lower() == known.lower():
            return known
    nearest = nearest_name(str(name), tuple(DATABASES))
    hint = f"did you mean `{nearest}`?" if nearest else f"known: {', '.join(f'`{known}`' for known in DATABASES)}"
    raise ConfigError.of(f"`{spec.type}` knows no database type `{name}`", hint=hint)


def _patterns(spec: AssertionSpec, value: dict[str, Json], key: str) -> list[str]:
    patterns = value.get(key)
    if patterns is None:
        return []
    if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
        hint = f"for example `{key}: ['select::null::users']`"
        raise ConfigError.of(f"`{key}` in the value of `{spec.type}` must be a list of texts", hint=hint)
    return patterns


def _without_table(pattern: str) -> str | None:
    """The pattern of a column of some table, as it stands where the statement does not name the table."""
    parts = pattern.split("::")
    return f"{parts[0]}::null::{parts[2]}" if len(parts) == 3 and parts[1] != "null" else None


def _compiled(spec: AssertionSpec, patterns: list[str]) -> tuple[_Allowed, ...] | None:
    return tuple(_compile(spec, pattern) for pattern in patterns) or None


def _compile(spec: AssertionSpec, pattern: str) -> _Allowed:
    """A pattern of JavaScript for a whole use, upper and lower case being the same."""
    import regex  # type: ignore[import-untyped]

    try:
        compiled: Any = regex.compile(translate(parse(f"^{pattern}$", False)), regex.V0 | regex.IGNORECASE)
    except (PatternError, regex.error) as error:
        raise ConfigError.of(f"`{pattern}` in the value of `{spec.type}` is no regular expression: {error}") from error
    allowed: _Allowed = compiled
    return allowed
