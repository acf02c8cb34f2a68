"""Who judges which assertion, and how many of its calls are in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval import providers
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import (
    AssertionSpec,
    Call,
    CustomOptions,
    Place,
    ProviderSpec,
    Request,
    Response,
    SageMakerOptions,
    TestCase,
    UserCode,
)
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.running.graders import RunGraders, chosen
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import Targets

assert providers.__all__

JUDGE = ProviderSpec("sagemaker:openai:judge", "sagemaker", options=SageMakerOptions("judge", "openai"))
EMBEDDER = ProviderSpec(
    "sagemaker:embedding:vectors", "sagemaker", options=SageMakerOptions("vectors", "openai", embedding=True)
)
OTHER = ProviderSpec("other", "echo")
SPEC = AssertionSpec("similar", "tea", where=Place("run.yaml", 7))


def named(own: Mapping[str, ProviderSpec], of_test: Mapping[str, ProviderSpec], role: str) -> str:
    """The id of the grader that is chosen."""
    spec = AssertionSpec("similar", "tea", graders=own, where=Place("run.yaml", 7))
    return chosen(spec, TestCase(options={"provider": of_test}), role).id


@pytest.mark.parametrize(
    ("own", "of_test", "role", "found"),
    [
        ({}, {"text": JUDGE}, "text", JUDGE),
        ({}, {"any": JUDGE}, "text", JUDGE),
        ({"any": OTHER}, {"text": JUDGE}, "text", OTHER),
        ({"text": OTHER}, {"any": JUDGE}, "text", OTHER),
        ({"text": OTHER, "any": JUDGE}, {}, "text", OTHER),
        ({"text": OTHER}, {"moderation": JUDGE}, "moderation", JUDGE),
        ({}, {"any": EMBEDDER}, "embedding", EMBEDDER),
        ({"any": JUDGE}, {"embedding": EMBEDDER}, "embedding", EMBEDDER),
    ],
)
def test_the_assertions_own_grader_comes_before_that_of_the_test(
    own: dict[str, ProviderSpec], of_test: dict[str, ProviderSpec], role: str, found: ProviderSpec
) -> None:
    assert named(own, of_test, role) == found.id


@pytest.mark.parametrize(
    ("own", "of_test", "role", "message"),
    [
        ({}, {}, "embedding", "`similar` needs an embedding provider, and none is named"),
        ({}, {"text": JUDGE}, "embedding", "`similar` needs an embedding provider, and none is named"),
        (
            {},
            {"any": JUDGE},
            "embedding",
            "`similar` needs an embedding provider, and `sagemaker:openai:judge` writes text and gives no embeddings",
        ),
        (
            {"embedding": JUDGE},
            {"embedding": EMBEDDER},
            "embedding",
            "`similar` needs an embedding provider, and `sagemaker:openai:judge` writes text and gives no embeddings",
        ),
        (
            {"any": EMBEDDER},
            {},
            "text",
            "`similar` needs a text provider, and `sagemaker:embedding:vectors` gives embeddings and answers no "
            "questions",
        ),
    ],
)
def test_a_grader_that_is_missing_or_cannot_do_it_is_an_error_with_a_way_out(
    own: dict[str, ProviderSpec], of_test: dict[str, ProviderSpec], role: str, message: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        named(own, of_test, role)
    (problem,) = raised.value.problems
    assert problem.message == message
    assert problem.where == Place("run.yaml", 7)
    assert problem.hint is not None and "defaultTest: {options: {provider: {" in problem.hint


class Slow:
    """A provider that answers with the prompt and knows how many calls were in flight."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.most = 0

    def prepare(self) -> None: ...

    async def answer(self, call: Call) -> Response:
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        for _ in range(3):
            await asyncio.sleep(0)
        self.in_flight -= 1
        if call.prompt == "fail":
            raise CaseError("it is tired", "let it rest")
        return Response(
            [float(len(call.prompt))] if call.prompt.startswith("embed") else f"{call.prompt}/{call.repeat}"
        )

    async def request(self, call: Call) -> Request | None:
        return None

    def address(self, request: Request) -> str:
        return ""

    async def close(self) -> None: ...


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """What every `echo` is in this test, in every role."""
    provider = Slow()
    for kind in ("echo", "echo:embedding"):
        monkeypatch.setitem(providers.base.PROVIDERS._entries, kind, lambda spec, services: provider)
    return provider


