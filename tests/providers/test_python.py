"""A provider that the user wrote in Python: how it is called, and what becomes of what it returns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import CaseError, ConfigError, ScriptError
from sagemaker_eval.model import (
    AssertionSpec,
    Call,
    CustomOptions,
    Json,
    Place,
    ProviderSpec,
    Response,
    TestCase,
    TokenUsage,
    UserCode,
)
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.python import EMBEDDING_FUNCTION, load_entry, python
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Targets

WHERE = Place("run.yaml", 3, 5)
CALL = Call("Hi Bob", {"name": "Bob", "list": [1]}, repeat=2, label="greeting", config={"size": 1})


@dataclass
class Workplace:
    """A folder with one script, and providers made of it."""

    folder: Path
    notices: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def provider(self, script: str, suffix: str = "", config: dict[str, Json] | None = None, **spec: Any) -> Provider:
        (self.folder / "p.py").write_text(script)
        code = UserCode(f"file://p.py{suffix}", str(self.folder), WHERE)
        options = CustomOptions(code, config or {})
        services = Services(ConnectionPool(1), Targets({}, lambda notice: None), self.notices.append, sleep=self.sleep)
        return python(ProviderSpec("file://p.py", "python", "Mine", options, **spec), services)

    def answer(self, script: str, suffix: str = "", call: Call = CALL, **spec: Any) -> Response:
        return asyncio.run(self.provider(script, suffix, **spec).answer(call))

    def returned(self, expression: str) -> Response:
        """The response to what `call_api` returns."""
        return self.answer(f"def call_api(prompt, options, context):\n    return {expression}\n")

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def work(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


Work = Workplace


@pytest.mark.parametrize("head", ["def call_api", "async def call_api"])
def test_a_function_answers(work: Work, head: str) -> None:
    response = work.answer(f"{head}(prompt, options, context):\n    return {{'output': prompt + '!'}}\n")

    assert (response.output, response.attempts, response.cached) == ("Hi Bob!", 1, False)
    assert response.latency_ms is not None and response.latency_ms >= 0


def test_another_function_may_be_named(work: Work) -> None:
    script = "class Model:\n    def ask(prompt):\n        return {'output': prompt}\n"
    assert work.answer(script, ":Model.ask").output == "Hi Bob"


def test_it_sees_its_settings_and_the_case(work: Work) -> None:
    test = TestCase(
        description="greets",
        vars={"name": "Bob", "code": UserCode("file://get.py")},
        assertions=(AssertionSpec("contains", "Bob", negated=True, weight=2.0),),
        options={"transform": UserCode("output.trim()")},
    )
    call = Call(CALL.prompt, CALL.vars, CALL.repeat, CALL.label, CALL.config, test)
    script = "def call_api(prompt, options, context):\n    return {'output': [options, context]}\n"

    options, context = work.answer(script, call=call, config={"deep": {"a": 1}}, env={"TEAM": "ours"}).output

    assert options == {
        "id": "file://p.py",
        "label": "Mine",
        "config": {"deep": {"a": 1}},
        "env": {"TEAM": "ours"},
    }
    assert context["vars"] == {"name": "Bob", "list": [1]}
    assert context["prompt"] == {"raw": "Hi Bob", "label": "greeting", "config": {"size": 1}}
    assert context["repeatIndex"] == 2
    assert context["test"] == {
        "description": "greets",
        "vars": {"name": "Bob", "code": "file://get.py"},
        "assert": [{"type": "not-contains", "value": "Bob", "weight": 2.0}],
        "options": {"transform": "output.trim()"},
        "metadata": {},
    }


def test_what_it_changes_changes_nothing_for_others(work: Work) -> None:
    script = (
        "def call_api(prompt, options, context):\n"
        "    context['vars']['list'].append(2)\n"
        "    options['config']['seen'].append(1)\n"
        "    return {'output': [context['vars']['list'], options['config']['seen']]}\n"
    )
    provider = work.provider(script, config={"seen": []})

    assert [asyncio.run(provider.answer(CALL)).output for _ in range(2)] == [[[1, 2], [1]]] * 2


@pytest.mark.parametrize("output", ["", 0, False, [], {}, [1, {"a": None}], "tea"])
def test_every_value_is_an_answer(work: Work, output: Json) -> None:
    assert work.returned(f"{{'output': {output!r}}}").output == output


def test_all_that_it_may_tell(work: Work) -> None:
    response = work.returned(
        "{'output': 'tea', 'raw': {'a': 1}, 'cost': 0.5, 'latencyMs': 120, 'finishReason': 'stop',"
        " 'logProbs': (-0.5, -1), 'metadata': {'model': 'x'},"
        " 'tokenUsage': {'prompt': 3, 'completion': 2, 'total': 5, 'numRequests': 4}}"
    )

    assert (response.raw, response.cost, response.latency_ms) == ('{"a":1}', 0.5, 120)
    assert (response.finish_reason, response.log_probs, response.metadata) == ("stop", (-0.5, -1.0), {"model": "x"})
    assert response.usage == TokenUsage(3, 2, requests=4)


@pytest.mark.parametrize(
    ("told", "usage"),
    [
        ("None", TokenUsage(requests=1)),
        ("{'total': 9}", TokenUsage(completion=9, requests=1)),
        ("{'prompt': 3.0, 'completion': 1}", TokenUsage(3, 1, requests=1)),
    ],
)
def test_token_counts(work: Work, told: str, usage: TokenUsage) -> None:
    assert work.returned(f"{{'output': 'tea', 'tokenUsage': {told}}}").usage == usage


def test_an_answer_from_a_cache_of_its_own_cost_no_call(work: Work) -> None:
    response = work.returned("{'output': 'tea', 'cached': True, 'tokenUsage': {'prompt': 3, 'completion': 2}}")

    assert (response.cached, response.attempts) == (True, 0)
    assert response.usage == TokenUsage(3, 2, 5)


@pytest.mark.parametrize(
    ("told", "message"), [("'no\\n model'", "no model"), ("{'code': 7}", '{"code":7}'), ("ValueError('x')", "x")]
)
def test_an_error_that_it_tells_is_that_of_the_case(work: Work, told: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        work.returned(f"{{'error': {told}, 'output': 'half', 'tokenUsage': {{'prompt': 3}}}}")
    assert caught.value.message == message
    assert caught.value.response is not None
    assert (caught.value.response.output, caught.value.response.usage.prompt) == ("half", 3)


@pytest.mark.parametrize("error", ["None", "''"])
def test_no_error_is_none(work: Work, error: str) -> None:
    assert work.returned(f"{{'error': {error}, 'output': 'tea'}}").output == "tea"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("{}", "the provider returned neither `output` nor `error`"),
        ("{'output': None}", "the provider returned neither `output` nor `error`"),
        ("None", "the provider returned nothing instead of a dict"),
        ("'tea'", "the provider returned a value of type `str` instead of a dict"),
        ("{'output': {1, 2}}", "the provider returned as `output` what is not JSON: a value of type `set`"),
        ("{'output': float('nan')}", "the provider returned as `output` what is not JSON: NaN"),
        ("{'output': 1, 'cost': 'much'}", "the provider returned a value of type `str` as `cost`"),
        ("{'output': 1, 'latencyMs': -1}", "the provider returned a value of type `int` as `latencyMs`"),
        ("{'output': 1, 'tokenUsage': 7}", "the provider returned a value of type `int` as `tokenUsage`"),
        ("{'output': 1, 'tokenUsage': {'prompt': True}}", "a value of type `bool` as `tokenUsage.prompt`"),
        ("{'output': 1, 'logProbs': ['a']}", "the provider returned a value of type `list` as `logProbs`"),
        ("{'output': 1, 'metadata': [1]}", "the provider returned a value of type `list` as `metadata`"),
    ],
)
def test_what_is_no_answer_is_an_error_of_the_case(work: Work, returned: str, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        work.returned(returned)
    assert message in caught.value.message


def test_a_key_that_means_nothing_is_told_once(work: Work) -> None:
    provider = work.provider("def call_api(prompt):\n    return {'output': 1, 'token_usage': {}, 'guardrails': {}}\n")
    for _ in range(2):
        asyncio.run(provider.answer(CALL))

    assert work.notices == [
        "the answers of `Mine` have the key `token_usage`, which has no effect: did you mean `tokenUsage`?"
    ]


@pytest.mark.parametrize("head", ["def call_api", "async def call_api"])
def test_what_it_raises_is_an_error_of_the_case_with_its_line(work: Work, head: str) -> None:
    with pytest.raises(ScriptError, match=r"`p\.py:2` raised ValueError: no such model"):
        work.answer(f"{head}(prompt):\n    raise ValueError('no such model')\n")


def test_a_function_that_returns_an_awaitable_is_awaited(work: Work) -> None:
    script = "async def ask(prompt):\n    return {'output': 'tea'}\ncall_api = lambda prompt: ask(prompt)\n"
    assert work.answer(script).output == "tea"


@pytest.mark.parametrize(
    ("script", "suffix", "message"),
    [
        ("", "", r"`p\.py` has no function `call_api`"),
        ("def ask(prompt): ...", ":aks", r"`p\.py` has no function `aks`"),
        ("def call_api(): ...", "", r"`call_api` of `file://p\.py` cannot be called with prompt, options, context"),
        ("def call_api(", "", r"is not valid Python"),
    ],
)
def test_a_function_that_cannot_be_called_is_found_at_once(work: Work, script: str, suffix: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        work.provider(script, suffix)
    assert caught.value.problems[0].where == WHERE


def test_a_missing_file_is_found_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the script `none\.py` does not exist"):
        load_entry(UserCode("file://none.py", str(tmp_path)))


def test_other_functions_are_found_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text("def call_embedding_api(text, options):\n    return {'embedding': [0.5]}\n")
    entry = load_entry(UserCode("file://p.py", str(tmp_path)), EMBEDDING_FUNCTION)

    assert asyncio.run(entry("Hi", {}, {})) == {"embedding": [0.5]}


TOGETHER = (
    "import threading\n"
    "meeting = threading.Barrier({count})\n"
    "def call_api(prompt):\n"
    "    meeting.wait(60)\n"
    "    return {{'output': threading.current_thread().name}}\n"
)


def test_blocking_calls_run_side_by_side_outside_the_event_loop(work: Work) -> None:
    provider = work.provider(TOGETHER.format(count=9))

    async def story() -> list[Response]:
        return await asyncio.gather(*(provider.answer(CALL) for _ in range(9)))

    names = {response.output for response in asyncio.run(story())}
    assert threading.current_thread().name not in names


COUNTING = (
    "import asyncio\n"
    "now, most = 0, 0\n"
    "async def call_api(prompt):\n"
    "    global now, most\n"
    "    now += 1\n"
    "    most = max(most, now)\n"
    "    await asyncio.sleep(0)\n"
    "    now -= 1\n"
    "    return {'output': most}\n"
)


@pytest.mark.parametrize(("limit", "most"), [(2, 2), (None, 5)])
def test_no_more_calls_than_allowed_are_made_at_once(work: Work, limit: int | None, most: int) -> None:
    provider = work.provider(COUNTING, max_concurrency=limit)

    async def story() -> list[Response]:
        return await asyncio.gather(*(provider.answer(CALL) for _ in range(5)))

    assert max(response.output for response in asyncio.run(story())) == most


def test_calls_start_at_the_pace_of_the_provider(work: Work) -> None:
    provider = work.provider("def call_api(prompt):\n    return {'output': 1}\n", delay_ms=60_000)

    async def story() -> None:
        for _ in range(3):
            await provider.answer(CALL)

    asyncio.run(story())
    assert len(work.waits) == 2 and min(work.waits) > 50


def test_nothing_is_sent_for_it_and_nothing_needs_preparing(work: Work) -> None:
    provider = work.provider("def call_api(prompt): ...")
    provider.prepare()

    assert asyncio.run(provider.request(CALL)) is None


def test_a_call_that_is_given_up_leaves_nothing_behind(work: Work) -> None:
    release = threading.Event()
    script = "gate = None\ndef call_api(prompt):\n    gate.wait(60)\n    return {'output': 1}\n"
    provider = work.provider(script)
    entry: Callable[..., Any] = provider._entry._function  # type: ignore[attr-defined]
    entry.__globals__["gate"] = release

    async def story() -> None:
        call = asyncio.create_task(provider.answer(CALL))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        release.set()

    asyncio.run(story())
