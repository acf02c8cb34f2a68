"""The comparison of Llama and Mistral, as its author wrote it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

COMPARISON = """\
description: "Comparison between Mistral 7B and Llama 3 on SageMaker"

prompts:
  - "Generate a creative name for a coffee shop that specializes in {{flavor}} coffee."
  - "Write a short story about {{topic}} in {{style}} style. Aim for {{length}} words."
  - "Explain the concept of {{concept}} to {{audience}} in a way they can understand."

providers:
  # Llama 3.2 provider
  - id: sagemaker:jumpstart:llama-3-2-1b-instruct
    label: "Llama 3.2 (1B)"
    delay: 500  # Add 500ms delay between requests
    config:
      region: us-west-2
      modelType: jumpstart
      temperature: 0.7
      maxTokens: 256
      topP: 0.9
      contentType: "application/json"
      acceptType: "application/json"
      responseFormat:
        path: "$.generated_text"

  # Mistral 7B provider
  - id: sagemaker:huggingface:mistral-7b-v3
    label: "Mistral 7B v3"
    delay: 500  # Add 500ms delay between requests
    config:
      region: us-west-2
      modelType: huggingface
      temperature: 0.7
      maxTokens: 256
      topP: 0.9
      contentType: "application/json"
      acceptType: "application/json"
      responseFormat:
        path: "$[0].generated_text"

tests:
  - vars:
      flavor: caramel
      topic: a robot that becomes self-aware
      style: science fiction
      length: '250'
      concept: artificial intelligence
      audience: a 10-year-old
  - vars:
      flavor: lavender
      topic: a barista who can read customers' minds
      style: mystery
      length: '300'
      concept: machine learning
      audience: a senior citizen
"""


def test_the_comparison_runs_unmodified_and_is_paid_for_once(
    cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None]
) -> None:
    sandbox = serve()
    cli.write("compare.yaml", COMPARISON)

    first = cli.eval("-c", "compare.yaml", "-o", "first.json")
    assert (first.code, sandbox.count()) == (0, 12)
    table, _, summary = first.out.partition("\nLlama 3.2 (1B)\n")
    matches_golden("comparison.txt", table)
    assert "12 cases were answered and not asserted" in summary

    rows = cli.rows("first.json")
    assert [(row["testIdx"], row["promptIdx"]) for row in rows] == [
        (test, column) for test in (0, 1) for column in range(6)
    ]
    for row in rows:
        raw = json.loads(row["response"]["raw"])
        assert row["response"]["output"] == (raw if row["promptIdx"] < 3 else raw[0])["generated_text"]
    bodies = [json.loads(request.body) for request in sandbox.requests]
    assert all(body["parameters"]["max_new_tokens"] == 256 for body in bodies)
    assert all("/us-west-2/sagemaker/" in request.headers["authorization"] for request in sandbox.requests)

    second = cli.eval("-c", "compare.yaml", "-o", "second.json")
    assert (second.code, sandbox.count()) == (0, 12)
    again = cli.rows("second.json")
    assert all(row["response"]["cached"] and row["attempts"] == 0 for row in again)
    assert [row["response"]["output"] for row in again] == [row["response"]["output"] for row in rows]
    assert [row["latencyMs"] for row in again] == [row["latencyMs"] for row in rows]
    usage = [row["tokenUsage"] for row in again]
    assert all(each["cached"] == each["total"] > 0 and each["numRequests"] == 0 for each in usage)

    # without the delays, which are not what is shown here
    cli.write("compare.yaml", COMPARISON.replace("delay: 500", "delay: 0"))
    assert cli.eval("-c", "compare.yaml", "--no-cache").code == 0
    assert sandbox.count() == 24


def test_the_stand_in_of_a_second_run_answers_from_the_cache_too(cli: Cli) -> None:
    """Its port is another one; what counts is what it would answer."""
    cli.write("compare.yaml", COMPARISON.replace("delay: 500", "delay: 0"))
    cli.eval("-c", "compare.yaml", "--sandbox")
    cli.eval("-c", "compare.yaml", "--sandbox", "-o", "out.json")
    assert all(row["response"]["cached"] for row in cli.rows())
