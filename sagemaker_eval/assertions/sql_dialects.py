"""The database types of SQL assertions, and which of them lack what the parser takes from any of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

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
"""The database types of promptfoo, and the dialect of `sqlglot` for each; "" is SQL of no certain dialect."""

_POSTGRES = frozenset({"PostgreSQL", "Redshift"})
_MYSQL = frozenset({"MySQL", "MariaDB", "NoQL"})
_PRESTO = frozenset({"Athena", "Trino"})
_WAREHOUSES = frozenset({"BigQuery", "Snowflake"})
_LISTS = _POSTGRES | _PRESTO | _WAREHOUSES | {"Hive"}


@dataclass(frozen=True, slots=True)
class _Feature:
    """Something that only some database types have: a sort of syntax node, where `when` holds for it."""

    name: str
    node: type[Any]
    databases: frozenset[str]
    when: Callable[[Any], bool] = bool


@cache
def _features() -> tuple[_Feature, ...]:
    from sqlglot import exp

    return (
        _Feature("`ILIKE`", exp.ILike, _POSTGRES | {"Snowflake", "Trino"}),
        _Feature("`SIMILAR TO`", exp.SimilarTo, _POSTGRES | {"Snowflake", "Trino"}),
        _Feature("`GLOB`", exp.Glob, frozenset({"Sqlite"})),
        _Feature("`RETURNING`", exp.Returning, _POSTGRES | {"Sqlite", "MariaDB", "Snowflake", "Trino"}),
        _Feature("`ON DUPLICATE KEY`", exp.OnConflict, _MYSQL, lambda one: bool(one.args.get("duplicate"))),
        _Feature(
            "`ON CONFLICT`",
            exp.OnConflict,
            _POSTGRES | {"Sqlite", "Snowflake", "Trino"},
            lambda one: not one.args.get("duplicate"),
        ),
        _Feature("`INSERT OR …`", exp.Insert, frozenset({"Sqlite"}), lambda one: bool(one.args.get("alternative"))),
        _Feature("`QUALIFY`", exp.Qualify, _WAREHOUSES | {"Redshift"}),
        _Feature("`TABLESAMPLE`", exp.TableSample, _LISTS | {"TransactSQL"}),
        _Feature("`LATERAL VIEW`", exp.Lateral, frozenset({"Hive"}), lambda one: bool(one.args.get("view"))),
        _Feature("`UNNEST`", exp.Unnest, _LISTS - {"Hive"}),
        _Feature("`PIVOT`", exp.Pivot, _WAREHOUSES | {"TransactSQL", "Redshift"}),
        _Feature("`FILTER`", exp.Filter, _POSTGRES | _PRESTO | {"Sqlite", "Snowflake"}),
        _Feature(
            "`TRY_CAST`",
            exp.TryCast,
            _PRESTO | _WAREHOUSES | {"TransactSQL"},
            lambda one: one.args.get("safe") is not False,
        ),
        _Feature("an array", exp.Array, _LISTS),
        _Feature("an index in brackets", exp.Bracket, _LISTS),
        _Feature("`STRUCT`", exp.Struct, frozenset({"BigQuery", "Hive"})),
        _Feature("`CONNECT BY`", exp.Connect, frozenset({"Snowflake", "Redshift"})),
        _Feature("a hint with `WITH`", exp.WithTableHint, frozenset({"TransactSQL"})),
        _Feature("`* EXCEPT`", exp.Star, _WAREHOUSES, lambda one: bool(one.args.get("except_"))),
        _Feature(
            "`UPDATE … FROM`",
            exp.Update,
            _POSTGRES | _WAREHOUSES | {"TransactSQL", "Sqlite"},
            lambda one: bool(one.args.get("from_")),
        ),
        _Feature("`WITH ROLLUP`", exp.Rollup, _MYSQL | {"TransactSQL"}, lambda one: not one.expressions),
    )


def foreign_feature(node: Any, database: str) -> str | None:
    """What of a syntax node a database type does not have; None where it may well have it."""
    if not DATABASES[database]:
        return None
    for feature in _features():
        if isinstance(node, feature.node) and database not in feature.databases and feature.when(node):
            return feature.name
    return None
