from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.cache_key import cache_key, endpoint_key
from sagemaker_eval.model import Request

TARGET, URL, REGION = "account 123456789012", "https://runtime.sagemaker.eu-west-1.amazonaws.com", "eu-west-1"
REQUEST = Request("llama", b'{"inputs":"hi"}', routing=(("TargetModel", "a"), ("TargetVariant", "b")))

words = st.text("ab:/\0", max_size=3)
requests = st.builds(
    Request,
    endpoint=words,
    body=st.binary(max_size=3),
    content_type=words,
    accept=words,
    routing=st.dictionaries(words, words, max_size=2).map(lambda members: tuple(sorted(members.items()))),
    repeat=st.integers(0, 12),
)
inputs = st.tuples(words, words, words, requests)


deployed = st.tuples(words, words, words, requests, words, words)


@given(inputs, inputs)
def test_keys_are_equal_where_everything_is(one: tuple[str, str, str, Request], other: Any) -> None:
    assert (cache_key(*one) == cache_key(*other)) == (one == other)
    assert cache_key(*one) == cache_key(*one[:3], replace(one[3]))


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "llama2"},
        {"body": b'{"inputs":"hi" }'},
        {"content_type": "text/plain"},
        {"accept": "text/plain"},
        {"routing": ()},
        {"routing": (("TargetModel", "a"), ("TargetVariant", "c"))},
        {"repeat": 1},
    ],
)
def test_whatever_determines_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    key = cache_key(TARGET, URL, REGION, REQUEST)
    assert cache_key(TARGET, URL, REGION, replace(REQUEST, **change)) != key


def test_target_url_and_region_are_part_of_the_key() -> None:
    places = [
        (TARGET, URL, REGION),
        ("sandbox:1f", URL, REGION),
        (TARGET, "http://x", REGION),
        (TARGET, URL, "us-west-2"),
    ]
    assert len({cache_key(*place, REQUEST) for place in places}) == 4


@given(st.tuples(words, words, words), st.integers(0, 5))
def test_text_that_moves_to_the_neighbouring_part_changes_the_key(parts: tuple[str, str, str], cut: int) -> None:
    target, url, region = parts
    joined = target + url
    moved = (joined[:cut], joined[cut:])
    assert (cache_key(*moved, region, REQUEST) == cache_key(target, url, region, REQUEST)) == (moved == (target, url))


def test_the_order_of_routing_members_does_not_matter() -> None:
    turned = replace(REQUEST, routing=tuple(reversed(REQUEST.routing)))
    assert cache_key(TARGET, URL, REGION, turned) == cache_key(TARGET, URL, REGION, REQUEST)


def test_the_key_is_the_same_in_every_process_and_release() -> None:
    key = cache_key(TARGET, URL, REGION, REQUEST)
    assert key == "986a62cc7318a1010797d50d96339ee397a172d03fe54235d91e1c32559f6607"


def test_text_that_is_no_valid_unicode_has_a_key_too() -> None:
    assert len(cache_key("\ud800", URL, REGION, REQUEST)) == 64


@given(deployed, deployed)
def test_keys_are_equal_where_what_is_deployed_is_too(one: Any, other: Any) -> None:
    assert (cache_key(*one) == cache_key(*other)) == (one == other)


def test_a_redeployed_endpoint_and_another_revision_have_other_keys() -> None:
    told = [("", ""), ("e-config-1", ""), ("e-config-2", ""), ("", "v1"), ("v1", ""), ("e-config-1", "v1")]
    assert len({cache_key(TARGET, URL, REGION, REQUEST, *deployment) for deployment in told}) == len(told)


def test_without_fingerprint_and_revision_stored_answers_stay_valid() -> None:
    assert cache_key(TARGET, URL, REGION, REQUEST, "", "") == cache_key(TARGET, URL, REGION, REQUEST)


def test_the_key_of_an_endpoint_says_where_it_is_and_not_what_is_deployed() -> None:
    places = [(TARGET, URL, REGION, "e"), ("other", URL, REGION, "e"), (TARGET, URL, "us-east-1", "e")]
    keys = {endpoint_key(*place) for place in places} | {endpoint_key(TARGET, URL, REGION, "f")}
    assert len(keys) == 4
