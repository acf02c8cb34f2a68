"""What is wrong with the input is said before anything is sent: all of it, where it stands, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

GOOD = {"prompts": "[Hi]", "providers": "[sagemaker:e]", "tests": "[{vars: {x: 1}}]"}


def config(**parts: str) -> str:
    """A good configuration with some parts replaced by worse ones."""
    return "".join(f"{key}: {value}\n" for key, value in (GOOD | parts).items())


BAD_FILES: Mapping[str, Mapping[str, str]] = {
    "yaml_syntax": {"run.yaml": "prompts: [Hi]\nproviders:\n  - sagemaker:e\n - echo\n"},
    "unknown_key": {"run.yaml": config(promts="[Hi]")},
    "wrong_type": {"run.yaml": config(maxErrorRate="often", evaluateOptions="{maxConcurrency: four}")},
    "missing_prompt_file": {"run.yaml": config(prompts="[file://prompt.txt]")},
    "missing_tests_file": {"run.yaml": config(tests="tests.csv")},
    "provider_type": {"run.yaml": config(providers="[sagemaker:lama:e, openai:gpt-4]")},
    "bad_jsonpath": {
        "run.yaml": config(
            providers="""
  - {id: 'sagemaker:e', config: {responseFormat: {path: '$.a[b'}}}
  - {id: 'sagemaker:f', config: {responseFormat: {path: '$[text]'}}}"""
        )
    },
    "template_error": {
        "run.yaml": config(
            prompts="\n  - 'Hi {{name}'\n  - 'Ho {% if x %}'",
            tests="\n  - vars:\n      x: 'a {{ b'",
        )
    },
    "assertion_values": {
        "run.yaml": config(
            tests="""
  - vars: {x: 1}
    assert:
      - {type: regex, value: '('}
      - {type: contains}
      - {type: latency}
  - assert: [{type: is-json, value: 3}]"""
        )
    },
    "assertion_types": {
        "run.yaml": config(
            tests="""
  - vars: {x: 1}
    assert:
      - {type: contain, value: a}
      - {type: not-a-type}
      - {value: b}"""
        )
    },
    "all_in_one_go": {
        "run.yaml": config(
            prompts="['Hi {{name}']",
            providers="[{id: 'sagemaker:e', config: {responseFormat: {path: '$.a[b'}}}]",
            tests="[{vars: {x: 1}, assert: [{type: regex, value: '('}]}]",
        )
    },
    "equal_labels": {"run.yaml": config(providers="[{id: echo, label: same}, {id: 'sagemaker:e', label: same}]")},
    "empty_tests": {"run.yaml": config(tests="[]")},
    "empty_csv": {"run.yaml": config(tests="tests.csv"), "tests.csv": "x\n"},
    "ragged_csv": {"run.yaml": config(tests="tests.csv"), "tests.csv": "x,y\n1,2\n1,2,3\n"},
    "csv_expected": {"run.yaml": config(tests="tests.csv"), "tests.csv": "x,__expected\n1,one\n2,contians: two\n"},
    "bad_json_tests": {"run.yaml": config(tests="tests.json"), "tests.json": '[{"vars": {"x": 1}},]'},
    "bad_jsonl_tests": {"run.yaml": config(tests="tests.jsonl"), "tests.jsonl": '{"vars": {"x": 1}}\n{"vars": \n'},
    "output_path": {"run.yaml": config(outputPath="out.docx")},
    "later_keys": {"run.yaml": config(extensions="[]")},
    "half_a_key_pair": {"run.yaml": config(providers="[{id: 'sagemaker:e', config: {accessKeyId: AKIAXYZ}}]")},
    "not_a_map": {"run.yaml": "- prompts\n"},
    "no_providers": {"run.yaml": "prompts: [Hi]\n"},
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files(cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None], name: str) -> None:
    sandbox = serve()
    for path, text in BAD_FILES[name].items():
        cli.write(path, text)
    ran = cli.eval("-c", "run.yaml", "--no-write")
    matches_golden(f"bad_input/{name}.txt", ran.err)
    assert (ran.code, ran.out, sandbox.count()) == (2, "", 0)


BAD_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "no_such_config": ("-c", "nope.yaml"),
    "no_config_in_folder": (),
    "stray_value": ("-c", "run.yaml", "other.yaml"),
    "output_ending": ("-c", "run.yaml", "-o", "out.docx", "-o", "out"),
    "output_obstacles": ("-c", "run.yaml", "-o", "folder.json", "-o", "run.yaml/out.csv"),
    "filter_range": ("-c", "run.yaml", "--filter-range", "first"),
    "filter_range_empty": ("-c", "run.yaml", "--filter-range", "5:9"),
    "filter_pattern": ("-c", "run.yaml", "--filter-pattern", "("),
    "filter_providers": ("-c", "run.yaml", "--filter-providers", "mistral"),
    "filter_prompts": ("-c", "run.yaml", "--filter-prompts", "nothing"),
    "filter_metadata": ("-c", "run.yaml", "--filter-metadata", "team"),
    "filter_failing": ("-c", "run.yaml", "--filter-failing", "eval-none"),
    "filter_both": ("-c", "run.yaml", "--filter-failing", "a", "--filter-errors-only", "b"),
    "var": ("-c", "run.yaml", "--var", "x"),
    "env_file": ("-c", "run.yaml", "--env-file", "nope.env"),
    "provider": ("-c", "run.yaml", "-r", "mistral"),
    "prompt_file": ("-c", "run.yaml", "-p", "nope.txt"),
    "tests_file": ("-c", "run.yaml", "-t", "nope.csv"),
    "sandbox_script": ("-c", "run.yaml", "--sandbox-script", "nope.yaml"),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_options(
    cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None], name: str
) -> None:
    sandbox = serve()
    cli.write("elsewhere/run.yaml" if name == "no_config_in_folder" else "run.yaml", config())
    (cli.folder / "folder.json").mkdir()
    ran = cli.eval("--no-write", *BAD_OPTIONS[name])
    matches_golden(f"bad_options/{name}.txt", ran.err)
    assert (ran.code, ran.out, sandbox.count()) == (2, "", 0)


def test_a_file_that_is_not_utf_8(cli: Cli, matches_golden: Callable[[str, str], None]) -> None:
    cli.write("run.yaml", config(tests="tests.csv"))
    (cli.folder / "tests.csv").write_bytes("x\ncafé\n".encode("latin-1"))
    ran = cli.eval("-c", "run.yaml")
    matches_golden("bad_input/not_utf_8.txt", ran.err)
    assert ran.code == 2


@pytest.mark.parametrize("option", ["-j", "--repeat", "--filter-first-n", "--filter-sample", "--table-cell-max-length"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_counts_are_positive_whole_numbers(cli: Cli, option: str, value: str) -> None:
    cli.write("run.yaml", config())
    ran = cli.eval("-c", "run.yaml", option, value)
    assert (ran.code, ran.out) == (2, "")
    assert "Invalid value for" in ran.err and "Traceback" not in ran.err


def test_an_unknown_option_suggests_the_nearest(cli: Cli) -> None:
    ran = cli.eval("--no-cash")
    assert ran.code == 2
    assert "--no-cache" in ran.err
