"""`sageval validate`: everything that a run would stumble over, and nothing that only a call needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

GOOD = {
    "prompts": "['Say {{x}}']",
    "providers": "[sagemaker:e]",
    "tests": "[{vars: {x: 1}, assert: [{type: contains, value: a}]}]",
}


def config(**parts: str) -> str:
    return "".join(f"{key}: {value}\n" for key, value in (GOOD | parts).items())


def asserting(assertion: str) -> dict[str, str]:
    return {"tests": f"[{{assert: [{assertion}]}}]"}


def test_a_line_says_what_there_is(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    cli.write(
        "sageval.yaml",
        config(
            prompts="['Say {{x}}', 'Sing {{x}}']",
            providers="[sagemaker:e, echo]",
            tests="[{vars: {x: [a, b]}, assert: [{type: contains, value: a}, {type: latency, threshold: 5}]}]",
        ),
    )
    ran = cli("validate")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "valid: 2 providers, 2 prompts, 1 test, 8 cases, 2 assertions\n"
    assert sandbox.count() == 0
    assert {path.name for path in cli.folder.parent.iterdir()} == {"home", "work"}


def test_no_aws_setting_of_any_kind_is_needed(cli: Cli) -> None:
    cli.write("sageval.yaml", config(providers="[{id: 'sagemaker:e', config: {profile: nobody-has-it}}]"))
    command = [sys.executable, "-m", "sagemaker_eval", "validate"]
    ran = subprocess.run(command, capture_output=True, text=True, env={}, cwd=cli.folder, check=False)
    assert (ran.returncode, ran.stdout) == (0, "valid: 1 provider, 1 prompt, 1 test, 1 case, 1 assertion\n")
    assert ran.stderr == ""


def test_broken_aws_files_are_not_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(cli.write("aws", "[default\nregion")))
    cli.write("sageval.yaml", config())
    assert cli("validate").code == 0


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ("[{vars: {x: 1}}]", "no test has an assertion"),
        ("[{vars: {x: 1}}, {vars: {x: 2}, assert: [{type: contains, value: a}]}]", "1 of 2 tests has no assertion"),
    ],
)
def test_tests_without_assertions_are_noticed(cli: Cli, tests: str, told: str) -> None:
    cli.write("sageval.yaml", config(tests=tests))
    ran = cli("validate")
    assert ran.code == 0
    assert ran.err == f"note: {told}: answers are shown and not judged\n"


WRONG: Mapping[str, tuple[dict[str, str], str, str]] = {
    "unknown key": ({"promts": "[Hi]"}, "sageval.yaml:4:1: unknown key `promts`", "did you mean `prompts`?"),
    "wrong type": ({"description": "3"}, "sageval.yaml:4:14: `description` must be text", "put it in quotes"),
    "provider": ({"providers": "[openai:gpt-4]"}, "sageval.yaml:2:13: ", "openai:gpt-4"),
    "model type": (
        {"providers": "[{id: 'sagemaker:e', config: {modelType: lama}}]"},
        "sageval.yaml:2:53: unknown model type `lama`",
        "did you mean `llama`?",
    ),
    "assertion type": (
        asserting("{type: contain, value: a}"),
        "sageval.yaml:3:26: unknown assertion type `contain`",
        "did you mean `contains`?",
    ),
    "filter": ({"prompts": "['{{ x | uper }}']"}, "sageval.yaml:1:", "did you mean `upper`?"),
    "missing file": ({"prompts": "[file://nope.txt]"}, "sageval.yaml:1:11: the file of `file://nope.txt`", "nope.txt"),
    "schema": (asserting("{type: is-json, value: {type: objekt}}"), "sageval.yaml:3:", ""),
    "regex": (asserting("{type: regex, value: '('}"), "sageval.yaml:3:", ""),
    "jsonpath": (
        {"providers": "[{id: 'sagemaker:e', config: {responseFormat: {path: '$.a[b'}}}]"},
        "sageval.yaml:2:",
        "",
    ),
    "template": ({"prompts": "['Say {{x']"}, "sageval.yaml:1:11: template syntax", ""),
    "misplaced assert": (
        {"tests": "[{vars: {x: 1, assert: [{type: contains, value: a}]}}]"},
        "sageval.yaml:3:23: `assert` stands among the variables",
        "move it out of `vars`",
    ),
    "output": ({"outputPath": "sageval.yaml/out.json"}, "cannot write `sageval.yaml/out.json`", ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_problem_has_its_place_and_the_way_out(cli: Cli, name: str) -> None:
    parts, message, hint = WRONG[name]
    cli.write("sageval.yaml", config(**parts))
    ran = cli("validate")
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err
    assert hint in ran.err


def test_all_problems_of_a_kind_are_told_at_once(cli: Cli) -> None:
    cli.write(
        "sageval.yaml",
        config(prompts="['Say {{x']", tests="[{assert: [{type: regex, value: '('}, {type: is-json, value: 3}]}]"),
    )
    ran = cli("validate")
    assert ran.code == 2
    assert ran.err.endswith("3 problems\n")


def test_a_wrong_assertion_hides_no_other_of_its_test(cli: Cli) -> None:
    assertions = "[{type: regex, value: '('}, {type: contians, value: x}, {type: latency}]"
    cli.write("sageval.yaml", config(tests=f"[{{assert: {assertions}}}]"))
    ran = cli("validate")
    assert ran.code == 2
    assert ran.err.endswith("3 problems\n")


def test_what_can_be_built_is_checked_although_other_parts_are_wrong(cli: Cli) -> None:
    cli.write(
        "sageval.yaml",
        config(
            prompts="['Say {{x', {raw: Hi, lable: A}]",
            providers="[{id: 'sagemaker:e', config: {responseFormat: {path: '$.a[b'}}}, {id: echo, labl: B}]",
            tests="[{assert: [{type: regex, value: '('}]}, {asert: []}]",
        ),
    )
    ran = cli("validate")
    assert ran.code == 2
    assert ran.err.endswith("6 problems\n")


def test_keys_of_promptfoo_that_mean_nothing_here_are_one_note_each(cli: Cli) -> None:
    cli.write("sageval.yaml", config(redteam="{plugins: [a, b]}"))
    ran = cli("validate")
    assert (ran.code, ran.err) == (0, "note: `redteam` is out of scope for sageval: it has no effect\n")


def test_options_replace_what_the_file_says(cli: Cli) -> None:
    cli.write("sageval.yaml", config())
    cli.write("more.csv", "x\n1\n2\n")
    ran = cli("validate", "-p", "Hi {{x}} and {{y}}", "-r", "echo", "-t", "more.csv", "--var", "y=2", "--strict")
    assert ran.out == "valid: 1 provider, 1 prompt, 2 tests, 2 cases, 0 assertions\n"


def test_variables_may_come_from_a_file(cli: Cli) -> None:
    cli.write("sageval.yaml", config(providers="['sagemaker:{{env.ENDPOINT}}']"))
    cli.write("run.env", "ENDPOINT=e\n")
    assert cli("validate").code == 2
    assert cli("validate", "--env-file", "run.env").code == 0


def test_a_stray_value_is_refused(cli: Cli) -> None:
    cli.write("sageval.yaml", config())
    ran = cli("validate", "-c", "sageval.yaml", "other.yaml")
    assert ran.code == 2
    assert "unexpected value `other.yaml`" in ran.err


TWO_TESTS = "[{vars: {x: 1}}, {vars: {y: 1}}]"


@pytest.mark.parametrize("command", [("validate",), ("eval", "--no-progress-bar"), ("eval", "--dry-run")])
def test_strict_finds_undefined_variables_before_the_first_call(
    cli: Cli, serve: Callable[..., Sandbox], command: tuple[str, ...]
) -> None:
    sandbox = serve()
    cli.write("sageval.yaml", config(tests=TWO_TESTS))
    ran = cli(*command, "--strict")
    assert (ran.code, ran.out, sandbox.count()) == (2, "", 0)
    assert "sageval.yaml:3:25: prompt `Say {{x}}`: variable `x` is not defined" in ran.err


def test_without_strict_an_undefined_variable_is_no_error(cli: Cli) -> None:
    cli.write("sageval.yaml", config(tests=TWO_TESTS))
    assert cli("validate").code == 0


def test_strict_asks_only_for_what_is_printed(cli: Cli) -> None:
    cli.write("sageval.yaml", config(prompts="['Say {% if x %}{{x}}{% else %}{{y}}{% endif %}']", tests=TWO_TESTS))
    assert cli("validate", "--strict").code == 0


def test_strict_leaves_what_only_the_run_makes_to_the_run(cli: Cli) -> None:
    prompts = "['Say {{x}} {% for turn in _conversation %}{{turn.output}} {{nobody}}{% endfor %}']"
    cli.write("sageval.yaml", config(prompts=prompts))
    assert cli("validate", "--strict").code == 0


def test_strict_tells_of_a_variable_that_needs_another(cli: Cli) -> None:
    cli.write("sageval.yaml", config(tests="[{vars: {x: 'a {{nobody}}'}}]"))
    ran = cli("validate", "--strict")
    assert ran.code == 2
    assert "sageval.yaml:3:9: variable `x` mentions `nobody`, which is not defined" in ran.err


def test_an_option_of_a_test_that_is_one_slip_away_from_a_known_one_is_told(cli: Cli) -> None:
    cli.write("sageval.yaml", config(tests="[{vars: {x: 1}, options: {disableVarExpanson: true, temperature: 1}}]"))
    ran = cli("validate")
    assert ran.code == 0
    assert "sageval.yaml:3:34: `disableVarExpanson` is no option of a test that has an effect" in ran.err
    assert "did you mean `disableVarExpansion`?" in ran.err
    assert "temperature" not in ran.err


def test_a_script_of_a_name_that_no_file_can_have_does_not_exist(cli: Cli) -> None:
    cli.write("sageval.yaml", config(providers=f"['file://{'a' * 300}.py']"))
    ran = cli("validate")
    assert ran.code == 2
    assert "does not exist" in ran.err
