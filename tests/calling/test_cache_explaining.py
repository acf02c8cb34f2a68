from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.calling.cache_explaining import differences, entry, nearest
from sagemaker_eval.calling.cache_origin import Keys, Origin
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.model import Answer, Json, Operation, Request

KEYS = Keys("account 1", "https://runtime.example.com", "eu-west-1")
BODY: dict[str, Json] = {"inputs": "Describe a", "parameters": {"temperature": 0.7, "seed": 1}}


def request(body: Json = BODY, **parts: Any) -> Request:
    return Request("llama", json.dumps(body).encode(), **parts)


REQUEST = request()


class Shelf:
    """A cache that is filled and then asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, *requests: Request, keys: Keys = KEYS) -> None:
        with CacheStore(self._folder, pytest.fail) as store:
            store.run_id = "eval-1"
            for one in requests:
                store.put(keys(one), Answer(b"kept"), keys.origin(one))

    def why(self, asked: Request, keys: Keys = KEYS) -> list[str] | None:
        """In what the nearest entry differs; None where there is none."""
        origin = keys.origin(asked)
        with CacheStore(self._folder, pytest.fail) as store:
            assert store.connection is not None
            assert entry(store.connection, keys(asked)) is None
            near = nearest(store.connection, origin)
        return None if near is None or near.origin is None else differences(near.origin, origin, asked.body)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    yield Shelf(tmp_path)


def test_an_entry_tells_when_and_by_whom_it_was_stored(tmp_path: Path, shelf: Shelf) -> None:
    shelf.keep(REQUEST)
    with CacheStore(tmp_path, pytest.fail) as store:
        assert store.connection is not None
        kept = entry(store.connection, KEYS(REQUEST))
        assert kept is not None
        assert entry(store.connection, KEYS(REQUEST), oldest=kept.created + 1) is None
    assert kept.origin == KEYS.origin(REQUEST)
    assert kept.origin.run == "eval-1"


def test_in_an_empty_cache_nothing_is_near(shelf: Shelf) -> None:
    assert shelf.why(REQUEST) is None


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**BODY, "parameters": {"temperature": 0.2, "seed": 1}}, "parameters.temperature 0.7 -> 0.2"),
        ({**BODY, "inputs": "Describe b"}, 'inputs (another text of 10 characters) -> "Describe b"'),
        ({**BODY, "n": True}, "n (new) true"),
        ({"inputs": "Describe a", "parameters": {"temperature": 0.7}}, "parameters.seed (gone)"),
    ],
)
def test_the_values_of_the_body_that_differ_are_named(shelf: Shelf, body: Json, told: str) -> None:
    shelf.keep(REQUEST)
    assert shelf.why(request(body)) == [f"the body differs at: {told}"]


def test_many_differences_are_counted(shelf: Shelf) -> None:
    shelf.keep(request({str(number): 0 for number in range(9)}))
    [told] = shelf.why(request({str(number): 1 for number in range(9)})) or []
    assert told.startswith("the body differs at: 0 0 -> 1, 1 0 -> 1,")
    assert told.endswith(", and 4 more")


def test_of_bodies_that_are_no_json_the_sizes_are_told(shelf: Shelf) -> None:
    shelf.keep(Request("llama", b"plain"))
    assert shelf.why(Request("llama", b"plainer")) == ["the body differs: 5 -> 7 bytes"]


def test_equal_json_that_is_written_differently_is_told_as_such(shelf: Shelf) -> None:
    shelf.keep(REQUEST)
    [told] = shelf.why(replace(REQUEST, body=REQUEST.body.replace(b": ", b":"))) or []
    assert "in how its JSON is written" in told


@pytest.mark.parametrize(
    ("stored", "asked", "told"),
    [
        (replace(KEYS, identity="account 2"), KEYS, "it was asked as `account 2`, and is now asked as `account 1`"),
        (replace(KEYS, region="us-east-1"), KEYS, "other region: `us-east-1` -> `eu-west-1`"),
        (KEYS, replace(KEYS, revision="v2"), "other `revision`: `` -> `v2`"),
        (
            replace(KEYS, fingerprint=lambda: "config-1"),
            replace(KEYS, fingerprint=lambda: "config-2"),
            "the endpoint was redeployed: fingerprint `config-1` -> `config-2`",
        ),
        (
            KEYS,
            replace(KEYS, fingerprint=lambda: "config-2"),
            "which deployment answered was not known then; now it is: fingerprint `config-2`",
        ),
        (
            replace(KEYS, fingerprint=lambda: "config-1"),
            KEYS,
            "which deployment would answer is not known now; then it was: fingerprint `config-1`",
        ),
    ],
)
def test_whom_it_was_asked_of_and_what_was_deployed_is_told(shelf: Shelf, stored: Keys, asked: Keys, told: str) -> None:
    shelf.keep(REQUEST, keys=stored)
    assert shelf.why(REQUEST, asked) == [told]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"content_type": "text/plain"}, "other content type: `application/json` -> `text/plain`"),
        ({"operation": Operation.STREAM}, f"other way of asking: `{Operation.INVOKE}` -> `{Operation.STREAM}`"),
        ({"endpoint": "mistral"}, "other endpoint: `llama` -> `mistral`"),
        ({"routing": (("TargetModel", "b"),)}, "TargetModel was not given, and now is"),
    ],
)
def test_how_it_was_asked_is_told(shelf: Shelf, change: dict[str, Any], told: str) -> None:
    shelf.keep(REQUEST)
    assert shelf.why(replace(REQUEST, **change)) == [told]


def test_members_of_the_call_are_told_without_what_may_be_secret(shelf: Shelf) -> None:
    shelf.keep(request(routing=(("CustomAttributes", "canary-1"), ("SessionId", "s"), ("TargetModel", "a"))))
    told = shelf.why(request(routing=(("CustomAttributes", "canary-2"), ("TargetModel", "b"))))
    assert told == [
        "CustomAttributes has another value",
        "SessionId was given, and now is not",
        "other TargetModel: `a` -> `b`",
    ]


def test_the_nearest_repetition_is_told(shelf: Shelf) -> None:
    shelf.keep(*(replace(REQUEST, repeat=repeat) for repeat in range(3)))
    assert shelf.why(replace(REQUEST, repeat=4)) == ["repetition 5 was never asked; the nearest is repetition 3"]


def test_the_entry_with_the_very_body_is_nearer_than_one_of_the_endpoint(shelf: Shelf) -> None:
    shelf.keep(REQUEST, keys=replace(KEYS, identity="account 2"))
    shelf.keep(request({**BODY, "inputs": "Describe b"}))
    [told] = shelf.why(REQUEST) or []
    assert "account 2" in told


def test_the_entry_with_the_fewest_changed_values_is_the_nearest(shelf: Shelf) -> None:
    shelf.keep(request({"inputs": "Describe b", "parameters": {"temperature": 0.1, "seed": 9}}))
    shelf.keep(request({**BODY, "inputs": "Describe b"}))
    shelf.keep(Request("llama", b"plain"))
    [told] = shelf.why(REQUEST) or []
    assert told.startswith("the body differs at: inputs (another text")


def test_what_the_entry_does_not_tell_cannot_be_compared(tmp_path: Path, shelf: Shelf) -> None:
    with CacheStore(tmp_path, pytest.fail) as store:
        store.put("some key", Answer(b"kept"), Origin.of(REQUEST))
        store.put("older", Answer(b"kept"))
    [told] = shelf.why(REQUEST) or []
    assert "was not written down" in told
