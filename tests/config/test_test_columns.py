from __future__ import annotations

import io
from typing import Any

import pytest

from sagemaker_eval.config.csv_tests import read_csv
from sagemaker_eval.config.test_columns import TableOptions
from sagemaker_eval.errors import ConfigError


def entries(text: str, **options: Any) -> list[dict[str, Any]]:
    return [dict(entry.raw) for entry in read_csv(io.StringIO(text, newline=""), "t.csv", TableOptions(**options))]


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        entries(text)
    return str(caught.value)


def test_special_columns_become_parts_of_the_test() -> None:
    (entry,) = entries(
        "q,__prefix,__suffix,__description,__providerOutput,__metric,__threshold,__expected1,__expected2\n"
        "hi,Please: ,!,greeting,canned,tone,0.5,contains: a,b\n"
    )
    assert entry == {
        "vars": {"q": "hi"},
        "options": {"prefix": "Please: ", "suffix": "!"},
        "description": "greeting",
        "providerOutput": "canned",
        "threshold": 0.5,
        "assert": [
            {"type": "contains", "value": "a", "metric": "tone"},
            {"type": "equals", "value": "b", "metric": "tone"},
        ],
    }


def test_blank_cells_are_nothing() -> None:
    header = "q,__prefix,__description,__providerOutput,__metric,__threshold,__expected,__metadata:a,__metadata:b[]"
    (entry,) = entries(f"{header},__config:__expected:threshold\nhi,,,,,  , ,, ,\n")
    assert entry == {"vars": {"q": "hi"}, "description": "Row #1"}


def test_metadata_columns() -> None:
    (entry,) = entries('__metadata:kind,__metadata:tags[]\n easy ,"a, b\\,c ,d"\n')
    assert entry["metadata"] == {"kind": " easy ", "tags": ["a", "b,c", "d"]}
    assert entry["vars"] == {}


def test_a_config_column_sets_the_threshold_of_its_column() -> None:
    header = "__expected1,__expected2,__config:__expected2:threshold"
    both, second, first = entries(f"{header}\nsimilar: a,similar: b,0.3\n,similar: b,0.4\nsimilar: a,,0.5\n")
    assert [assertion["threshold"] for assertion in both["assert"]] == [0.8, 0.3]
    assert both["metadata"] == {"threshold": 0.3}
    assert [assertion["threshold"] for assertion in second["assert"]] == [0.4]
    assert [assertion["threshold"] for assertion in first["assert"]] == [0.8]
    assert "metadata" not in first


def test_a_config_column_may_count_the_columns() -> None:
    (entry,) = entries("__expected,__expected_b,__config:__expected2:threshold\nx,latency,9\n")
    assert entry["assert"][1] == {"type": "latency", "threshold": 9}


def test_assertions_know_their_columns() -> None:
    text = "__expected1,q,__expected2\n,x,a\nb,x,c\n"
    assert [entry.assertion_columns for entry in read_csv(io.StringIO(text), "t.csv")] == [
        ("__expected2",),
        ("__expected1", "__expected2"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q,__expected\nx,contians: y\n", "t.csv:2: column `__expected`: unknown assertion type `contians`"),
        ("__expected2\nok\ncost\n", "t.csv:3: column `__expected2`: `cost` needs a number"),
        ("__threshold\nhigh\n", "t.csv:2: column `__threshold`: must be a number, not the text `high`"),
        (
            "__expected,__config:__expected:threshold\nx,y\n",
            "t.csv:2: column `__config:__expected:threshold`: must be a number, not the text `y`",
        ),
        ("__metadata:\n1\n", "t.csv:1: column `__metadata:` names no key"),
        ("__metadata:[]\n1\n", "t.csv:1: column `__metadata:[]` names no key"),
        ("__config:x\n1\n", "t.csv:1: column `__config:x` is not a setting of an assertion"),
        (
            "__config:__expected:weight\n1\n",
            "t.csv:1: column `__config:__expected:weight` is not a setting of an assertion",
        ),
        (
            "__expected,__config:__expected0:threshold\n1,1\n",
            "t.csv:1: column `__config:__expected0:threshold` is not a setting of an assertion",
        ),
        (
            "__expected,__config:__expected2:threshold\n1,1\n",
            "t.csv:1: column `__config:__expected2:threshold` is about a column that is not there",
        ),
    ],
)
def test_what_is_wrong_names_the_row_and_the_column(text: str, message: str) -> None:
    assert refused(text) == message


def test_look_alikes_are_variables_with_a_notice() -> None:
    notices: list[str] = []
    (entry,) = entries("_expected,__metadata,__provider,_id\na,b,c,d\n", notice=notices.append)
    assert entry["vars"] == {"_expected": "a", "__metadata": "b", "__provider": "c", "_id": "d"}
    assert notices == [
        "t.csv: the column `_expected` is an ordinary variable; did you mean `__expected`?",
        "t.csv: the column `__metadata` is an ordinary variable; did you mean `__metadata:key`?",
        "t.csv: the column `__provider` is an ordinary variable: it has no meaning of its own",
    ]
