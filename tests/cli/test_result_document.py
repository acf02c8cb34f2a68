from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """\
description: A small run
prompts:
  - {id: plain, label: Plain, raw: 'About {{thing}}'}
providers:
  - {id: 'sagemaker:huggingface:mistral', label: Mistral, config: {responseFormat: {path: '$[0].generated_text'}}}
  - {id: 'sagemaker:openai:chat', config: {accessKeyId: SANDBOXACCESSKEYID00, secretAccessKey: KEY}}
defaultTest:
  assert: [{type: icontains, value: tea, weight: 2, metric: on-topic}]
tests:
  - {description: easy, vars: {thing: tea}, metadata: {team: red}}
  - vars: {thing: broken}
  - vars: {thing: cars}
    assert: [{type: not-contains, value: cars}]
"""
SCRIPT = """\
endpoints:
  '*':
    answers:
      - {pattern: broken, body: {code: 7}}
      - {pattern: 'About (\\w+)', answer: 'All about \\1'}
"""
VOLATILE = re.compile(r"(?:latency|duration|Ms$|seconds$)")


def steady(value: Any, name: str = "") -> Any:
    """The document without times and what identifies this machine and request."""
    if isinstance(value, dict):
        return {key: steady(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [steady(inner) for inner in value]
    if name in {"pythonVersion", "platform", "sagevalVersion", "timestamp", "exportedAt", "evaluationCreatedAt"}:
        return name.upper()
    return 1.5 if isinstance(value, int | float) and VOLATILE.search(name) else value


def test_the_document_of_a_small_run(
    cli: Cli, serve: Callable[..., Sandbox], matches_golden: Callable[[str, str], None]
) -> None:
    """In plan order, whatever the order in which cases finished: by test, then by column."""
    serve(SCRIPT.replace("'*':", "'*':\n    latency: 20\n    jitter: 20"))
    cli.write("run.yaml", CONFIG.replace("KEY}", f"{Sandbox.secret_access_key}}}"))
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 3
    document = steady(cli.document())
    assert [(row["testIdx"], row["promptIdx"]) for row in document["results"]["results"]] == [
        (test, column) for test in range(3) for column in range(2)
    ]
    matches_golden("document.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
