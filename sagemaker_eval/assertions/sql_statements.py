"""SQL as a database type has it: statements read by `sqlglot`, and the tables and columns that they use.

`sqlglot` translates between dialects and forgives much; what it forgives is refused here, so that prose that happens to
begin with `select` or `update` is no SQL.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.tokens import Token

DATABASES = {
    "Athena": "athena",
    "BigQuery": "bigquery",
    "DB2": "",
    "FlinkSQL": "",
    "Hive": "hive",
    "MariaDB": "mysql",
    "MySQL": "mysql",
    "NoQL": "mysql",
    "PostgreSQL": "postgres",
    "Redshift": "redshift",
    "Snowflake": "snowflake",
    "Sqlite": "sqlite",
    "TransactSQL": "tsql",
    "Trino": "trino",
}
"""The database types of promptfoo, and the dialect of `sqlglot` for each; "" is standard SQL."""

_RESERVED = frozenset(
    """AND AS BETWEEN BY CASE CREATE DELETE DISTINCT DROP ELSE EXISTS FROM GROUP HAVING IN INSERT INTO IS JOIN LIKE LIMIT
    NOT NULL ON OR ORDER SELECT SET TABLE THEN UNION UPDATE VALUES WHEN WHERE WITH""".split()  # noqa: SIM905
)
_COMMANDS = frozenset({"CALL", "EXPLAIN", "GRANT", "LOCK", "RENAME", "REVOKE", "SHOW", "UNLOCK"})
"""What may begin a statement that `sqlglot` does not look into."""


class NotSql(ValueError):
    """A text that is not SQL; the message says why."""


def read_statements(text: str, database: str) -> list[exp.Expr]:
    """The statements of a text, of which there is at least one. Raises `NotSql`."""
    from sqlglot import errors

    dialect = _dialect(database)
    try:
        tokens = dialect.tokenize(text)
        statements = [one for one in dialect.parser(error_level=errors.ErrorLevel.RAISE).parse(tokens, text) if one]
    except errors.ParseError as error:
        raise NotSql(_parse_fault(error)) from error
    except (errors.SqlglotError, RecursionError) as error:
        raise NotSql("it is nested too deeply" if isinstance(error, RecursionError) else str(error)) from error
    if not statements:
        raise NotSql("there is no statement in it")
    _refuse_stray_commas(tokens)
    for statement in statements:
        _refuse_forgiven(statement, tokens)
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


def _refuse_stray_commas(tokens: Sequence[Token]) -> None:
    from sqlglot.tokens import TokenType

    no_item = {TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM, TokenType.SEMICOLON}
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.token_type is TokenType.COMMA and (following is None or following.token_type in no_item):
            raise NotSql(f"nothing stands behind the comma at line {token.line}, column {token.col}")


def _refuse_forgiven(statement: exp.Expr, tokens: Sequence[Token]) -> None:
    """Raises `NotSql` for a statement that lacks a part, and for what is none at all."""
    from sqlglot import exp

    if isinstance(statement, exp.Command):
        if str(statement.this).upper() not in _COMMANDS:
            raise NotSql(f"`{statement.this}` begins no statement that is known here")
    elif not isinstance(statement, _statement_types()):
        raise NotSql("it is an expression, not a statement")
    elif lacking := _lacking(statement, tokens):
        raise NotSql(lacking)
    for part in statement.walk():
        _refuse_part(part)


def _lacking(statement: exp.Expr, tokens: Sequence[Token]) -> str | None:
    """The part that a statement cannot be without, and lacks."""
    from sqlglot import exp
    from sqlglot.tokens import TokenType

    kinds = {token.token_type for token in tokens}
    if isinstance(statement, exp.Query) and TokenType.SELECT not in kinds and TokenType.VALUES not in kinds:
        return "`SELECT` is missing"
    if isinstance(statement, exp.Update) and not statement.expressions:
        return "`UPDATE` sets nothing"
    if isinstance(statement, exp.Insert) and not statement.expression:
        return "`INSERT` has no values"
    if isinstance(statement, exp.Delete) and TokenType.FROM not in kinds:
        return "`DELETE` has no `FROM`"
    return None


def _refuse_part(part: exp.Expr) -> None:
    from sqlglot import exp

    if isinstance(part, exp.Identifier):
        if not part.quoted and part.name.upper() in _RESERVED:
            raise NotSql(f"`{part.name}` is no name")
    elif isinstance(part, exp.Select) and not part.expressions:
        raise NotSql("`SELECT` selects nothing")
    elif isinstance(part, exp.Alias) and isinstance(part.this, exp.Star):
        raise NotSql(f"`{part.alias}` stands behind `*`")
    elif isinstance(part, exp.Group) and not any(part.args.values()):
        raise NotSql("`GROUP BY` names nothing")
    elif isinstance(part, exp.Insert):
        _refuse_other_width(part)


def _refuse_other_width(insert: exp.Insert) -> None:
    from sqlglot import exp

    if not isinstance(insert.this, exp.Schema) or not isinstance(insert.expression, exp.Values):
        return
    width = len(insert.this.expressions)
    if any(isinstance(row, exp.Tuple) and len(row.expressions) != width for row in insert.expression.expressions):
        raise NotSql(f"`INSERT` names {width} columns and has another number of values")


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


def used_tables(statement: exp.Expr) -> Iterator[str]:
    """The uses of tables in a statement as `operation::database::table`, `null` where no database is named."""
    from sqlglot import exp

    operation, targets = _operation(statement)
    if isinstance(statement, exp.Use | exp.Show):
        return
    for table in statement.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.name.lower() == "dual":
            continue
        if id(table) not in targets:
            yield f"select::{table.db or 'null'}::{table.name}"
        elif not isinstance(statement, exp.Create | exp.Drop) or statement.kind == "TABLE":
            yield f"{operation}::{table.db or 'null'}::{table.name}"


def _operation(statement: exp.Expr) -> tuple[str, frozenset[int]]:
    """What a statement does, and the tables that it does it to, by identity; the others it selects from."""
    from sqlglot import exp

    targets: list[Any] = [statement.this] if statement.this else []
    if isinstance(statement, exp.Delete):
        targets += statement.args.get("tables") or []
    if isinstance(statement, exp.TruncateTable):
        targets, operation = list(statement.expressions), "truncate"
    else:
        operation = statement.key
    if operation not in ("insert", "update", "delete", "create", "drop", "alter", "truncate", "merge"):
        return "select", frozenset()
    return operation, frozenset(id(one.this if isinstance(one, exp.Schema) else one) for one in targets)


def used_columns(statement: exp.Expr) -> Iterator[str]:
    """The uses of columns in a statement as `operation::table::column`, `null` where the column stands alone.

    All columns at once are `(.*)`. An alias of a table counts as the table.
    """
    from sqlglot import exp

    tables = {table.alias_or_name: table.name for table in statement.find_all(exp.Table)}
    written = _written_columns(statement)
    for column in statement.find_all(exp.Column):
        if isinstance(column.find_ancestor(exp.OnConflict), exp.OnConflict):
            continue
        operation = "update" if id(column) in written else "select"
        name = "(.*)" if isinstance(column.this, exp.Star) else column.name
        yield f"{operation}::{tables.get(column.table, column.table) or 'null'}::{name}"
    for select in statement.find_all(exp.Select):
        if any(isinstance(one, exp.Star) for one in select.expressions):
            yield "select::null::(.*)"
    for definition in statement.find_all(exp.ColumnDef):
        yield f"select::null::{definition.name}"
        yield f"create::null::{definition.name}"
    yield from _columns_of_target(statement)


def _written_columns(statement: exp.Expr) -> frozenset[int]:
    from sqlglot import exp

    if not isinstance(statement, exp.Update):
        return frozenset()
    return frozenset(id(one.this) for one in statement.expressions if isinstance(one, exp.EQ))


def _columns_of_target(statement: exp.Expr) -> Iterator[str]:
    """What is written to as a whole: rows that are inserted or deleted."""
    from sqlglot import exp

    if isinstance(statement, exp.Delete):
        yield f"delete::{statement.this.name}::(.*)"
    elif isinstance(statement, exp.Insert) and isinstance(statement.this, exp.Schema):
        for column in statement.this.expressions:
            yield f"insert::{statement.this.this.name}::{column.name}"
    elif isinstance(statement, exp.Insert):
        yield f"insert::{statement.this.name}::(.*)"
