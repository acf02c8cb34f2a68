"""Configurations with something broken: a readable refusal or an honest run, never a bug."""

from __future__ import annotations

import copy
import json
import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_eval.cli.app import run
from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.soak.conftest import Workshop

pytestmark = pytest.mark.soak

FILES = {
    "prompts/plain.txt": "Describe {{n}}\n---\nPraise {{n}}",
    "prompts/chat.json": '[{"role":"system","content":"Be brief"},{"role":"user","content":"{{n}}"}]',
    "tests.csv": 'n,m,description\n1,a,first\n2,"b\n c",second\n',
    "tests.jsonl": '{"vars":{"n":1}}\n{"vars":{"n":2},"assert":[{"type":"contains","value":"2"}]}\n',
    "one.yaml": "- vars: {n: one}\n- description: two\n  vars: {n: [a, b]}\n",
    "script.yaml": "endpoints:\n  '*':\n    answers:\n      - {pattern: 'case (\\d+)', answer: 'Number \\1'}\n",
}
"""What the configurations refer to. Numbers in them and in the configurations are small, since mutations move them."""

CONFIGS: tuple[dict[str, Json], ...] = (
    {
        "description": "echo",
        "prompts": ["Say {{n}}", {"raw": "Sing {{n | upper}}", "label": "song"}],
        "providers": ["echo"],
        "tests": [{"vars": {"n": 1}, "assert": [{"type": "equals", "value": "Say 1"}]}, {"vars": {"n": ["a", "b"]}}],
    },
    {
        "prompts": "file://prompts/*",
        "providers": [{"id": "sagemaker:openai:gpt", "label": "G", "delay": 1, "maxConcurrency": 2}],
        "tests": "file://tests.csv",
        "defaultTest": {
            "assert": [{"type": "icontains", "value": "{{m}}", "weight": 2, "metric": "m"}],
            "threshold": 0.5,
        },
    },
    {
        "prompts": {"prompts/plain.txt": "plain"},
        "providers": "sagemaker:huggingface:tgi",
        "tests": "file://tests.jsonl",
    },
    {
        "prompts": ["file://prompts/chat.json"],
        "targets": [{"sagemaker:anthropic:claude": {"label": "C", "config": {"maxTokens": 9, "stopSequences": ["x"]}}}],
        "tests": [
            "file://one.yaml",
            {"vars": {"n": {"a": [1, 2]}}, "options": {"disableVarExpansion": True, "repeat": 2}},
        ],
        "evaluateOptions": {"maxConcurrency": 3, "repeat": 2, "delay": 1, "cache": False},
    },
    {
        "prompts": [{"raw": "case {{n}} {% if m %}and {{m}}{% endif %}", "id": "p", "label": "P"}],
        "providers": [
            {
                "id": "sagemaker:jumpstart:llama",
                "config": {
                    "region": "us-west-2",
                    "temperature": 0,
                    "topP": 0.9,
                    "maxTokens": 12,
                    "contentType": "application/json",
                    "acceptType": "application/json",
                    "responseFormat": {"path": "$.generated_text"},
                    "maxRetries": 1,
                    "timeoutMs": 20_000,
                },
                "prompts": ["p"],
            },
            {"id": "sagemaker:embedding:vectors", "config": {"modelType": "openai"}},
        ],
        "tests": [{"vars": {"n": 3, "m": "{{n}}"}, "assert": [{"type": "latency", "threshold": 20_000}]}],
        "maxErrorRate": 0.5,
    },
    {
        "prompts": ["{{env.WHO}} {{n}}"],
        "providers": ["sagemaker:custom:one", {"id": "sagemaker:two", "config": {"modelType": "llama", "chat": True}}],
        "tests": [
            {
                "vars": {"n": 5},
                "metadata": {"k": ["v"]},
                "assert": [
                    {"type": "not-regex", "value": "^[a-z]+$"},
                    {"type": "is-json", "value": {"type": "object", "properties": {"a": {"type": "number"}}}},
                    {"type": "not-equals", "value": {"a": 1}},
                ],
            }
        ],
        "env": {"WHO": "me", "AWS_REGION": "eu-central-1"},
        "outputPath": ["out.json", "out.csv", "out.yaml"],
        "tags": {"a": "b"},
        "commandLineOptions": {"maxConcurrency": 2},
    },
)

