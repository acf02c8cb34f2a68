"""Whatever a variable holds reaches the provider: byte for byte in text, as that very text in JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

RUNS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)

LITERAL = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\"'\\\n\r\t&<>{}%#$,; \u2028\ufeff\0"))
).filter(lambda text: "{{" not in text and "{%" not in text and not text.startswith("file://") and text[-1:] != "\n")
"""Any text that is a value and nothing else: no template, no file, and nothing to be trimmed."""


def suite(cli: Cli, values: list[str]) -> None:
    """A configuration, as JSON, that sends each value through a text prompt and through one of each JSON kind."""
    cli.write("text.txt", "{{v}}")
    cli.write("chat.json", '[{"role": "user", "content": ["{{v}}"]}]')
    cli.write("chat.yaml", "- role: user\n  content:\n    - '{{ v }}'\n")
    cli.write("chat.jsonl", '[{"content": ["{{v}}"]}]\n')
    config = {
        "providers": ["echo"],
        "prompts": ["{{v}}", "file://text.txt", "file://chat.json", "file://chat.yaml", "file://chat.jsonl"],
        "tests": [{"vars": {"v": value}} for value in values],
    }
    cli.write("sageval.json", json.dumps(config))


def outputs(cli: Cli, *arguments: str) -> list[list[str]]:
    """What echo answered, for each test in order: one output for each prompt."""
    ran = cli.eval(*arguments, "--no-cache", "--no-write", "-o", "out.json")
    assert ran.code == 0, ran.err
    rows: dict[int, list[str]] = {}
    for row in cli.rows():
        rows.setdefault(row["testIdx"], []).append(row["response"]["output"])
    return [rows[index] for index in sorted(rows)]


@RUNS
@given(st.lists(LITERAL, min_size=1, max_size=8))
def test_any_literal_arrives(cli: Cli, values: list[str]) -> None:
    suite(cli, values)

    for value, (inline, file, *chats) in zip(values, outputs(cli, "-c", "sageval.json"), strict=True):
        assert [inline, file] == [value, value]
        assert [json.loads(chat)[0]["content"] for chat in chats] == [[value]] * 3


@RUNS
@given(st.lists(LITERAL.filter(lambda text: "\0" not in text), min_size=1, max_size=8))
def test_any_literal_arrives_out_of_a_table(cli: Cli, values: list[str]) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerows([["v", "note"], *([value, "-"] for value in values)])
    (cli.folder / "tests.csv").write_bytes(written.getvalue().encode())
    cli.write("run.yaml", "prompts: ['{{v}}', '{\"v\": \"{{v}}\"}']\nproviders: [echo]\ntests: tests.csv\n")

    found = outputs(cli, "-c", "run.yaml")

    assert [text for text, _ in found] == values
    assert [json.loads(document)["v"] for _, document in found] == values


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("ends\n", "ends"),
        ("ends twice\n\n", "ends twice\n"),
        ("\n", ""),
        ("{{ name }}", "Ada"),
        ('"{{ name | upper }}"', '"ADA"'),
        ("{% if name %}yes{% endif %}", "yes"),
        ("{# no comment #}", "{# no comment #}"),
        ("{{ unknown }}", "{{ unknown }}"),
        ("{{ not closed", "{{ not closed"),
        ("file://name.txt", "Grace"),
        (" file://name.txt", " file://name.txt"),
        ("see file://name.txt", "see file://name.txt"),
    ],
)
def test_what_is_more_than_a_literal(cli: Cli, value: str, arrives: str) -> None:
    cli.write("name.txt", "  Grace\n")
    suite(cli, [value])
    config: dict[str, Json] = json.loads((cli.folder / "sageval.json").read_text())
    config["tests"][0]["vars"]["name"] = "Ada"
    cli.write("sageval.json", json.dumps(config))

    ((inline, file, *chats),) = outputs(cli, "-c", "sageval.json")

    assert [inline, file] == [arrives, arrives]
    assert [json.loads(chat)[0]["content"] for chat in chats] == [[arrives]] * 3


def test_half_a_character_is_refused_before_anything_is_sent(cli: Cli) -> None:
    suite(cli, ["whole"])
    text = (cli.folder / "sageval.json").read_text().replace("whole", "\\ud83d")
    cli.write("sageval.json", text)

    ran = cli.eval("-c", "sageval.json")

    assert ran.code == 2
    assert "the escape `\\ud83d` is half of a character" in ran.err
