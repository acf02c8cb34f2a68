"""The ways in which an endpoint can be asked, and who answered: through the command, against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sagemaker_eval.sandbox.server import Sandbox
from tests.cli.conftest import Cli

SHAPES = ["tgi", "lmi", "openai"]


def config(provider: str, tests: str = "[{vars: {x: [one, two, three]}}]", prompt: str = "{{x}}") -> str:
    return f"prompts: ['{prompt}']\nproviders:\n  - {provider}\ntests: {tests}\n"


@pytest.mark.parametrize(("shape", "kind"), [("tgi", "huggingface"), ("lmi", "jumpstart"), ("openai", "openai")])
def test_a_stream_says_what_the_plain_answer_says_and_when(
    cli: Cli, serve: Callable[..., Sandbox], shape: str, kind: str
) -> None:
    serve(f"endpoints: {{e: {{shape: {shape}, stream: {{partSize: 3, firstToken: 30}}}}}}")
    cli.write("plain.yaml", config(f"sagemaker:{kind}:e"))
    cli.write("stream.yaml", config(f"{{id: 'sagemaker:{kind}:e', config: {{stream: true}}}}"))
    assert cli.eval("-c", "plain.yaml", "-o", "plain.json").code == 0
    ran = cli.eval("-c", "stream.yaml", "-o", "stream.json")
    assert ran.code == 0
    assert "First token p50" in ran.out and "Tokens/s p50" in ran.out
    plain, streamed = cli.rows("plain.json"), cli.rows("stream.json")
    assert [row["response"]["output"] for row in streamed] == [row["response"]["output"] for row in plain]
    assert all(row["response"]["finishReason"] for row in streamed)
    for row in streamed:
        assert 30 <= row["timings"]["firstTokenMs"] <= row["timings"]["wireMs"]
        assert row["latencyMs"] == row["timings"]["wireMs"]
    assert all("firstTokenMs" not in row["timings"] for row in plain)


def test_a_cached_stream_keeps_its_figures(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {stream: {firstToken: 20}}}")
    cli.write("run.yaml", config("{id: 'sagemaker:openai:e', config: {stream: true}}"))
    assert cli.eval("-c", "run.yaml", "-o", "first.json").code == 0
    assert cli.eval("-c", "run.yaml", "-o", "second.json").code == 0
    assert sandbox.count() == 3
    for first, second in zip(cli.rows("first.json"), cli.rows("second.json"), strict=True):
        assert second["response"]["cached"] and second["attempts"] == 0
        assert second["timings"]["firstTokenMs"] == first["timings"]["firstTokenMs"]
        assert second["response"]["output"] == first["response"]["output"]


def test_the_first_token_and_the_speed_are_asserted(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve("endpoints: {e: {stream: {firstToken: 60}}}")
    checks = "[{type: ttft, threshold: 10}, {type: ttft, threshold: 60000}, {type: tokens-per-second, threshold: 0.1}]"
    cli.write("run.yaml", config("{id: 'sagemaker:openai:e', config: {stream: true}}", f"[{{assert: {checks}}}]", "Hi"))
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 1
    verdicts = cli.rows()[0]["gradingResult"]["componentResults"]
    assert [verdict["pass"] for verdict in verdicts] == [False, True, True]


def test_a_stream_that_breaks_off_is_asked_for_again(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {faults: {streamTruncated: {first: 1}}}}")
    cli.write("run.yaml", config("{id: 'sagemaker:openai:e', config: {stream: true}}"))
    assert cli.eval("-c", "run.yaml", "-o", "out.json", "--no-cache").code == 0
    assert sandbox.count() == 6
    assert [row["attempts"] for row in cli.rows()] == [2, 2, 2]


@pytest.mark.parametrize("bucket", ["", "bucket: my-bucket, "])
def test_an_asynchronous_endpoint_answers_through_s3(cli: Cli, serve: Callable[..., Sandbox], bucket: str) -> None:
    serve("endpoints: {e: {shape: tgi, latency: 20, deployment: {async: {}}}}", described=True)
    provider = f"{{id: 'sagemaker:huggingface:e', config: {{async: {{{bucket}pollMs: 5}}}}}}"
    cli.write("run.yaml", config(provider))
    cli.write("plain.yaml", config("sagemaker:huggingface:f"))
    ran = cli.eval("-c", "run.yaml", "-o", "out.json")
    assert (ran.code, ran.err.count("error:")) == (0, 0)
    assert all(row["response"]["metadata"]["outputLocation"].startswith("s3://") for row in cli.rows())
    assert all(row["response"]["output"] for row in cli.rows())


def test_a_failure_of_an_asynchronous_endpoint_is_the_containers(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve("endpoints: {e: {faults: {modelError: {share: 1, status: 400}}, deployment: {async: {}}}}", described=True)
    cli.write("run.yaml", config("{id: 'sagemaker:huggingface:e', config: {async: {pollMs: 5}}}"))
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 3
    assert all("400" in row["error"] and row["attempts"] == 1 for row in cli.rows())


@pytest.mark.parametrize("stream", ["false", "true"])
def test_the_openai_path_of_an_endpoint(cli: Cli, serve: Callable[..., Sandbox], stream: str) -> None:
    sandbox = serve("endpoints: {e: {shape: openai}}")
    cli.write("run.yaml", config(f"{{id: 'sagemaker:e', config: {{transport: openai, stream: {stream}}}}}"))
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 0
    assert all(row["response"]["output"] for row in cli.rows())
    assert all(("firstTokenMs" in row["timings"]) is (stream == "true") for row in cli.rows())
    asked = [request for request in sandbox.requests if request.endpoint]
    assert {request.path for request in asked} == {"/endpoints/e/openai/v1/chat/completions"}
    assert all(request.headers["authorization"].startswith("Bearer sagemaker-api-key-") for request in asked)


def test_members_of_the_call_are_templates_over_the_case(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    members = "customAttributes: {tenant: '{{x}}', tier: gold}, sessionId: 's-{{x}}', inferenceId: 'i-{{x}}'"
    cli.write("run.yaml", config(f"{{id: 'sagemaker:openai:e', config: {{{members}}}}}"))
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 0
    told = {
        (
            request.headers["x-amzn-sagemaker-custom-attributes"],
            request.headers["x-amzn-sagemaker-session-id"],
            request.headers["x-amzn-sagemaker-inference-id"],
        )
        for request in sandbox.requests
    }
    assert told == {(f"tenant={x},tier=gold", f"s-{x}", f"i-{x}") for x in ("one", "two", "three")}
    assert cli.rows()[0]["response"]["metadata"]["customAttributes"] == "tenant=one,tier=gold"


def test_a_broken_template_of_a_member_is_told_before_anything_is_sent(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    cli.write("run.yaml", config("{id: 'sagemaker:openai:e', config: {sessionId: '{{x'}}"))
    ran = cli.eval("-c", "run.yaml")
    assert (ran.code, sandbox.count()) == (2, 0)
    assert ran.err.startswith("run.yaml:3:")


def test_a_licence_is_never_accepted_unless_the_user_says_so(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {e: {shape: llama2}}")
    cli.write("run.yaml", config("sagemaker:jumpstart:e"))
    cli.eval("-c", "run.yaml")
    assert all("accept_eula" not in str(request.headers).lower() for request in sandbox.requests)


MIXED = (
    "endpoints: {e: {shape: openai, seed: 3, answers: [{answer: right}], variants: {blue: 0.7, green: {weight: 0.3, "
    "answers: [{pattern: '[05]$', answer: wrong}, {answer: right}]}}}}"
)


def test_a_column_that_mixes_variants_is_split(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve(MIXED)
    rows = "\n".join(f"{number},equals: right" for number in range(200))
    cli.write("tests.csv", f"x,__expected\n{rows}\n")
    cli.write("run.yaml", config("sagemaker:openai:e", "tests.csv"))
    ran = cli.eval("-c", "run.yaml", "-o", "out.json", "--no-table", "--fail-under", "0")
    assert ran.code == 0
    assert "variant blue" in ran.out and "variant green" in ran.out and "mixes production variants" in ran.out
    metrics = json.loads((cli.folder / "out.json").read_text())["results"]["prompts"][0]["metrics"]["variants"]
    assert list(metrics) == ["blue", "green"]
    assert metrics["blue"]["testFailCount"] == 0 and metrics["green"]["testFailCount"] > 0
    answered = [metrics[name]["testPassCount"] + metrics[name]["testFailCount"] for name in ("blue", "green")]
    assert sum(answered) == 200 and 120 <= answered[0] <= 160


def test_pinned_variants_have_a_column_each(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve(MIXED)
    cli.write("run.yaml", config("{id: 'sagemaker:openai:e', config: {variants: [blue, green]}}"))
    ran = cli.eval("-c", "run.yaml", "-o", "out.json")
    assert ran.code == 0 and "mixes" not in ran.out
    answered = {(row["promptIdx"], row["response"]["metadata"]["variant"]) for row in cli.rows()}
    assert answered == {(0, "blue"), (1, "green")}


def test_no_more_calls_are_made_than_the_user_allows(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    cli.write("run.yaml", config("sagemaker:openai:e", "[{vars: {x: [a, b, c, d, e, f, g, h]}}]"))
    ran = cli.eval("-c", "run.yaml", "--max-calls", "5", "-o", "out.json")
    assert (ran.code, sandbox.count(), len(cli.rows())) == (3, 5, 5)
    assert "the 5 calls that `--max-calls` allows" in ran.err and "--resume" in ran.err


def test_a_run_stops_before_it_costs_more(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    """20 ms of an instance at a million dollars an hour cost more than $5."""
    sandbox = serve("endpoints: {e: {latency: 20}}")
    provider = "{id: 'sagemaker:openai:e', maxConcurrency: 1, config: {instanceHourlyUsd: 1000000}}"
    cli.write("run.yaml", config(provider, "[{vars: {x: [a, b, c, d, e, f, g, h]}}]"))
    ran = cli.eval("-c", "run.yaml", "--max-cost", "5", "-o", "out.json")
    assert ran.code == 3 and 1 <= sandbox.count() < 8
    assert "`--max-cost` allows $5.0000" in ran.err


def test_a_limit_on_the_cost_needs_a_price(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    cli.write("run.yaml", config("sagemaker:openai:e"))
    ran = cli.eval("-c", "run.yaml", "--max-cost", "5")
    assert (ran.code, sandbox.count()) == (2, 0)
    assert "instanceHourlyUsd" in ran.err


def test_what_the_instances_cost_is_told(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    script = "{instanceType: ml.g5.xlarge, instances: 2, prices: {ml.g5.xlarge: 1.5}}"
    serve(f"endpoints: {{e: {{latency: 30, deployment: {script}}}}}", described=True)
    cli.write("run.yaml", config("sagemaker:openai:e"))
    ran = cli.eval("-c", "run.yaml", "-o", "out.json")
    assert "2 x ml.g5.xlarge at $3.00 an hour; on-demand list price" in " ".join(ran.out.split())
    (use,) = json.loads((cli.folder / "out.json").read_text())["results"]["stats"]["endpoints"]
    assert use["calls"] == 3 and use["hourlyUsd"] == 3.0
    assert use["cost"] == pytest.approx(3.0 * use["seconds"] / 3600, rel=0.01)
    assert use["costPer1000Cases"] == pytest.approx(use["cost"] / 3 * 1000)
    assert use["costPerPassedCase"] is None  # nothing was asserted
