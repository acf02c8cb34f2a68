"""A cassette as a file: what is written of calls, and how they are found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.cassette import Asked, Entry, Head, Take, asked_of, decoded, encoded, key_of, line_of
from sagemaker_eval.calling.cassette_nearest import NotRecorded
from sagemaker_eval.calling.cassette_player import Player
from sagemaker_eval.calling.cassette_recorder import Recorder
from sagemaker_eval.calling.cassette_takes import outcome_of, take_of_answer, take_of_error, take_of_response
from sagemaker_eval.errors import CaseError, ConfigError, EndpointFault, Retry, SagevalError, ScriptError
from sagemaker_eval.model import Answer, Operation, Request, Response, Timings, TokenUsage, compact_json

HEAD = Head(1, "0.1.0", "eval-abc-2026-01-01T00-00-00", "2026-01-01T00:00:00.000Z", 12.5, True)
MILLISECONDS = st.integers(0, 10**9).map(lambda number: number / 1000)
USAGES = st.builds(TokenUsage, st.integers(0, 9**9), st.integers(0, 9**9), st.just(0), st.booleans(), st.just(1))
ANSWERS = st.builds(
    Answer,
    body=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")),
    content_type=st.sampled_from(["application/json", "text/event-stream"]),
    variant=st.none() | st.just("blue"),
    usage=st.none() | USAGES,
    timings=st.builds(Timings, MILLISECONDS, MILLISECONDS, MILLISECONDS, MILLISECONDS, st.none() | MILLISECONDS),
    attempts=st.integers(0, 5),
    cached=st.booleans(),
    told=st.sampled_from([(), (("customAttributes", "a=1"),)]),
)
REQUESTS = st.builds(
    Request,
    endpoint=st.sampled_from(["e", "f"]),
    body=st.binary() | st.sampled_from([b"{}", b'{"inputs": "Hi"}']),
    content_type=st.sampled_from(["application/json", "text/plain"]),
    accept=st.sampled_from(["application/json", "text/plain"]),
    routing=st.sampled_from([(), (("TargetModel", "a"),), (("TargetModel", "b"), ("TargetVariant", "v"))]),
    operation=st.sampled_from(list(Operation)),
    repeat=st.integers(0, 3),
)

Noted = tuple[Request, Answer | CaseError]


def request(body: str, endpoint: str = "e", repeat: int = 0) -> Request:
    return Request(endpoint, body.encode(), repeat=repeat)


def chat(content: str) -> str:
    return compact_json({"messages": [{"role": "user", "content": content}], "max_tokens": 100})


def record(path: Path, calls: Iterable[Noted], scrub: Callable[[bytes], bytes] = bytes) -> Path:
    with Recorder(scrub) as recorder:
        for asked, outcome in calls:
            take = take_of_error(outcome) if isinstance(outcome, CaseError) else take_of_answer(outcome, scrub)
            recorder.end(recorder.begin(), asked_of(asked, scrub), take)
        recorder.write(str(path), HEAD)
    return path


def ask(player: Player, asked: Request) -> Answer:
    outcome = player.outcome(asked_of(asked, player.scrub))
    assert isinstance(outcome, Answer)
    return outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.cassette"


def test_what_was_answered_is_answered_again(path: Path) -> None:
    answer = Answer(
        b'{"text": "Paris"}', variant="blue", usage=TokenUsage(3, 1), timings=Timings(queue=1.5, wire=20.25)
    )
    record(path, [(request("a"), answer), (request("b"), Answer(b"other"))])
    with Player(str(path)) as player:
        assert ask(player, request("a")) == answer


@given(ANSWERS)
def test_an_answer_survives_being_written(answer: Answer) -> None:
    line = line_of("0" * 32, Asked("e", ""), [take_of_answer(answer, bytes)])
    assert outcome_of(decoded(line, Entry).takes, 0) == answer


@given(REQUESTS, REQUESTS)
def test_calls_have_one_key_exactly_where_they_are_equal(one: Request, other: Request) -> None:
    keys = {key_of(asked_of(each, bytes)) for each in (one, other)}
    assert len(keys) == len({one, other})


@given(REQUESTS)
def test_the_key_follows_from_what_is_written(asked: Request) -> None:
    told = asked_of(asked, bytes)
    assert key_of(decoded(encoded(told), Asked)) == key_of(told)


def test_a_fault_is_a_fault_again(path: Path) -> None:
    fault = EndpointFault("throttled", code="ThrottlingException", retry=Retry.PATIENT, hint="wait", request_id="r-1")
    fault.attempts, fault.queued = 4, 17.25
    record(path, [(request("a"), fault)])
    with Player(str(path)) as player, pytest.raises(EndpointFault) as raised:
        ask(player, request("a"))
    told = raised.value
    assert (str(told), told.code, told.retry, told.hint) == ("throttled", "ThrottlingException", Retry.PATIENT, "wait")
    assert (told.attempts, told.queued, told.request_id) == (4, 17.25, "r-1")


def test_an_error_of_own_code_keeps_its_kind_and_what_was_answered() -> None:
    error = ScriptError("it raised", "correct it")
    error.response = Response("half", metadata={"a": [1]})
    with pytest.raises(ScriptError, match="it raised") as raised:
        outcome_of([take_of_error(error)], 0)
    assert raised.value.response == error.response


def test_own_code_may_answer_with_any_json() -> None:
    response = Response(
        {"a": [1, None, {"b": 2**70}], "c": "\ud800"}, cost=0.5, log_probs=(-0.5,), usage=TokenUsage(1, 2)
    )
    line = line_of("0" * 32, Asked("own", "p"), [take_of_response(response)])
    assert outcome_of(decoded(line, Entry).takes, 0) == response


def test_equal_calls_are_answered_in_their_order_and_the_last_answer_stands(path: Path) -> None:
    answers = [Answer(b"one"), Answer(b"two"), Answer(b"one", cached=True, attempts=0)]
    record(path, [(request("a"), answer) for answer in answers])
    with Player(str(path)) as player:
        assert [ask(player, request("a")) for _ in range(4)] == [*answers, answers[-1]]


def test_what_repeats_itself_is_written_once(path: Path) -> None:
    again = Answer(b"a long body", cached=True, attempts=0)
    record(path, [(request("a"), Answer(b"a long body")), *[(request("a"), again)] * 50])
    assert path.read_text().count("a long body") == 1
    assert path.stat().st_size < 600


def test_a_call_that_was_cut_short_is_an_error_of_its_case() -> None:
    with pytest.raises(CaseError, match="was over before this call was"):
        outcome_of([Take()], 0)


def test_the_order_of_different_calls_leaves_no_trace(tmp_path: Path) -> None:
    calls: list[Noted] = [(request(str(number)), Answer(str(number).encode())) for number in range(30)]
    one = record(tmp_path / "one", calls)
    other = record(tmp_path / "other", reversed(calls))
    assert one.read_bytes() == other.read_bytes()


def test_text_can_be_read_in_the_file_and_the_rest_is_base64(path: Path) -> None:
    record(path, [(request(chat("Grüße")), Answer(b"\xff\x00"))])
    text = path.read_text("utf-8")
    assert "Grüße" in text
    assert '"body":{"base64":"/wA="}' in text


def test_a_cassette_says_nothing_of_account_region_or_url(path: Path) -> None:
    url = "http://user:pass-word-123@localhost:8080/invocations?key=abcdef"
    record(path, [(request("a", url), Answer(b""))])
    assert '"endpoint":"http://localhost:8080/invocations"' in path.read_text()


def masked(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(secret, b"***")


def test_secrets_are_masked_and_calls_found_whatever_their_value_is_now(path: Path) -> None:
    record(path, [(request(chat("key s3cr3t-one")), Answer(b"you said s3cr3t-one"))], masked(b"s3cr3t-one"))
    assert b"s3cr3t-one" not in path.read_bytes()
    with Player(str(path), masked(b"s3cr3t-two")) as player:
        assert ask(player, request(chat("key s3cr3t-two"))).body == b"you said ***"


def test_secrets_that_are_learnt_late_are_masked_as_well(path: Path) -> None:
    known: list[bytes] = []

    def scrub(text: bytes) -> bytes:
        for secret in known:
            text = text.replace(secret, b"***")
        return text

    with Recorder(scrub) as recorder:
        asked = asked_of(request(chat("late-secret")), scrub)
        recorder.end(recorder.begin(), asked, take_of_answer(Answer(b"late-secret"), scrub))
        known.append(b"late-secret")
        recorder.write(str(path), HEAD)
    assert b"late-secret" not in path.read_bytes()
    with Player(str(path), scrub) as player:
        assert ask(player, request(chat("late-secret"))).body == b"***"


def test_a_cassette_replaces_the_one_before_and_leaves_nothing_else(path: Path) -> None:
    record(path, [(request("a"), Answer(b"old"))])
    record(path, [(request("b"), Answer(b"new"))])
    assert list(path.parent.iterdir()) == [path]
    with Player(str(path)) as player:
        assert ask(player, request("b")).body == b"new"
        with pytest.raises(NotRecorded):
            ask(player, request("a"))


def test_a_cassette_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SagevalError, match="cannot write the cassette"):
        record(tmp_path / "folder", [])


def test_a_part_of_a_run_goes_on_with_what_the_part_before_recorded(path: Path) -> None:
    fault = EndpointFault("down", code="ServiceUnavailable")
    record(path, [(request("a"), Answer(b"a")), (request("b"), fault), (request("c"), fault)])
    with Recorder(bytes) as recorder:
        with Player(str(path)) as earlier:
            recorder.take_over(earlier.entries())
        recorder.end(recorder.begin(), asked_of(request("b"), bytes), take_of_answer(Answer(b"b"), bytes))
        recorder.write(str(path), HEAD)
    with Player(str(path)) as player:
        assert [ask(player, request(name)).body for name in "ab"] == [b"a", b"b"]
        with pytest.raises(EndpointFault, match="down"):
            ask(player, request("c"))


def test_lines_may_stand_in_any_order(path: Path) -> None:
    record(path, [(request(str(number)), Answer(str(number).encode())) for number in range(20)])
    head, *lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(head + b"".join(reversed(lines)))
    with Player(str(path)) as player:
        assert [ask(player, request(str(number))).body for number in range(20)] == [b"%d" % n for n in range(20)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: b"", "is no cassette"),
        (lambda text: b"no JSON\n", "is no cassette"),
        (lambda text: text.replace(b'"cassette":1', b'"cassette":2'), "has format 2; this version of sageval reads 1"),
        (lambda text: text + text.splitlines(keepends=True)[1], "line 3 .* stands on another line too"),
        (lambda text: text + b"<<<<<<< main\n", "line 3 .* is no call"),
        (lambda text: text[:-20], "line 2 .* is no call"),
    ],
)
def test_a_damaged_cassette_is_refused(path: Path, change: Callable[[bytes], bytes], message: str) -> None:
    record(path, [(request("a"), Answer(b"a"))])
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ConfigError, match=message):
        Player(str(path))


def test_a_line_that_was_edited_wrongly_is_told_when_it_is_needed(path: Path) -> None:
    record(path, [(request("a"), Answer(b"a"))])
    path.write_bytes(path.read_bytes().replace(b'"takes":[', b'"takes":[1,'))
    with Player(str(path)) as player, pytest.raises(ConfigError, match=r"line 2 .* cannot be read"):
        ask(player, request("a"))


def test_no_cassette_at_all_is_told_with_how_to_record_one(path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        Player(str(path))
    assert raised.value.problems[0].hint == f"`sageval eval --record {path}` records one"


def missing(path: Path, asked: Request, *recorded: Request) -> str:
    record(path, [(each, Answer(b"")) for each in recorded])
    with Player(str(path)) as player, pytest.raises(NotRecorded) as raised:
        ask(player, asked)
    assert player.missed == 1
    return raised.value.message


def test_a_call_that_is_missing_is_compared_with_the_nearest(path: Path) -> None:
    told = missing(
        path,
        request(chat("What is the capital of Spain?")),
        request(chat("Count to ten")),
        request(chat("What is the capital of France?")),
        request(chat("What is the capital of Spain?"), "another"),
    )
    assert told.endswith(
        "compared with the nearest one, `messages[0].content` differs: `…capital of France?` -> `…capital of Spain?`"
    )


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        (request(chat("Hi"), repeat=2), "the repetition differs: `1` -> `3`"),
        (request(chat("Hi"), "f"), "the endpoint differs: `e` -> `f`"),
        (Request("e", chat("Hi").encode(), accept="text/plain"), "`application/json` -> `text/plain`"),
        (
            Request("e", chat("Hi").encode(), routing=(("TargetModel", "m"),)),
            'the routing differs: (none) -> `{"TargetM',
        ),
        (request('{"inputs": "Hi"}'), "`inputs` differs: (none) -> `Hi`"),
        (request(chat("Hi").replace(",", ", ")), "the body differs in how its JSON is written"),
        (request("plain text"), "differs"),
    ],
)
def test_it_is_said_what_differs(path: Path, asked: Request, difference: str) -> None:
    assert difference in missing(path, asked, request(chat("Hi")))


def test_an_empty_cassette_has_nothing_near(path: Path) -> None:
    assert "it has none at all" in missing(path, request("a"))


def test_a_whole_other_run_is_not_compared_call_by_call(path: Path) -> None:
    record(path, [(request("a"), Answer(b""))])
    told = []
    with Player(str(path)) as player:
        for number in range(102):
            with pytest.raises(NotRecorded) as raised:
                ask(player, request(f"other {number}"))
            told.append("nearest" in raised.value.message)
    assert (player.missed, told) == (102, [True] * 100 + [False] * 2)
