"""The JSON Schema of configurations accepts what loading accepts, refuses what it refuses, and describes every key."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.config.anchors import anchored_keys
from sagemaker_eval.config.assertion_specs import NEVER_NEGATED
from sagemaker_eval.config.json_schema import DIALECT, config_schema, entries
from sagemaker_eval.config.key_descriptions import described_keys
from sagemaker_eval.config.schema import ConfigEntry, Entry
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.model import Json

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NAMES = known_names()
SCHEMA = config_schema(NAMES)
VALIDATOR = Draft202012Validator(SCHEMA)
GOOD = [
    *(path for path in sorted((HERE / "good").iterdir()) if path.suffix in {".yaml", ".json"}),
    *(path for path in sorted((ROOT / "configs").glob("*.yaml")) if path.name != "sandbox.yaml"),
    *sorted((ROOT / "examples").glob("*/sageval.yaml")),
]
BAD = (
    *("assertion-key", "credentials", "provider-config-key", "provider-types", "references"),
    *("provider-routing", "provider-operations", "test-key", "test-options", "top-level-key", "wrong-types"),
)
"""Broken configurations whose faults show without looking at files, or at two values at once."""


def read(path: Path) -> Json:
    """The document, without top-level keys that only hold anchors: they are the loader's to know."""
    text = path.read_text("utf-8")
    document = parse_yaml(text, str(path))
    return {key: value for key, value in document.items() if key not in anchored_keys(text) - {*SCHEMA["properties"]}}


def accepts(text: str) -> bool:
    return VALIDATOR.is_valid(parse_yaml(text, "sageval.yaml"))


def test_a_reference_may_stand_for_a_test_an_assertion_or_a_provider() -> None:
    document = {
        "assertionTemplates": {"short": {"type": "word-count", "value": {"max": 9}}},
        "x-shared": {"judge": {"id": "echo"}, "test": {"vars": {"x": 1}}},
        "providers": [{"$ref": "#/x-shared/judge"}],
        "tests": [{"$ref": "#/x-shared/test"}, {"assert": [{"$ref": "#/assertionTemplates/short", "weight": 2}]}],
    }
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    document["tests"] = [{"assert": [{"weight": 2}]}]
    assert [*VALIDATOR.iter_errors(document)]


def test_it_is_a_schema_of_draft_2020_12_without_an_id() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == DIALECT
    assert SCHEMA["title"] == "sageval configuration"
    assert "$id" not in SCHEMA


@pytest.mark.parametrize("path", GOOD, ids=lambda path: str(path.relative_to(ROOT)))
def test_good_configurations_are_accepted(path: Path) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(read(path))] == []


