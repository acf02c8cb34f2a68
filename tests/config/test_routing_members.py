"""Every member of SageMaker's operations can be reached by a key, within the limits that AWS has for it.

A new version of botocore that knows of another member, or of other limits, makes these tests fail.
"""

from __future__ import annotations

import pytest

from sagemaker_eval.config.routing_members import BY_KEY, MEMBERS
from sagemaker_eval.config.schema import AsyncEntry, SageMakerConfig
from sagemaker_eval.model import Operation
from sagemaker_eval.sagemaker.service import OPERATIONS, input_members

BY_OTHER_KEYS = {
    "EndpointName": "endpoint",
    "ContentType": "contentType",
    "Accept": "acceptType",
    "RequestTTLSeconds": "requestTtlSeconds",
    "InvocationTimeoutSeconds": "invocationTimeoutSeconds",
    "InputLocation": "bucket",
}
MADE_BY_THE_PROMPT = {"Body"}
LEFT_TO_THE_ENDPOINT = {"Filename", "S3OutputPathExtension"}
"""Where an asynchronous answer is put: no answer depends on it, and one file name for all answers would lose them."""

CASES = [(operation, name) for operation in OPERATIONS for name in input_members(operation)]


@pytest.mark.parametrize(("operation", "name"), CASES)
def test_every_member_is_reached_by_a_key(operation: Operation, name: str) -> None:
    keys = {*SageMakerConfig.known_keys(), *AsyncEntry.known_keys()}
    if name in MEMBERS:
        assert operation in MEMBERS[name].operations
        assert MEMBERS[name].key in keys
    else:
        assert BY_OTHER_KEYS.get(name) in keys or name in MADE_BY_THE_PROMPT | LEFT_TO_THE_ENDPOINT


@pytest.mark.parametrize("name", MEMBERS)
def test_no_member_is_offered_to_an_operation_that_lacks_it(name: str) -> None:
    known = {operation for operation in OPERATIONS if name in input_members(operation)}
    assert MEMBERS[name].operations - {Operation.OPENAI} == known


@pytest.mark.parametrize(("operation", "name"), [case for case in CASES if case[1] in MEMBERS])
def test_limits_are_those_of_the_service(operation: Operation, name: str) -> None:
    limits = input_members(operation)[name].metadata
    assert MEMBERS[name].longest == limits["max"]
    assert MEMBERS[name].flaw("") is not None


def test_times_of_an_asynchronous_call_have_the_limits_of_the_service() -> None:
    for name in ("RequestTTLSeconds", "InvocationTimeoutSeconds"):
        limits = input_members(Operation.ASYNC)[name].metadata
        schema = AsyncEntry.model_json_schema()["properties"][BY_OTHER_KEYS[name]]["anyOf"][0]
        assert (schema["minimum"], schema["maximum"]) == (limits["min"], limits["max"])


def test_keys_are_the_names_of_the_service_with_a_small_letter() -> None:
    assert {key: member.name for key, member in BY_KEY.items()} == {
        name[0].lower() + name[1:]: name for name in MEMBERS
    }
