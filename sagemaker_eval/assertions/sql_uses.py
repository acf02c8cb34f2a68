"""Which tables and columns an SQL statement uses, and for what, in the words of promptfoo's allow lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

_OPERATIONS = {"truncatetable": "truncate"}


def used_tables(statement: exp.Expr) -> Iterator[str]:
    """The uses of tables as `operation::database::table`, with `null` where no database is named.

    What a statement creates, changes or drops is used by that operation, be it a table, a view or an index; all other
    tables in it are selected from.
    """
    from sqlglot import exp

    if isinstance(statement, exp.Use):
        yield f"use::{statement.this.name if statement.this else 'null'}::null"
        return
    operation, targets = _operation(statement)
    for table in statement.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and table.name.lower() != "dual":
            use = operation if id(table) in targets else "select"
            yield f"{use}::{table.db or 'null'}::{table.name}"


def _operation(statement: exp.Expr) -> tuple[str, frozenset[int]]:
    """What a statement does, and the tables that it does it to, by identity."""
    from sqlglot import exp

    if isinstance(statement, exp.Query | exp.Describe | exp.Show | exp.Set):
        into = statement.args.get("into")
        return "create", frozenset({id(into.this)} if into else ())
    targets: list[Any] = [statement.this, statement.args.get("securable"), *statement.expressions]
    targets += statement.args.get("tables") or []
    targets = [one.this if isinstance(one, exp.Schema) else one for one in targets]
    return _OPERATIONS.get(statement.key, statement.key), frozenset(map(id, targets))


def used_columns(statement: exp.Expr) -> Iterator[str]:
    """The uses of columns as `operation::table::column`, with `null` where the column stands alone.

    All columns at once are `(.*)`. An alias of a table counts as the table.
    """
    from sqlglot import exp

    if isinstance(statement, exp.Set):
        return
    tables = {table.alias_or_name: table.name for table in statement.find_all(exp.Table)}
    written = _written_columns(statement)
    for column in statement.find_all(exp.Column):
        operation = "update" if id(column) in written else "select"
        name = "(.*)" if isinstance(column.this, exp.Star) else column.name
        if not isinstance(column.this, exp.Parameter) and not column.find_ancestor(exp.OnConflict):
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

    target = statement.this
    if isinstance(statement, exp.Delete):
        yield f"delete::{target.name}::(.*)"
    elif isinstance(statement, exp.Insert) and isinstance(target, exp.Schema):
        for column in target.expressions:
            yield f"insert::{target.this.name}::{column.name}"
    elif isinstance(statement, exp.Insert):
        yield f"insert::{target.name}::(.*)"