def graders(most: int = 4) -> tuple[RunGraders, Services]:
    services = Services(ConnectionPool(1), Targets({}, lambda notice: None))
    return RunGraders(ProviderPool(services), most), services


def graded_test(spec: ProviderSpec) -> TestCase:
    return TestCase(options={"provider": {"any": spec}})


@pytest.mark.parametrize(("of_run", "own", "most"), [(4, None, 4), (4, 2, 2), (4, 9, 4)])
def test_a_grader_has_a_cap_of_its_own(slow: Slow, of_run: int, own: int | None, most: int) -> None:
    run, services = graders(of_run)
    test = graded_test(ProviderSpec("echo", "echo", max_concurrency=own))

    async def ask_all() -> None:
        asker, embedder = run.text(SPEC, test), run.embedding(SPEC, test)
        await asyncio.gather(
            *(asker.ask(str(number)) for number in range(20)),
            *(embedder.embed([f"embed {number}"]) for number in range(5)),
        )

    asyncio.run(ask_all())
    assert slow.most == most
    assert services.pool.size == 1 + most


def test_equal_graders_share_a_cap(slow: Slow) -> None:
    run, _ = graders(3)

    async def ask_all() -> None:
        tests = [graded_test(ProviderSpec("echo", "echo", where=Place("run.yaml", line))) for line in range(6)]
        await asyncio.gather(*(run.text(SPEC, test).ask(f"{number}") for number, test in enumerate(tests * 4)))

    asyncio.run(ask_all())
    assert slow.most == 3


def test_a_repetition_is_passed_on(slow: Slow) -> None:
    run, _ = graders()
    asker = run.text(SPEC, graded_test(OTHER))
    assert asyncio.run(asker.ask("vote", repeat=2)).output == "vote/2"


def test_what_a_grader_fails_with_is_told_as_its_failure(slow: Slow) -> None:
    run, _ = graders()
    test = graded_test(ProviderSpec("echo", "echo", label="my judge"))
    calls: list[Callable[[], Any]] = [
        lambda: run.text(SPEC, test).ask("fail"),
        lambda: run.embedding(SPEC, test).embed(["fail"]),
    ]
    for call in calls:
        with pytest.raises(CaseError) as raised:
            asyncio.run(call())
        assert raised.value.message == "the grader `my judge` failed: it is tired"
        assert (raised.value.kind, raised.value.hint) == ("grader", "let it rest")


def test_an_output_transform_of_a_grader_is_applied(slow: Slow) -> None:
    run, _ = graders()
    test = graded_test(ProviderSpec("echo", "echo", transform=UserCode("output.toUpperCase()")))
    assert asyncio.run(run.text(SPEC, test).ask("yes")).output == "YES/0"


def test_the_users_python_may_embed_and_classify(tmp_path: Path) -> None:
    (tmp_path / "p.py").write_text(
        "def call_embedding_api(text):\n    return {'embedding': [1.0, len(text)]}\n\n"
        "def call_classification_api(text):\n    return {'classification': {'tea': 1.0}}\n"
    )
    code = UserCode("file://p.py", str(tmp_path))
    test = graded_test(ProviderSpec("file://p.py", "python", options=CustomOptions(code)))
    run, _ = graders()

    assert asyncio.run(run.embedding(SPEC, test).embed(["tea"])) == ((1.0, 3.0),)
    assert asyncio.run(run.classification(SPEC, test).ask("tea")).output == {"tea": 1.0}
    with pytest.raises(ConfigError, match="call_api"):
        run.text(SPEC, test)
