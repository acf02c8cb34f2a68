from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.cache_key import cache_key
from sagemaker_eval.calling.cache_origin import Keys, Origin, shown_address
from sagemaker_eval.model import Operation, Request

REQUEST = Request("llama", b'{"inputs":"hi","n":1}')
KEYS = Keys("account 1", "https://runtime.example.com", "eu-west-1")

words = st.text(max_size=5)
origins = st.builds(
    Origin,
    endpoint=words,
    body=words,
    body_bytes=st.integers(0, 9),
    content_type=words,
    routing=st.lists(st.tuples(words, words), max_size=2).map(tuple),
    operation=st.sampled_from(list(Operation)).map(str),
    repeat=st.integers(0, 3),
    identity=st.none() | words,
    fingerprint=words,
    sketch=st.none() | st.dictionaries(words, st.integers(0, 3), max_size=2),
)


@given(origins, words)
def test_what_is_written_is_read_back(origin: Origin, run: str) -> None:
    read = Origin.read(origin.endpoint, origin.written(run))
    assert (read, read.sketch, read.run) == (origin, origin.sketch, run)


@pytest.mark.parametrize("written", ["", "{", "{}", "[]", '{"body":"a"}', '{"body":"a","body_bytes":1,"routing":[1]}'])
def test_what_was_not_written_so_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        Origin.read("e", written)


def test_parts_that_a_later_version_adds_are_passed_over() -> None:
    assert Origin.read("e", '{"body":"a","body_bytes":1,"mood":"good"}') == Origin("e", "a", 1)


def test_the_keys_are_those_of_the_parts() -> None:
    keys = replace(KEYS, revision="v2", fingerprint=lambda: "config-1")
    assert keys(REQUEST) == cache_key("account 1", keys.url, "eu-west-1", REQUEST, "config-1", "v2")
    assert KEYS(REQUEST) == cache_key("account 1", keys.url, "eu-west-1", REQUEST)


def test_an_origin_tells_each_part() -> None:
    told = replace(KEYS, revision="v2", fingerprint=lambda: "config-1").origin(replace(REQUEST, repeat=3))
    assert (told.identity, told.region, told.revision, told.fingerprint) == ("account 1", "eu-west-1", "v2", "config-1")
    assert (told.endpoint, told.repeat, told.body_bytes) == ("llama", 3, 21)


def test_a_fingerprint_may_become_known_late() -> None:
    known: list[str] = []
    keys = replace(KEYS, fingerprint=lambda: known[-1] if known else "")
    before = keys(REQUEST)
    known.append("config-1")
    assert keys(REQUEST) != before == KEYS(REQUEST)


def test_only_names_of_models_are_written_in_clear() -> None:
    routing = (("CustomAttributes", "key=canary-1"), ("TargetModel", "blue.tar.gz"))
    written = Origin.of(replace(REQUEST, routing=routing)).written()
    assert "canary" not in written
    assert "blue.tar.gz" in written


@pytest.mark.parametrize("url", ["http://me:canary@host/path", "http://host/path?token=canary", "http://[canary@?"])
def test_of_a_url_no_credentials_are_shown(url: str) -> None:
    shown = shown_address(url)
    assert "canary" not in shown
    assert shown_address(url.replace("canary", "other")) != shown


def test_an_ordinary_name_is_shown_as_it_is() -> None:
    assert shown_address("llama-3") == "llama-3"
    assert shown_address("http://127.0.0.1:8080/invocations") == "http://127.0.0.1:8080/invocations"
