from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.model import Request
from sagemaker_eval.sagemaker.async_invocations import Accepted, Invocations, digest_of
from sagemaker_eval.sagemaker.objects import Location

REQUEST = Request("ep", b"{}", routing=(("InferenceId", "a"),))
PLACE = Location("evals", "in/1")


@given(st.binary(), st.binary())
def test_requests_have_one_digest_if_they_are_equal(one: bytes, other: bytes) -> None:
    assert (digest_of(replace(REQUEST, body=one)) == digest_of(replace(REQUEST, body=other))) == (one == other)


def test_whatever_is_sent_is_in_the_digest() -> None:
    others = [
        REQUEST,
        replace(REQUEST, endpoint="ep2"),
        replace(REQUEST, content_type="text/csv"),
        replace(REQUEST, accept="text/csv"),
        replace(REQUEST, routing=()),
        replace(REQUEST, repeat=1),
        replace(REQUEST, routing=(("InferenceId", "\ud800"),)),
    ]
    assert len({digest_of(other) for other in others}) == len(others)


def test_ids_are_what_aws_takes_and_never_the_same() -> None:
    invocations = Invocations()
    digest = digest_of(REQUEST)
    ids = [invocations.new(digest, None, None).id for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"[\w-]{1,64}", name) for name in ids)
    assert Invocations().new(digest, None, None).id not in ids, "nor those of another run"


def test_an_id_of_the_user_wins() -> None:
    assert Invocations().new("digest", "mine", None).id == "mine"


def test_an_unfinished_invocation_is_taken_up_once() -> None:
    invocations = Invocations()
    first, second = (invocations.new("digest", None, None) for _ in range(2))
    invocations.keep(first)
    invocations.keep(second)
    assert invocations.take_up("other") is None
    assert {id(invocations.take_up("digest")) for _ in range(2)} == {id(first), id(second)}
    assert invocations.take_up("digest") is None


def test_an_input_is_let_go_by_the_last_who_needs_it() -> None:
    invocations = Invocations()
    first, second = (invocations.new("digest", None, PLACE) for _ in range(2))
    assert invocations.let_go(first) is None
    assert invocations.let_go(first) is None
    assert invocations.let_go(second) == PLACE


def test_where_an_outcome_will_be_is_learnt_from_another() -> None:
    invocations = Invocations()
    assert invocations.expected("id-2") is None
    invocations.learn("id-1", Accepted(Location("b", "out/id-1.out"), Location("b", "failed/id-1-error.out")))
    assert invocations.expected("id-2") == Accepted(
        Location("b", "out/id-2.out"), Location("b", "failed/id-2-error.out")
    )


def test_names_without_the_id_teach_nothing() -> None:
    invocations = Invocations()
    invocations.learn("id-1", Accepted(Location("b", "out/7d2c.out"), Location("b", "failed/id-1")))
    assert invocations.expected("id-2") is None


def test_a_failure_that_is_named_otherwise_is_not_expected_anywhere() -> None:
    invocations = Invocations()
    invocations.learn("id-1", Accepted(Location("b", "out/id-1"), Location("b", "failed/7d2c")))
    assert invocations.expected("id-2") == Accepted(Location("b", "out/id-2"), None)