VALUES: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1, 2, 1.5, -0.0, "", " ", "x", "1", "null", "{{n}}", "{{", "{% if", "{{ n | nope }}"),
    *(
        "file://missing.txt",
        "file://prompts",
        "file://tests.csv",
        "file://",
        "sagemaker:",
        "sagemaker:openai:",
        "echo:x",
    ),
    *("\u0000", "\u202e", "ünïcode☕", "a" * 5000, "$..[", "(", "*", "#", "0x10", "2020-01-01", "<<", "&a", "!!x"),
    *([], {}, [None], [[]], [{}], {"a": None}, {"": 1}, {"raw": "x"}, {"id": "echo"}, [1, "a", [2]], {"a": {"b": [1]}}),
)
KEYS = (
    *("prompts", "providers", "tests", "vars", "assert", "type", "value", "config", "id", "label", "raw", "options"),
    *("x-anything", "threshold", "weight", "delay", "transform", "provider", "python", "", "1", "a b", "__proto__"),
)
OPTIONS: tuple[list[str], ...] = (
    *(["-o", "x.json"], ["--json"], ["--dry-run"], ["-j", "3"], ["--no-table"], ["--repeat", "2"], ["--no-cache"]),
    *(["--verbose"], ["--filter-first-n", "1"], ["--var", "n=5"], ["--fail-under", "0"], ["--filter-pattern", "r"]),
    *(["--filter-providers", "o"], ["--delay", "1"], ["--no-write"], ["-r", "echo"], ["-t", "tests.csv"], []),
)


def places(value: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all values of a document but the document itself."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, inner in steps for place in ((*path, step), *places(inner, (*path, step)))]


def parent_of(document: Json, place: tuple[Any, ...]) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


def mutate(document: Json, rng: Random) -> None:
    """Breaks one thing."""
    where = places(document)
    if not where:
        return
    place, other = rng.choice(where), rng.choice(where)
    parent, key = parent_of(document, place), place[-1]
    match rng.randrange(6):
        case 0:
            del parent[key]
        case 1:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        case 2:
            parent[key] = copy.deepcopy(parent_of(document, other)[other[-1]])
        case 3 if isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        case 3 | 4 if isinstance(parent, dict):
            parent[rng.choice(KEYS)] = parent.pop(key)
        case 5 if isinstance(parent, dict):
            parent[rng.choice(KEYS)] = copy.deepcopy(rng.choice(VALUES))
        case _:
            parent[key] = [parent[key]]


def broken_text(text: str, rng: Random) -> str:
    """A YAML text with some characters lost, doubled or replaced."""
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.randrange(6))
        text = (
            text[:start] + rng.choice(["", text[start:end] * 2, rng.choice("{}[]:,'\"\n\t&*!|>%@`-?#\0é")]) + text[end:]
        )
    return text


def broken(rng: Random) -> str:
    """The text of a configuration that was valid once."""
    document = copy.deepcopy(rng.choice(CONFIGS))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        mutate(document, rng)
    text = json.dumps(document, indent=2, ensure_ascii=rng.random() < 0.5)
    return broken_text(text, rng) if rng.random() < 0.2 else text


@pytest.fixture
def playground(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder, with all files that the configurations mention, and no setting of whoever runs the tests."""
    for name, text in FILES.items():
        path = workshop.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    for name, value in workshop.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(workshop.folder)


@pytest.mark.parametrize("document", CONFIGS, ids=map(str, range(len(CONFIGS))))
def test_the_configurations_are_sound_before_they_are_broken(
    workshop: Workshop, playground: None, document: Json
) -> None:
    assert run(["eval", "-c", str(workshop.write(document)), "--sandbox", "--dry-run"]) == 0
    assert run(["eval", "-c", str(workshop.write(document)), "--sandbox"]) in {0, 1}


def test_no_broken_configuration_is_a_bug(
    workshop: Workshop,
    playground: None,
    scaled: Callable[..., int],
    rng: Random,
    capsys: pytest.CaptureFixture[str],
) -> None:
    codes: Counter[int] = Counter()
    for _ in range(scaled(3000)):
        text = broken(rng)
        (workshop.folder / "broken.yaml").write_text(text, "utf-8", "surrogatepass")
        sandbox = rng.choice((["--sandbox"], ["--sandbox-script", "script.yaml"]))
        arguments = ["eval", "-c", "broken.yaml", "--no-progress-bar", *sandbox, *rng.choice(OPTIONS)]

        code = run(arguments)

        written = capsys.readouterr()
        codes[code] += 1
        assert code in {0, 1, 2, 3}, f"{arguments}\n{text}\n{written.err}"
        assert "Traceback" not in written.out + written.err, f"{arguments}\n{text}\n{written.err}"
        assert code != 2 or written.err, f"{arguments}\n{text}"
    assert codes.keys() >= {0, 1, 2}, "the configurations are all broken in the same way"
