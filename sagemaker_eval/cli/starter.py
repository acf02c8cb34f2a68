"""The files of a first evaluation: a configuration that explains itself, and the prompts that it compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CONFIG = Path("sageval.yaml")
SCHEMA = Path("sageval.schema.json")
"""Where an editor's schema is looked for, beside the configuration."""

EMBEDDING = "embedding"
"""What is chosen beside the model types of text endpoints."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the files are written for. Without a region, AWS settings decide. All three are known to be sound."""

    model_type: str
    endpoint: str
    region: str | None = None
    with_schema: bool = False
    """Whether `SCHEMA` is there for the configuration to point at."""


def starter_files(choices: Choices) -> dict[Path, str]:
    """The texts by their paths, relative to the folder of the configuration."""
    if choices.model_type == EMBEDDING:
        return {CONFIG: _head(choices) + _EMBEDDING.format(**_values(choices))}
    return {
        CONFIG: _head(choices) + _TEXT.format(**_values(choices)),
        Path("prompts/plain.txt"): _PLAIN,
        Path("prompts/briefed.txt"): _BRIEFED,
    }


def _values(choices: Choices) -> Mapping[str, str]:
    note = _NOTES.get(choices.model_type, "")
    return {
        "endpoint": choices.endpoint,
        "model_type": choices.model_type,
        "note": f"  # {note}\n" if note else "",
        "region": _region(choices.region),
    }


def _region(region: str | None) -> str:
    if region is None:
        return "# region: us-east-1     # without it: AWS_REGION, then the region of your AWS profile"
    return f"region: {region}" if "-" in region else f"region: '{region}'"


def _head(choices: Choices) -> str:
    return (_SCHEMA_LINE if choices.with_schema else "") + _HEAD + ("" if choices.with_schema else _SCHEMA_ADVICE)


_NOTES = {
    "openai": "OpenAI's chat and completion bodies: vLLM, SGLang, and LMI or TGI with that API.",
    "anthropic": "Anthropic's messages body.",
    "llama": "Meta's own containers: `inputs` and `parameters` in, `generation` out.",
    "huggingface": "Text Generation Inference and Hugging Face containers: `inputs` and `parameters`.",
    "jumpstart": "Text generation models of SageMaker JumpStart: `inputs` and `parameters`.",
    "custom": 'Your own container: a prompt that is JSON is sent as it stands, any other as {"prompt": ...}.',
}

_SCHEMA_LINE = f"# yaml-language-server: $schema={SCHEMA}\n"

_HEAD = """\
# What `sageval eval` runs: every prompt x every test x every provider.
#
#   sageval validate          checks this file and all it names; sends nothing
#   sageval eval --sandbox    runs it on the built-in stand-in for SageMaker; no AWS account needed
#   sageval eval              asks your endpoint, with your AWS credentials
"""

_SCHEMA_ADVICE = f"""\
#
# For completion and checks in your editor: `sageval schema -o {SCHEMA}`, and as the first line here
#   `# yaml-language-server: $schema={SCHEMA}`
"""

_TEXT = """
description: First look at {endpoint}

# Templates: {{{{topic}}}} and {{{{reader}}}} are filled in from each test. Each prompt is a column, so that you see
# which wording works better. A prompt can also stand here as text.
prompts:
  - file://prompts/plain.txt
  - file://prompts/briefed.txt

providers:
  # sagemaker:<model type>:<name of the endpoint>. Add a second provider to compare two models.
{note}  - id: sagemaker:{model_type}:{endpoint}
    config:
      {region}
      temperature: 0    # the same question gets the same answer, which makes runs comparable
      maxTokens: 200
      # Where the text is in an answer, if it is not found by itself:
      # responseFormat:
      #   path: $.outputs[0].text

# What holds for every test. An assertion that fails makes the test fail; `not-` turns any of them round.
defaultTest:
  assert:
    - type: icontains    # upper and lower case are the same
      value: '{{{{topic}}}}'
    - type: not-icontains
      value: as an AI
    - type: regex    # not empty, and not an essay
      value: '^[\\s\\S]{{10,1500}}$'
    - type: latency    # ms; an answer from the cache counts with its original time
      threshold: 30000

tests:
  - description: two readers, so two rows
    vars:
      topic: cold start
      reader: [a product manager, an engineer]

  # A test may have assertions of its own, on top of those above.
  - description: no invented links
    vars:
      topic: load balancer
      reader: a new colleague
    assert:
      - type: not-regex
        value: 'https?://'
        metric: no links    # summed up under this name in the results

# Worth knowing: `sageval eval --watch` runs again when a file changes, `-o results.json` keeps the results, and
# answers are cached, so that only what changed is asked again.
"""

_EMBEDDING = """
description: First look at {endpoint}

prompts:
  - '{{{{text}}}}'

providers:
  # An embedding endpoint: its output is the vector, judged as JSON.
  - id: sagemaker:embedding:{endpoint}
    config:
      {region}
      modelType: openai    # the body of a request: openai, huggingface, jumpstart, cohere or custom

# What holds for every test: the answer is a list of numbers that is not empty.
defaultTest:
  assert:
    - type: is-json
      value:
        type: array
        items: {{type: number}}
        minItems: 2    # better: the dimension that you expect, as minItems and maxItems
    - type: latency    # ms; an answer from the cache counts with its original time
      threshold: 10000

tests:
  - vars:
      text: A cup of tea
  # A list makes one row for each of its elements.
  - description: what embedding endpoints stumble over
    vars:
      text: ['ok', 'Ein Satz mit Umlauten: grüße, Öl', '{{"json": [1, 2]}}']

# Worth knowing: `sageval eval --watch` runs again when a file changes, `-o results.json` keeps the results, and
# answers are cached, so that only what changed is asked again.
"""

_PLAIN = "What is a {{topic}}? Answer in one or two sentences, for {{reader}}.\n"

_BRIEFED = """\
Explain what a {{topic}} is, in one or two sentences that {{reader}} understands at once.

Use the words "{{topic}}". Be concrete, give no links, and say so where you do not know.
"""
