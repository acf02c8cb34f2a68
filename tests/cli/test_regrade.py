"""`sageval regrade`: changed assertions on answers that are there already."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli, Ran

PLAIN = "endpoints: {'*': {answers: [{pattern: '', body: {generated_text: a fine answer}}]}}"

ODD = """\
endpoints:
  '*':
    answers: [{pattern: '', body: {result: {text: a fine answer}, tokens: 3}}]
"""


def config(assertion: str, provider: str = "sagemaker:huggingface:e", more: str = "") -> str:
    return (
        f"prompts: ['About {{{{x}}}}']\nproviders: [{provider}]\n"
        f"tests: [{{vars: {{x: [a, b]}}, assert: [{assertion}]}}]\n{more}"
    )


def regrade(cli: Cli, *arguments: str) -> Ran:
    return cli("regrade", "--no-progress-bar", *arguments)


def counts(document: dict[str, Json]) -> tuple[int, int, int]:
    """(passed, failed, errors) of a result document."""
    stats = document["results"]["stats"]
    return stats["successes"], stats["failures"], stats["errors"]


@pytest.fixture
def ran_once(cli: Cli, serve: Callable[..., Sandbox]) -> Sandbox:
    """A recorded run of two cases, both of which failed, and the sandbox that answered."""
    sandbox = serve(PLAIN)
    cli.write("sageval.yaml", config("{type: contains, value: bad}"))
    assert cli.eval("-o", "run.json").code == 1
    return sandbox


def test_changed_assertions_are_applied_without_a_call(cli: Cli, ran_once: Sandbox) -> None:
    before = ran_once.count()
    cli.write("sageval.yaml", config("{type: contains, value: fine}"))
    ran = regrade(cli, "latest", "-o", "again.json")
    assert (ran.code, ran_once.count()) == (0, before)
    assert counts(cli.document("again.json")) == (2, 0, 0)
    assert "no endpoint is asked for an answer" in ran.err


def test_the_verdicts_of_an_unchanged_configuration_stay(cli: Cli, ran_once: Sandbox) -> None:
    assert regrade(cli, "latest", "-o", "again.json").code == 1
    assert cli.rows("again.json") == cli.rows("run.json")


def test_no_credentials_are_needed(cli: Cli, ran_once: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ran_once.environment():
        monkeypatch.delenv(name, raising=False)
    assert regrade(cli, "latest").code == 1


def test_another_configuration_may_judge(cli: Cli, ran_once: Sandbox) -> None:
    cli.write("stricter.yaml", config("{type: equals, value: a fine answer}"))
    ran = regrade(cli, "latest", "-c", "stricter.yaml", "--json")
    assert (ran.code, counts(json.loads(ran.out))) == (0, (2, 0, 0))


@pytest.mark.parametrize("name", ["run.json", "run.jsonl"])
def test_a_result_file_will_do(cli: Cli, ran_once: Sandbox, name: str) -> None:
    cli.eval("-o", name)
    cli.write("sageval.yaml", config("{type: contains, value: fine}"))
    assert regrade(cli, name).code == 0


def test_what_the_run_wrote_is_left_alone(cli: Cli, ran_once: Sandbox) -> None:
    written = (cli.folder / "run.json").read_bytes()
    cli.write("sageval.yaml", config("{type: contains, value: fine}", more="outputPath: configured.json\n"))
    assert regrade(cli, "latest").code == 0
    assert (cli.folder / "run.json").read_bytes() == written
    assert not (cli.folder / "configured.json").exists()


def test_the_new_run_says_what_it_was_made_from_and_is_not_resumed(cli: Cli, ran_once: Sandbox) -> None:
    (first,) = (cli.folder.parent / "runs").iterdir()
    regrade(cli, first.name)
    (second,) = (path for path in (cli.folder.parent / "runs").iterdir() if path != first)
    assert json.loads((second / "run.json").read_text())["options"]["regradedFrom"] == f"run {first.name}"
    ran = cli.eval("--resume", second.name)
    assert (ran.code, ran_once.count()) == (2, 2)
    assert "sageval regrade" in ran.err


def test_a_new_response_path_finds_what_could_not_be_read(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve(ODD)
    cli.write("sageval.yaml", config("{type: contains, value: fine}"))
    assert cli.eval("-o", "run.json").code == 3
    path = "{id: sagemaker:huggingface:e, config: {responseFormat: {path: $.result.text}}}"
    cli.write("sageval.yaml", config("{type: contains, value: fine}", path))
    ran = regrade(cli, "latest", "-o", "again.json")
    assert (ran.code, sandbox.count()) == (0, 2)
    assert [row["response"]["output"] for row in cli.rows("again.json")] == ["a fine answer"] * 2


def test_errors_stay_errors(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {'*': {answers: [{pattern: 'About b', fault: modelError}, {pattern: '', answer: x}]}}")
    cli.write("sageval.yaml", config("{type: contains, value: x}"))
    assert cli.eval("-o", "run.json").code == 3
    calls = sandbox.count()
    assert regrade(cli, "latest", "-o", "again.json").code == 3
    assert (cli.rows("again.json"), sandbox.count()) == (cli.rows("run.json"), calls)
    assert cli.rows("again.json")[1]["errorCode"] == "ModelError"


def test_streams_are_read_again(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    streamed = "{id: sagemaker:openai:e, config: {stream: true}}"
    cli.write("sageval.yaml", config("{type: ttft, threshold: 60000}", streamed))
    assert cli.eval("-o", "run.json").code == 0
    assert regrade(cli, "latest", "-o", "again.json").code == 0
    assert (cli.rows("again.json"), sandbox.count()) == (cli.rows("run.json"), 2)


def test_measures_are_those_of_then(cli: Cli, ran_once: Sandbox) -> None:
    cli.write("sageval.yaml", config("{type: latency, threshold: 60000}, {type: tokens, threshold: 1}"))
    regrade(cli, "latest", "-o", "again.json")
    for then, now in zip(cli.rows("run.json"), cli.rows("again.json"), strict=True):
        assert (now["latencyMs"], now["tokenUsage"], now["timings"]) == tuple(
            then[name] for name in ("latencyMs", "tokenUsage", "timings")
        )
        assert [each["pass"] for each in now["gradingResult"]["componentResults"]] == [True, False]


def test_transforms_start_from_what_the_provider_gave(cli: Cli) -> None:
    once = "{id: echo, transform: 'output + \"!\"'}"
    cli.write("sageval.yaml", config("{type: equals, value: 'About {{x}}!'}", once))
    assert cli.eval().code == 0
    cli.write("sageval.yaml", config("{type: equals, value: 'About {{x}}?'}", once.replace("!", "?")))
    assert regrade(cli, "latest").code == 0


def test_new_tests_are_skipped_and_told(cli: Cli, ran_once: Sandbox) -> None:
    text = config("{type: contains, value: fine}").replace("[a, b]", "[a, b, c]")
    cli.write("sageval.yaml", text)
    ran = regrade(cli, "latest", "-o", "again.json")
    assert (ran.code, ran_once.count()) == (3, 2)
    assert "1 case without an answer" in ran.err and "x=c" in ran.err
    assert counts(cli.document("again.json")) == (2, 0, 0)


def test_a_variable_for_the_assertion_may_be_added(cli: Cli, ran_once: Sandbox) -> None:
    text = config("{type: contains, value: '{{wanted}}'}").replace("[a, b]", "[b, a], wanted: fine")
    cli.write("sageval.yaml", text)
    ran = regrade(cli, "latest")
    assert ran.code == 0
    assert "2 cases changed since" in ran.err


def test_a_provider_without_answers_is_left_out(cli: Cli, ran_once: Sandbox) -> None:
    cli.write("sageval.yaml", config("{type: contains, value: fine}", "sagemaker:huggingface:e, echo"))
    ran = regrade(cli, "latest", "-o", "again.json")
    assert ran.code == 0
    assert "`echo`" in ran.err
    assert len(cli.document("again.json")["results"]["prompts"]) == 1


def test_a_configuration_without_any_of_the_answers_is_refused(cli: Cli, ran_once: Sandbox) -> None:
    cli.write("sageval.yaml", config("{type: contains, value: fine}", "echo"))
    ran = regrade(cli, "latest")
    assert ran.code == 2
    assert "no answers of any provider" in ran.err and "sagemaker:huggingface:e" in ran.err


GRADER = """
def call_api(prompt, options, context):
    return {"output": '{"pass": false, "score": 0, "reason": "no"}'}
