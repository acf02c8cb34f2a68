"""What is-sql and contains-sql say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.sql import sql_blocks
from sagemaker_eval.assertions.sql_statements import read_statements
from sagemaker_eval.assertions.sql_uses import used_columns, used_tables
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]
USERS = {"allowedTables": ["select::null::users"]}
NAMES = {"allowedColumns": ["select::users::(id|name)"]}


@pytest.mark.parametrize(
    ("type", "output", "value", "passed"),
    [
        ("is-sql", "SELECT id, name FROM users WHERE age > 3", None, True),
        ("is-sql", "SELEC * FROM x", None, False),
        ("is-sql", "Select the best option from the list", None, False),
        ("is-sql", "hello world", None, False),
        ("is-sql", "", None, False),
        ("is-sql", "-- nothing but a comment", None, False),
        ("is-sql", "SELECT a FROM t WHERE b ILIKE 'x'", {"databaseType": "PostgreSQL"}, True),
        ("is-sql", "SELECT a FROM t WHERE b ILIKE 'x'", {"databaseType": "MySQL"}, False),
        ("is-sql", "SELECT TOP 10 * FROM t", {"databaseType": "transactsql"}, True),
        ("is-sql", "SELECT * FROM users", USERS, True),
        ("is-sql", "SELECT * FROM orders", USERS, False),
        ("is-sql", "DROP TABLE users", USERS, False),
        ("is-sql", "DROP VIEW v", USERS, False),
        ("is-sql", "SELECT u.id, name FROM users u", NAMES, True),
        ("is-sql", "SELECT * FROM users", NAMES, False),
        ("is-sql", "SELECT 1", USERS, True),
        ("contains-sql", "Here:\n```sql\nSELECT 1\n```\nDone.", None, True),
        ("contains-sql", "```\nSELECT 1\n```", None, True),
        ("contains-sql", "```python\nSELECT 1\n```", None, False),
        ("contains-sql", "SELECT 1", None, True),
        ("contains-sql", "Here: SELECT 1", None, False),
        ("contains-sql", "```sql\nhello\n```\n~~~sql\nSELECT 1\n~~~", None, True),
    ],
)
def test_sql_and_its_opposite(judged: Judged, type: str, output: str, value: Json, passed: bool) -> None:
    assert judged(output, type, value).passed is passed
    assert judged(output, f"not-{type}", value).passed is not passed


@pytest.mark.parametrize(
    ("output", "value", "reason"),
    [
        ("hello", None, "Expected output to be MySQL SQL; it is an expression, not a statement"),
        ("SELECT (1", None, "Expected output to be MySQL SQL; it cannot be parsed at line 1, column 9 near `1`"),
        ("SELECT 'a", None, "Expected output to be MySQL SQL; a quote or a comment in it is not closed"),
        (
            "SELECT a, FROM t",
            None,
            "Expected output to be MySQL SQL; nothing stands behind the comma at line 1, column 9",
        ),
        (
            "SELECT a b FROM t",
            None,
            "Expected output to be MySQL SQL; a comma seems to be missing in `SELECT a b FROM`",
        ),
        ("SELECT `a FROM t", None, "Expected output to be MySQL SQL; a backtick is not closed"),
        ("UPDATE t", None, "Expected output to be MySQL SQL; `UPDATE` sets nothing"),
        ("SELECT a FROM order", None, "Expected output to be MySQL SQL; `order` is no name"),
        (
            "INSERT INTO t (a, b) VALUES (1)",
            None,
            "Expected output to be MySQL SQL; `INSERT` names 2 columns and has another number of values",
        ),
        (
            "SELECT a FROM t QUALIFY 1",
            {"databaseType": "PostgreSQL"},
            "Expected output to be PostgreSQL SQL; PostgreSQL does not have `QUALIFY`",
        ),
        (
            "DELETE FROM users",
            USERS,
            "Expected output to be MySQL SQL; it uses tables that are not allowed: `delete::null::users`",
        ),
        ("CALL p(1)", USERS, "Expected output to be MySQL SQL; which tables it uses is not known"),
    ],
)
def test_a_failure_says_what_is_wrong(judged: Judged, output: str, value: Json, reason: str) -> None:
    assert judged(output, "is-sql", value).reason == reason


@pytest.mark.parametrize(
    ("statement", "tables", "columns"),
    [
        (
            "SELECT u.id, total FROM db.users u JOIN orders o ON u.id = o.uid",
            {"select::db::users", "select::null::orders"},
            {"select::users::id", "select::null::total", "select::orders::uid"},
        ),
        ("SELECT count(*), t.* FROM t", {"select::null::t"}, {"select::t::(.*)"}),
        ("UPDATE t SET a = 1 WHERE b = 2", {"update::null::t"}, {"update::null::a", "select::null::b"}),
        (
            "INSERT INTO t (a) SELECT b FROM u",
            {"insert::null::t", "select::null::u"},
            {"insert::t::a", "select::null::b"},
        ),
        ("REPLACE INTO t VALUES (1)", {"insert::null::t"}, {"insert::t::(.*)"}),
        ("DELETE FROM t", {"delete::null::t"}, {"delete::t::(.*)"}),
        ("TRUNCATE TABLE t", {"truncate::null::t"}, set()),
        ("USE db", {"use::db::null"}, set()),
        ("SELECT 1 FROM dual", set(), set()),
    ],
)
def test_uses_are_named_by_operation(statement: str, tables: set[str], columns: set[str]) -> None:
    (parsed,) = read_statements(statement, "MySQL")
    assert set(used_tables(parsed)) == tables
    assert set(used_columns(parsed)) == columns


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("```sql\na\nb\n```", ["a\nb"]),
        ("   ```SQL\na\n   ```", ["a"]),
        ("```\na\n```\n```js\nb\n```", ["a"]),
        ("````sql\n```\na\n````", ["```\na"]),
        ("~~~sql\na\n```\n~~~", ["a\n```"]),
        ("```sql\nnever closed", []),
        ("    ```sql\na\n    ```", []),
        ("no block", []),
    ],
)
def test_code_blocks_are_those_of_markdown(text: str, blocks: list[str]) -> None:
    assert list(sql_blocks(text)) == blocks


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("MySQL", "the value of `is-sql` must be an object"),
        ({"databaseType": "Postgres"}, "`is-sql` knows no database type `Postgres`"),
        ({"database": "MySQL"}, "unknown key `database` in the value of `is-sql`"),
        ({"allowedTables": "users"}, "`allowedTables` in the value of `is-sql` must be a list of texts"),
        ({"allowedTables": ["("]}, "`(` in the value of `is-sql` is no regular expression"),
    ],
)
def test_a_value_that_cannot_be_judged_by_is_refused_beforehand(judged: Judged, value: Json, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        judged("SELECT 1", "is-sql", value)
    assert str(caught.value).startswith(message)


def test_deep_nesting_is_no_sql(judged: Judged) -> None:
    assert "nested too deeply" in judged("SELECT " + "(" * 5000, "is-sql").reason
