"""Options of the command line that a configuration sets under `commandLineOptions`, and flags that win over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """\
prompts: ['{{x}} abcdefghijklmnopqrstuvwxyz']
providers: [echo, {id: echo, label: Second}]
tests:
  - {description: first one, metadata: {team: red}, vars: {x: one}}
  - {description: second one, metadata: {team: blue}, vars: {x: two}}
  - {description: the last, vars: {x: three}}
outputPath: out.json
"""


def configure(cli: Cli, options: str, block: str = "commandLineOptions") -> None:
    cli.write("sageval.yaml", f"{CONFIG}{block}: {{{options}}}\n")


def left(cli: Cli) -> list[str]:
    return list(dict.fromkeys(row["vars"]["x"] for row in cli.rows()))


@pytest.mark.parametrize(
    ("options", "flags", "expected"),
    [
        ("filterPattern: one$", (), ["one", "two"]),
        ("filterPattern: one$", ("--filter-pattern", "last"), ["three"]),
        ("filterFirstN: 2", (), ["one", "two"]),
        ("filterFirstN: 2", ("-n", "1"), ["one"]),
        ("filterRange: '1:'", (), ["two", "three"]),
        ("filterRange: '1:'", ("--filter-range", ":1"), ["one"]),
        ("filterMetadata: team=red", (), ["one"]),
        ("filterMetadata: [team=red]", ("--filter-metadata", "team=blue"), ["two"]),
        ("filterPattern: one$, filterRange: '1:'", (), ["two"]),
    ],
)
def test_filters_of_tests(cli: Cli, options: str, flags: tuple[str, ...], expected: list[str]) -> None:
    configure(cli, options)
    assert cli.eval(*flags).code == 0
    assert left(cli) == expected


def test_a_range_of_evaluate_options_counts_last(cli: Cli) -> None:
    configure(cli, "filterRange: '2:'", "evaluateOptions")
    assert cli.eval().code == 0
    assert left(cli) == ["three"]


@pytest.mark.parametrize("key", ["filterProviders", "filterTargets"])
def test_filters_of_columns(cli: Cli, key: str) -> None:
    configure(cli, f"{key}: Second")
    assert cli.eval().code == 0
    assert {row["provider"]["label"] for row in cli.rows()} == {"Second"}


def test_a_sample_is_drawn_by_its_seed(cli: Cli) -> None:
    configure(cli, "filterSample: 2, filterSampleSeed: 7")
    drawn = [cli.eval().code == 0 and left(cli) for _ in range(2)]
    assert drawn[0] == drawn[1] and len(drawn[0] or []) == 2


def test_what_failed_before_is_run_again_unless_a_flag_asks_otherwise(cli: Cli) -> None:
    configure(cli, "")
    text = (cli.folder / "sageval.yaml").read_text().replace("x: two}", "x: two}, assert: [{type: equals, value: no}]")
    cli.write("sageval.yaml", text)
    assert cli.eval("-o", "before.json").code == 1
    cli.write("sageval.yaml", text.replace("Options: {}", "Options: {filterFailing: before.json}"))
    assert cli.eval().code == 1
    assert left(cli) == ["two"]
    assert "leave no test" in cli.eval("--filter-errors-only", "before.json").err


def test_the_table(cli: Cli) -> None:
    configure(cli, "table: false, tableCellMaxLength: 12")
    assert "abcdef" not in cli.eval().out
    assert "│ one abcdefgh… " in cli.eval("--table").out
    assert "klmnop" in cli.eval("--table", "--table-cell-max-length", "40").out


@pytest.mark.parametrize(
    ("block", "option"), [("commandLineOptions", "progressBar"), ("evaluateOptions", "showProgressBar")]
)
def test_progress(cli: Cli, block: str, option: str) -> None:
    configure(cli, f"{option}: false", block)
    assert "Running" not in cli("eval").err
    assert "Running" in cli("eval", "--progress-bar").err


def test_the_record(cli: Cli) -> None:
    configure(cli, "write: false")
    assert "run recorded" not in cli.eval().err
    assert "run recorded" in cli.eval("--write").err


def test_the_log_on_stderr(cli: Cli) -> None:
    configure(cli, "verbose: false")
    assert "INFO" not in cli.eval().err
    assert "INFO" in cli.eval("--verbose").err
    configure(cli, "verbose: true")
    assert "INFO" in cli.eval().err


def test_outputs(cli: Cli) -> None:
    configure(cli, "output: mine.json")
    assert cli.eval().code == 0
    assert sorted(path.name for path in cli.folder.glob("*.json")) == ["mine.json"]


def test_files_of_variables_reach_the_run(cli: Cli) -> None:
    cli.write("some.env", "PROMPTFOO_PASS_RATE_THRESHOLD=0\nGREETING=Hello\n")
    cli.write("other.env", "GREETING=Salut\n")
    cli.write(
        "sageval.yaml",
        "prompts: ['{{env.GREETING}}']\nproviders: [echo]\noutputPath: out.json\n"
        "tests: [{assert: [{type: equals, value: something else}]}]\n"
        "commandLineOptions: {envPath: some.env}\n",
    )
    assert cli.eval().code == 0
    assert cli.rows()[0]["response"]["output"] == "Hello"
    assert cli.eval("--env-file", "other.env").code == 1
    assert cli.rows()[0]["response"]["output"] == "Salut"


def test_filters_of_the_user_are_known_to_templates(cli: Cli) -> None:
    cli.write("filters/shout.js", "module.exports = (text, mark) => text.toUpperCase() + mark")
    cli.write("filters/words.py", "def backwards(text):\n    return text[::-1]\n")
    cli.write(
        "sageval.yaml",
        "prompts: ['{{x | shout(\"!\")}} {{x | backwards}}']\nproviders: [echo]\noutputPath: out.json\n"
        "nunjucksFilters: {shout: filters/*.js}\nfilters: {backwards: 'file://filters/words.py:backwards'}\n"
        "tests: [{vars: {x: abc}}]\n",
    )
    ran = cli.eval()
    assert ran.code == 0, ran.err
    assert cli.rows()[0]["response"]["output"] == "ABC! cba"