"""


def test_graders_are_asked_unless_they_are_left_out(cli: Cli, ran_once: Sandbox) -> None:
    cli.write("judge.py", GRADER)
    judged = "{type: llm-rubric, value: good, provider: 'file://judge.py'}, {type: contains, value: fine}"
    cli.write("sageval.yaml", config(judged))
    asked = regrade(cli, "latest")
    assert (asked.code, "ask a model" in asked.err) == (1, True)
    left_out = regrade(cli, "latest", "--no-graders")
    assert (left_out.code, "scores are without them" in left_out.err) == (0, True)


def test_answers_are_compared(cli: Cli) -> None:
    def text(best: str) -> str:
        scored = f"{{type: contains, value: {best}}}, {{type: max-score}}"
        columns = "prompts: ['one {{x}}', 'two {{x}}']\nproviders: [echo]\n"
        return f"{columns}tests: [{{vars: {{x: a}}, assert: [{scored}]}}]"

    cli.write("sageval.yaml", text("one"))
    cli.eval()
    cli.write("sageval.yaml", text("two"))
    regrade(cli, "latest", "-o", "again.json")
    assert [row["success"] for row in cli.rows("again.json")] == [False, True]


def test_stored_outputs_and_conversations_go_on(cli: Cli) -> None:
    cli.write(
        "sageval.yaml",
        "prompts: ['{{x}}{% for turn in _conversation %} after {{turn.output}}{% endfor %}']\n"
        "providers: [echo]\n"
        "tests:\n  - {vars: {x: first}, options: {storeOutputAs: kept}}\n"
        "  - {vars: {x: second}, assert: [{type: equals, value: 'second after {{kept}}'}]}\n",
    )
    assert cli.eval("-o", "run.json").code == 0
    assert regrade(cli, "latest", "-o", "again.json").code == 0
    assert cli.rows("again.json") == cli.rows("run.json")


ELSEWHERE = "prompts: ['About {{x}}', 'Of {{x}}']\nproviders: [echo]\n" + (
    "tests: [{vars: {x: a}, assert: [{type: equals, value: A}]}, {vars: {x: b}, assert: [{type: equals, value: B}]}]\n"
)


def judged(cli: Cli, name: str, text: str, *arguments: str) -> Ran:
    """The judgement of answers in a file, by a configuration with one prompt."""
    cli.write("sageval.yaml", ELSEWHERE)
    cli.write(name, text)
    return regrade(cli, "--outputs", name, "--filter-prompts", "About", "-o", "out.json", *arguments)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"vars": {"x": "b"}, "output": "B"}\n\n{"vars": {"x": "a"}, "output": "A", "provider": "echo"}\n'),
        ("a.jsonl", '{"x": "b", "output": "B"}\n{"x": "a", "output": "A"}\n'),
        ("a.jsonl", '{"test": 1, "output": "B"}\n{"test": 0, "output": "A"}\n'),
        ("a.jsonl", '{"output": "A"}\n{"output": "B"}\n'),
        ("a.csv", "x,output\nb,B\na,A\n"),
        ("a.csv", "x,output:echo\nb,B\na,A\n"),
        ("a.csv", "provider,note,output,x\necho,?,B,b\necho,?,A,a\n"),
        ("a.json", '[{"vars": {"x": "b"}, "output": "B"}, {"vars": {"x": "a"}, "output": "A"}]'),
        (
            "a.json",
            '{"results": {"version": 3, "results": ['
            '{"vars": {"x": "b"}, "response": {"output": "B"}, "provider": {"id": "echo", "label": ""},'
            ' "prompt": {"raw": "About b", "label": "About {{x}}"}, "testIdx": 1},'
            '{"vars": {"x": "a"}, "response": {"output": "A"}, "provider": {"id": "echo"}, "testIdx": 0}]}}',
        ),
        (
            "a.json",
            '{"results": {"version": 2, "table": {'
            '"head": {"prompts": [{"raw": "About {{x}}", "provider": "echo"}], "vars": ["x"]},'
            '"body": [{"vars": ["b"], "outputs": [{"text": "B"}]}, {"vars": ["a"], "outputs": [{"text": "A"}]}]}}}',
        ),
    ],
)
def test_answers_from_elsewhere_are_judged(cli: Cli, name: str, text: str) -> None:
    ran = judged(cli, name, text)
    assert ran.code == 0, ran.err
    assert [row["response"]["output"] for row in cli.rows()] == ["A", "B"]


def test_answers_and_tests_that_find_nothing_are_told(cli: Cli) -> None:
    ran = judged(cli, "a.jsonl", '{"vars": {"x": "a"}, "output": "A"}\n{"vars": {"x": "z"}, "output": "Z"}\n')
    assert ran.code == 3
    assert "1 case without an answer in `a.jsonl`, skipped, such as row 1 (x=b) of `echo`" in ran.err
    assert "1 answer of `a.jsonl` fit no case, such as a.jsonl:2" in ran.err


def test_what_was_measured_elsewhere_is_judged(cli: Cli) -> None:
    cli.write("sageval.yaml", config("{type: latency, threshold: 100}, {type: tokens, threshold: 10}", "echo"))
    told = '"output": "?", "tokenUsage": {"prompt": 4, "completion": 6}, "latencyMs"'
    cli.write("a.jsonl", f'{{"x": "a", {told}: 90}}\n{{"x": "b", {told}: 110}}\n')
    regrade(cli, "--outputs", "a.jsonl", "-o", "out.json")
    assert [row["success"] for row in cli.rows()] == [True, False]


def test_an_answer_that_may_be_of_several_columns_is_refused(cli: Cli) -> None:
    cli.write("sageval.yaml", ELSEWHERE)
    cli.write("a.csv", "x,output\na,A\n")
    ran = regrade(cli, "--outputs", "a.csv")
    assert ran.code == 2
    assert "a.csv:2" in ran.err and "which prompt" in ran.err


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"output": "A"}\n{"output": \n', "a.jsonl:2"),
        ("a.jsonl", '{"vars": {"x": "a"}}\n', "a.jsonl:1: the answer has no `output`"),
        ("a.jsonl", "[1]\n", "an answer is an object, not a list"),
        ("a.jsonl", "\n", "the file holds no answers"),
        ("a.jsonl", '{"output": "A", "latencyMs": "soon"}', "`latencyMs` is a number from 0, not `soon`"),
        ("a.csv", "x,y\na,b\n", "a.csv:1: the header has no column `output`"),
        ("a.csv", "x,output\na\n", "a.csv:2: the row has 1 column"),
        ("a.csv", 'x,output\na,"b\n', "a.csv:2"),
        ("a.json", '{"answers": []}', "neither a list of answers nor a result document"),
        ("a.json", '[{"output": "A"}, 5]', "a.json:1:"),
        ("a.txt", "A", "--outputs reads `.jsonl`"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_place(cli: Cli, name: str, text: str, told: str) -> None:
    ran = judged(cli, name, text)
    assert ran.code == 2
    assert told in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "takes a run or a file"),
        (("latest", "--outputs", "a.csv"), "takes a run or a file"),
        (("eval-nobody",), "no run is called `eval-nobody`"),
        (("sageval.yaml",), "not a result document"),
        (("foreign.json",), "--outputs"),
    ],
)
def test_what_is_no_run_is_refused(cli: Cli, arguments: tuple[str, ...], told: str) -> None:
    cli.write("sageval.yaml", ELSEWHERE)
    cli.write("foreign.json", '{"results": {"results": [{"output": "A"}]}}')
    ran = regrade(cli, *arguments)
    assert ran.code == 2
    assert told in ran.err
