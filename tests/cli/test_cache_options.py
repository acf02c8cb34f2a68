"""Which runs send anything: the cache, switched by flag, configuration and DEBUG."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = "prompts: ['{{x}}']\nproviders: [sagemaker:e]\ntests: [{vars: {x: [a, b]}}]\n"


@pytest.fixture
def sent(cli: Cli, serve: Callable[..., Sandbox]) -> Callable[..., int]:
    """Runs two cases and tells how many requests that took."""
    sandbox = serve()
    cli.write("run.yaml", CONFIG)

    def evaluate(*options: str) -> int:
        before = sandbox.count()
        assert cli.eval("-c", "run.yaml", "-o", "out.json", *options).code == 0
        return sandbox.count() - before

    return evaluate


def test_answers_are_stored_and_used_unless_that_is_switched_off(sent: Callable[..., int]) -> None:
    assert [sent("--no-cache"), sent(), sent(), sent("--no-cache"), sent("--cache")] == [2, 2, 0, 2, 0]


@pytest.mark.parametrize("setting", ["cache: false", "evaluateOptions: {cache: false}"])
def test_the_configuration_can_switch_the_cache_off_and_the_flag_on_again(
    cli: Cli, sent: Callable[..., int], setting: str
) -> None:
    cli.write("run.yaml", CONFIG + setting)
    assert [sent(), sent(), sent("--cache"), sent("--cache")] == [2, 2, 2, 0]


def test_the_top_level_wins_over_evaluate_options(cli: Cli, sent: Callable[..., int]) -> None:
    cli.write("run.yaml", CONFIG + "cache: true\nevaluateOptions: {cache: false}")
    assert [sent(), sent()] == [2, 0]


@pytest.mark.parametrize(("value", "requests"), [("1", 2), ("*", 2), ("0", 0), ("false", 0), ("no", 0), ("", 0)])
def test_debug_asks_anew(sent: Callable[..., int], monkeypatch: pytest.MonkeyPatch, value: str, requests: int) -> None:
    sent()
    monkeypatch.setenv("DEBUG", value)
    assert [sent(), sent("--cache")] == [requests, 0]


def test_debug_stores_what_it_asked(sent: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    assert sent() == 2
    monkeypatch.delenv("DEBUG")
    assert sent() == 0


def test_equal_cases_are_sent_once_unless_the_cache_is_off(cli: Cli, sent: Callable[..., int]) -> None:
    cli.write("run.yaml", CONFIG.replace("[a, b]", "[a, a, a]"))
    assert sent() == 1
    assert sent("--no-cache") == 3


def test_repetitions_are_different_calls(sent: Callable[..., int]) -> None:
    assert [sent("--repeat", "3"), sent("--repeat", "3"), sent()] == [6, 0, 0]


def test_a_changed_path_still_profits_from_stored_answers(cli: Cli, sent: Callable[..., int]) -> None:
    cli.write("run.yaml", CONFIG.replace("sagemaker:e", "{id: 'sagemaker:huggingface:e'}"))
    sent()
    path = "{id: 'sagemaker:huggingface:e', config: {responseFormat: {path: '$[0]'}}}"
    cli.write("run.yaml", CONFIG.replace("sagemaker:e", path))
    assert sent() == 0
    assert all(row["response"]["output"].keys() == {"generated_text"} for row in cli.rows())


def test_a_damaged_cache_is_said_once_and_gets_out_of_the_way(cli: Cli, sent: Callable[..., int]) -> None:
    cli.write("../cache/answers.sqlite3", "this was never a database, however long one looks at it" * 100)
    ran = cli.eval("-c", "run.yaml")
    assert ran.code == 0
    assert ran.err.count("was damaged") == 1
    assert sent() == 0
