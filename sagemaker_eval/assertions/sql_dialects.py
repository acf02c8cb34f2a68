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

    def __str__(self) -> str:
        return self.name


@cache
def _features() -> tuple[_Feature, ...]:
    from sqlglot import exp

    return (
        _Feature("`ILIKE`", exp.ILike, _POSTGRES | {"Snowflake", "Trino"}),
        _Feature("`SIMILAR TO`", exp.SimilarTo, _POSTGRES | {"Snowflake", "Trino"}),
        _Feature("`GLOB`", exp.Glob, frozenset({"Sqlite"})),
        _Feature("`REGEXP`", exp.RegexpLike, _MYSQL | _PRESTO | _WAREHOUSES | {"Sqlite", "Hive"}, _is_infix),
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
        _Feature("`TRY_CAST`", exp.TryCast, _PRESTO | _WAREHOUSES | {"TransactSQL"}, _is_written_try_cast),
        _Feature("an array", exp.Array, _LISTS),
        _Feature("an index in brackets", exp.Bracket, _LISTS),
        _Feature("a structure in braces", exp.Struct, _LISTS),
        _Feature("`CONNECT BY`", exp.Connect, frozenset({"Snowflake", "Redshift"})),
        _Feature("a hint with `WITH`", exp.WithTableHint, frozenset({"TransactSQL"})),
        _Feature("`* EXCEPT`", exp.Star, _WAREHOUSES, lambda one: bool(one.args.get("except_"))),
        _Feature(
            "an interval without a unit", exp.Interval, _POSTGRES | {"Snowflake", "Trino", "FlinkSQL"}, _has_no_unit
        ),
        _Feature("`UPDATE … FROM`", exp.Update, _POSTGRES | _WAREHOUSES | {"TransactSQL", "Sqlite"}, _is_from_table),
        _Feature("`WITH ROLLUP`", exp.Rollup, _MYSQL | {"TransactSQL"}, lambda one: not one.expressions),
    )


def _is_infix(regexp: Any) -> bool:
    """`x REGEXP y` rather than a function or `~`, which are told apart by nothing but their meta data."""
    return not regexp.args.get("flag") and not regexp.args.get("full_match")


def _is_written_try_cast(cast: Any) -> bool:
    return bool(cast.args.get("safe", True))


def _has_no_unit(interval: Any) -> bool:
    """`INTERVAL '1 day'`, whose unit the parser takes out of the text."""
    return bool(interval.this) and bool(interval.this.is_string) and not str(interval.this.name).isdigit()


def _is_from_table(update: Any) -> bool:
    return bool(update.args.get("from_"))


def foreign_feature(node: Any, database: str) -> str | None:
    """What of a syntax node a database type does not have; None where it may well have it."""
    if not DATABASES[database]:
        return None
    kind = type(node)
    for feature in _features_of(kind):
        if database not in feature.databases and feature.when(node):
            return str(feature)
    return None


@cache
def _features_of(kind: type[Any]) -> tuple[_Feature, ...]:
    return tuple(feature for feature in _features() if issubclass(kind, feature.node))
