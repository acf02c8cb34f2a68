"""SQL as a database type has it: statements read by `sqlglot`.

`sqlglot` translates between dialects and forgives much; what it forgives is refused here, so that prose that happens to
begin with `select` or `update` is no SQL.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sagemaker_eval.assertions.sql_dialects import DATABASES, foreign_feature

if TYPE_CHECKING:
    from sqlglot import Token, exp
    from sqlglot.dialects.dialect import Dialect

_RESERVED = frozenset(
    {"ALL", "AND", "AS", "BETWEEN", "BY", "CASE", "CREATE", "DELETE", "DISTINCT", "DROP", "ELSE", "EXISTS", "FROM"}
    | {"GROUP", "HAVING", "IN", "INSERT", "INTO", "IS", "JOIN", "LIKE", "LIMIT", "NOT", "NULL", "ON", "OR", "ORDER"}
    | {"SELECT", "SET", "TABLE", "THEN", "UNION", "UPDATE", "VALUES", "WHEN", "WHERE", "WITH"}
)
_SETS = ("expressions", "query", "unnest", "field")
_CURLY_QUOTES = re.compile("[\u2018\u2019\u201c\u201d]")
_COMMAND = re.compile(
    r"""CALL\s+[\w.`"]+\s*(?:\(.*)? | EXPLAIN\s+(?:ANALYZE|DELETE|FORMAT|INSERT|SELECT|UPDATE|VERBOSE|WITH)\b.*
    | GRANT\s.*\sTO\s.* | REVOKE\s.*\sFROM\s.* | RENAME\s+(?:TABLE|USER)\s.*\sTO\s.* | (?:UN)?LOCK\s+TABLES?\b.*
    | SHOW\s+(?:ALL|COLUMNS|CREATE|DATABASES|FIELDS|FULL|FUNCTIONS|GRANTS|INDEX|INDEXES|KEYS|PROCEDURE|PROCESSLIST|ROLES
        |SCHEMAS|STATUS|TABLES|TABLE\s+STATUS|VARIABLES|VIEWS|WARNINGS)\b.*
    | CREATE\s+(?:EXTENSION|ROLE|TRIGGER|TYPE|USER)\s.*""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
"""What `sqlglot` does not look into, and is a statement even so."""
_SYNONYMS = (
    (re.compile(r"(\A|;)(\s*)replace(?=\s+into\b)", re.IGNORECASE), r"\1\2insert"),
    (re.compile(r"(\A|;)(\s*)start(?=\s+transaction\b)", re.IGNORECASE), r"\1\2begin"),
)
"""Beginnings of statements that not every dialect of `sqlglot` knows, and ones that mean the same here."""


class NotSql(ValueError):
    """A text that is not SQL; the message says why."""


def read_statements(text: str, database: str) -> list[exp.Expr]:
    """The statements of a text, of which there is at least one. Raises `NotSql`."""
    from sqlglot import errors

    dialect = _dialect(database)
    for written, known in _SYNONYMS:
        text = written.sub(known, text)
    try:
        tokens = dialect.tokenize(text)
        statements = [one for one in dialect.parser(error_level=errors.ErrorLevel.RAISE).parse(tokens, text) if one]
    except errors.ParseError as error:
        raise NotSql(_parse_fault(error)) from error
    except errors.TokenError as error:
        raise NotSql("a quote or a comment in it is not closed") from error
    except errors.SqlglotError as error:
        raise NotSql("it cannot be parsed") from error
    except RecursionError as error:
        raise NotSql("it is nested too deeply") from error
    if not statements:
        raise NotSql("there is no statement in it")
    _refuse_stray_signs(tokens)
    for statement in statements:
        _refuse_forgiven(statement, tokens)
        for part in statement.walk():
            _refuse_part(part)
            if foreign := foreign_feature(part, database):
                raise NotSql(f"{database} does not have {foreign}")
    return statements


@cache
def _dialect(database: str) -> Dialect:
    from sqlglot.dialects.dialect import Dialect

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of each statement that it does not look into
    return Dialect.get_or_raise(DATABASES[database])


def _parse_fault(error: Any) -> str:
    first = error.errors[0] if error.errors else {}
    if not first.get("line"):
        return "it cannot be parsed"
    near = f" near `{first['highlight']}`" if first.get("highlight") else ""
    return f"it cannot be parsed at line {first['line']}, column {first['col']}{near}"


def _refuse_stray_signs(tokens: Sequence[Token]) -> None:
    """Raises `NotSql` for commas with nothing behind them, and for braces, as templates have them."""
    from sqlglot import TokenType

    no_item = {TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM, TokenType.SEMICOLON}
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.token_type is TokenType.COMMA and (following is None or following.token_type in no_item):
            raise NotSql(f"nothing stands behind the comma at line {token.line}, column {token.col}")
        if token.token_type is TokenType.L_BRACE:
            raise NotSql(f"there is a brace at line {token.line}, column {token.col}")


def _refuse_forgiven(statement: exp.Expr, tokens: Sequence[Token]) -> None:
    """Raises `NotSql` for a statement that lacks a part, and for what is none at all."""
    from sqlglot import exp

    if isinstance(statement, exp.Command):
        rest = statement.expression or ""
        if not _COMMAND.fullmatch(f"{statement.this} {rest if isinstance(rest, str) else rest.name}".strip()):
            raise NotSql(f"`{statement.this}` begins no statement that is known here")
    elif not isinstance(statement, _statement_types()):
        raise NotSql("it is an expression, not a statement")
    elif lacking := _lacking(statement, tokens):
        raise NotSql(lacking)


def _lacking(statement: exp.Expr, tokens: Sequence[Token]) -> str | None:
    """The part that a statement cannot be without, and lacks."""
    from sqlglot import TokenType, exp

    kinds = {token.token_type for token in tokens}
    begun = tokens[0].token_type is not TokenType.FROM and not kinds.isdisjoint({TokenType.SELECT, TokenType.VALUES})
    if isinstance(statement, exp.Query) and not begun:
        return "`SELECT` is missing"
    if isinstance(statement, exp.Update) and not statement.expressions:
        return "`UPDATE` sets nothing"
    if isinstance(statement, exp.Insert) and not statement.expression:
        return "`INSERT` has no values"
    if isinstance(statement, exp.Delete) and TokenType.FROM not in kinds:
        return "`DELETE` has no `FROM`"
    return None


def _refuse_part(part: exp.Expr) -> None:
    for kind, fault_of in _part_checks():
        if isinstance(part, kind) and (fault := fault_of(part)):
            raise NotSql(fault)


@cache
def _part_checks() -> tuple[tuple[type[Any], Callable[[Any], str | None]], ...]:
    """What is wrong with a part of a statement, by its type."""
    from sqlglot import exp

    return (
        (exp.Identifier, _name_fault),
        (exp.Limit, _limit_fault),
        (exp.Insert, _width_fault),
        (exp.Select, lambda select: None if select.expressions else "`SELECT` selects nothing"),
        (exp.Group, lambda group: None if any(group.args.values()) else "`GROUP BY` names nothing"),
        (exp.Use, lambda use: f"`USE` names two things, `{use.this}`" if use.this and use.this.alias else None),
        (exp.In, lambda one: None if any(one.args.get(key) for key in _SETS) else "`IN` has an empty list"),
        (exp.Alias, lambda one: f"`{one.alias}` stands behind `*`" if isinstance(one.this, exp.Star) else None),
    )


def _name_fault(name: exp.Identifier) -> str | None:
    if name.quoted:
        return None
    if _CURLY_QUOTES.search(name.name):
        return f"`{name.name}` has typographic quotes"
    if name.name.upper() in _RESERVED and not _is_limit_all(name):
        return f"`{name.name}` is no name"
    return None


def _is_limit_all(name: exp.Identifier) -> bool:
    from sqlglot import exp

    return name.name.upper() == "ALL" and name.find_ancestor(exp.Limit) is not None


def _limit_fault(limit: exp.Limit) -> str | None:
    count = limit.expression
    if count is not None and count.key == "column" and count.name.upper() != "ALL":
        return f"`LIMIT {count.name}` is no number"
    return None


def _width_fault(insert: exp.Insert) -> str | None:
    from sqlglot import exp

    if not isinstance(insert.this, exp.Schema) or not isinstance(insert.expression, exp.Values):
        return None
    width = len(insert.this.expressions)
    if all(not isinstance(row, exp.Tuple) or len(row.expressions) == width for row in insert.expression.expressions):
        return None
    return f"`INSERT` names {width} columns and has another number of values"


@cache
def _statement_types() -> tuple[type[Any], ...]:
    from sqlglot import exp

    return (
        exp.Query,
        exp.DML,
        exp.Create,
        exp.Drop,
        exp.Alter,
        exp.TruncateTable,
        exp.Use,
        exp.Set,
        exp.Show,
        exp.Describe,
        exp.Transaction,
        exp.Commit,
        exp.Rollback,
        exp.Grant,
        exp.Revoke,
    )