@pytest.mark.parametrize("name", BAD)
def test_broken_configurations_are_refused(name: str) -> None:
    assert not VALIDATOR.is_valid(read(HERE / "bad" / f"{name}.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        "x-mine: {anything: [goes]}",
        "$schema: ./sageval.schema.json",
        "redteam: {}",
        "prompts: {prompts/a.txt: A, 'Say {{it}}': B}",
        "providers: sagemaker:my-endpoint",
        "providers: [echo, {echo: }, {'sagemaker:openai:e': {label: A, config: {region: eu-west-1}}}]",
        "providers: [{id: 'sagemaker:e', config: {temperature: '{{env.T}}', modelType: '{{env.M}}', chat: 'true'}}]",
        "providers: [{id: 'other:thing', config: {free: true}}]",
        "env: {TEAM: search, RETRIES: 2, ON: true, NONE: }",
        "maxErrorRate: 5%",
        "maxErrorRate: 0.05",
        "outputPath: [a.json, b.csv]",
        "tests: [tests.csv, {vars: {x: [1, {y: 2}]}, options: {mine: 1}, metadata: {free: [1]}}]",
        "tests: [{assert: [{type: not-contains, value: [a], weight: '2'}]}]",
        "description: ",
        "tests: {path: file://make.py, config: {n: 3}}",
        "tests: [{path: 'file://make.py:tests'}, {vars: file://vars.yaml}]",
        "tests: [{provider: {'sagemaker:e': {label: A}}, providers: [A], providerOutput: {a: 1}}]",
        "scenarios: [file://one.yaml, {config: [{vars: {x: 1}}], tests: [tests.csv, {vars: {y: 2}}]}]",
        "providers: [{id: 'container:http://127.0.0.1:8080', config: {chat: true}}]",
        "providers: [{id: 'sagemaker:e', maxConcurrency: auto, config: {maxConcurrency: '{{env.N}}', warmUp: }}]",
        "providers: [{id: 'sagemaker:e', config: {async: true, customAttributes: {a: true, b: 1, c: '{{d}}'}}}]",
        "providers: [{id: 'sagemaker:e', config: {async: {bucket: s3://my-bucket/a, pollMs: '50'}, warmUp: 60}}]",
        "providers: [{id: 'sagemaker:e', config: {transport: openai, enableExplanations: true, async: }}]",
        "providers: [{id: 'sagemaker:e', config: {transport: , variants: [a, b], requestsPerSecond: 0.5}}]",
        "providers: [{id: 'container:http://h', config: {stream: true, maxConcurrency: auto, warmUp: true}}]",
        "evaluateOptions: {silent: true}",
        "commandLineOptions: {filterMetadata: team=search, envFile: [a.env], watch: true}",
    ],
)
def test_what_loading_takes_is_accepted(text: str) -> None:
    assert accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "promts: [Hi]",
        "description: 3",
        "maxErrorRate: often",
        "maxErrorRate: 5",
        "cache: perhaps",
        "prompts: [{label: without text}]",
        "prompts: [{raw: Hi, lable: A}]",
        "providers: [{label: without id}]",
        "providers: [{id: echo, labl: A}]",
        "providers: [{id: 'sagemaker:e', config: {regoin: eu-west-1}}]",
        "providers: [{'sagemaker:e': {config: {regoin: eu-west-1}}}]",
        "providers: [{'sagemaker:e': {labl: A}}]",
        "providers: [{id: 'sagemaker:e', config: {modelType: lama}}]",
        "providers: [{id: 'sagemaker:e', config: {topP: 0}}]",
        "providers: [{id: 'sagemaker:e', delay: true}]",
        "tests: [{assert: [{type: contain}]}]",
        "tests: [{assert: [{value: without type}]}]",
        "tests: [{assert: {type: contains}}]",
        "evaluateOptions: {maxConcurrency: 0}",
        "evaluateOptions: {maxConcurrency: auto}",
        "providers: [{id: 'sagemaker:e', maxConcurrency: fast}]",
        "providers: [{id: 'sagemaker:e', config: {warmUp: soon}}]",
        "providers: [{id: 'sagemaker:e', config: {async: {bukcet: a}}}]",
        "providers: [{id: 'sagemaker:e', config: {async: {requestTtlSeconds: 5}}}]",
        "providers: [{id: 'sagemaker:e', config: {transport: rest}}]",
        "providers: [{id: 'sagemaker:e', config: {variants: []}}]",
        "providers: [{id: 'sagemaker:e', config: {requestsPerSecond: 0}}]",
        "providers: [{id: 'container:http://h', config: {targetVariant: a}}]",
        "tests: {config: {n: 3}}",
        "tests: [{path: file://make.py, confg: {n: 3}}]",
        "scenarios: [{config: [{vars: {x: 1}}], test: []}]",
        "providers: [{id: 'container:http://127.0.0.1:8080', config: {region: eu-west-1}}]",
        "providers: [{'container:http://127.0.0.1:8080': {config: {region: eu-west-1}}}]",
    ],
)
def test_what_loading_refuses_is_refused(text: str) -> None:
    assert not accepts(text)


def test_names_are_those_of_the_registries() -> None:
    types = SCHEMA["$defs"]["AssertionEntry"]["properties"]["type"]["enum"]
    negated = [f"not-{name}" for name in NAMES.assertions if name not in NEVER_NEGATED]
    assert types == [*NAMES.assertions, *negated]
    choices = SCHEMA["$defs"]["SageMakerConfig"]["properties"]["modelType"]["anyOf"][0]["enum"]
    assert {*NAMES.formats, *NAMES.embedding_formats} < {*choices}


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.__name__)
def test_every_key_is_there_and_described(entry: type[Entry]) -> None:
    schema = SCHEMA if entry is ConfigEntry else SCHEMA["$defs"][entry.__name__]
    described = described_keys(entry)
    assert set(described) == set(entry.known_keys())
    assert set(entry.known_keys()) <= set(schema["properties"])
    for key in entry.known_keys():
        assert schema["properties"][key]["description"] == described[key]


def test_each_call_gives_a_document_of_its_own() -> None:
    config_schema(NAMES)["properties"].clear()
    assert config_schema(NAMES) == SCHEMA
