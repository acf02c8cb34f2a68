"""Which formats are worth a call, and which answer is to be trusted."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import pytest

import sagemaker_eval.formats  # noqa: F401 - files the formats in their registry
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Call, Json, Request, Response
from sagemaker_eval.providers.probe_trials import Trial, best_of, tried
from sagemaker_eval.providers.probes import CHAT, HUGGINGFACE, PROMPT, Candidate, Hints, hints_of, plausible
from sagemaker_eval.sagemaker.container_images import family_of
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts, ModelFacts, VariantFacts

QUESTION = "What is the capital of France?"


@dataclass
class Provider:
    """Answers with what it was given, one after the other, and sends what it is told to."""

    given: list[Response | EndpointFault]
    sent: Json = field(default_factory=lambda: {"prompt": QUESTION})

    def prepare(self) -> None: ...

    async def request(self, call: Call) -> Request:
        return Request("e", json.dumps(self.sent).encode())

    async def answer(self, call: Call) -> Response:
        given = self.given.pop(0)
        if isinstance(given, EndpointFault):
            raise given
        return given

    def address(self, request: Request) -> str:
        return ""

    async def close(self) -> None: ...


def ask(candidate: Candidate, *given: Response | EndpointFault) -> Trial:
    async def at_once(seconds: float) -> None: ...

    provider = Provider(list(given))
    return asyncio.run(tried(candidate, provider, Call(QUESTION), at_once))


def answer(document: Json, output: Json = None) -> Response:
    return Response(output, json.dumps(document))


def chat(text: str) -> Response:
    return answer({"choices": [{"message": {"role": "assistant", "content": text}}]}, text)


def names(hints: Hints) -> list[str]:
    return [candidate.name for candidate in plausible(hints)]


def facts(image: str = "", jumpstart_model: str | None = None, **environment: str) -> EndpointFacts:
    variant = VariantFacts("AllTraffic", model=ModelFacts(image=image, environment=environment))
    return EndpointFacts("e", "InService", "us-east-1", variants=(variant,), jumpstart_model=jumpstart_model)


def test_all_formats_are_plausible_where_nothing_is_known() -> None:
    found = names(Hints())
    assert found[0] == "openai chat"
    assert {"huggingface", "jumpstart", "llama dialog", "anthropic", "custom prompt", "cohere embedding"} < set(found)


def test_a_known_container_is_asked_in_its_own_formats_alone() -> None:
    assert names(Hints(family=family_of("x/vllm:1"))) == ["openai chat", "openai completion", "openai embedding"]
    assert names(Hints(family=family_of("x/tei-cpu:1"))) == ["huggingface embedding"]


@pytest.mark.parametrize(
    ("endpoint", "first"),
    [
        ("my-bge-small", "openai embedding"),
        ("claude-2", "anthropic"),
        ("jumpstart-dft-mistral", "jumpstart"),
        ("flan-t5-xl", "text_inputs"),
        ("my-llama2", "llama dialog"),
    ],
)
def test_the_name_says_what_is_likeliest(endpoint: str, first: str) -> None:
    assert names(hints_of(endpoint, None))[0] == first


def test_the_task_of_a_container_says_what_it_makes() -> None:
    toolkit = facts("x/huggingface-pytorch-inference:2", HF_TASK="feature-extraction")
    assert names(hints_of("e", toolkit)) == ["huggingface embedding", "jumpstart embedding"]
    assert not any("embedding" in name for name in names(hints_of("e", facts(jumpstart_model="meta-textgeneration-x"))))


def test_a_format_that_is_named_is_kept_to() -> None:
    assert names(Hints(model_type="openai", embedding=False)) == ["openai chat", "openai completion"]


def test_a_container_that_can_do_nothing_of_the_kind_is_asked_in_every_format_of_it() -> None:
    assert names(Hints(family=family_of("x/mlflow:1"), embedding=True))[0] == "openai embedding"


def test_a_candidate_is_written_as_a_provider() -> None:
    assert CHAT.entry("sagemaker", "e", {"region": "eu-west-1"}) == {
        "id": "sagemaker:openai:e",
        "config": {"region": "eu-west-1", "chat": True},
    }
    embedding = plausible(Hints(embedding=True))[0]
    assert embedding.entry("sagemaker", "e", {}) == {"id": "sagemaker:embedding:e", "config": {"modelType": "openai"}}


def test_the_text_of_a_known_shape_needs_no_path() -> None:
    trial = ask(CHAT, chat("Paris."))
    assert (trial.works, trial.known, trial.native, trial.needed_path) == (True, True, True, None)
    assert trial.path == "$.choices[0].message.content"


def test_the_text_of_an_unknown_shape_is_looked_for() -> None:
    trial = ask(PROMPT, answer({"id": "a-1", "result": {"words": "It is Paris."}}))
    assert (trial.works, trial.known, trial.needed_path) == (True, False, "$.result.words")


@pytest.mark.parametrize(
    "echo",
    [
        answer({"output": QUESTION}, QUESTION),
        answer({"output": f"  {QUESTION.upper()}\n"}, f"  {QUESTION.upper()}\n"),
        answer({"echo": {"prompt": QUESTION}}),
        answer({"output": json.dumps({"prompt": QUESTION})}, json.dumps({"prompt": QUESTION})),
    ],
)
def test_what_only_repeats_the_question_does_not_work(echo: Response) -> None:
    assert not ask(PROMPT, echo).works


def test_a_clean_answer_wins_over_one_that_repeats_the_prompt() -> None:
    repeated = f"{QUESTION} Paris."
    noisy = ask(CHAT, chat(repeated))
    clean = ask(HUGGINGFACE, answer([{"generated_text": "Paris."}], "Paris."))
    assert noisy.works and noisy.echoes
    assert best_of([noisy, clean]) is clean


def test_an_answer_in_the_shape_of_its_format_wins_over_another_one() -> None:
    foreign = ask(HUGGINGFACE, chat("Paris."))
    assert best_of([foreign, ask(CHAT, chat("Paris."))]).candidate is CHAT  # type: ignore[union-attr]


def test_a_known_shape_wins_over_a_guess() -> None:
    guessed = ask(CHAT, answer({"note": "unsupported body, see the manual"}, {}))
    known = ask(PROMPT, answer({"output": "Paris."}, "Paris."))
    assert best_of([guessed, known]) is known


def test_text_is_no_embedding() -> None:
    (embedding, *_) = plausible(Hints(embedding=True))
    assert not ask(embedding, Response("plain", "plain")).works
    assert ask(embedding, answer({"embedding": [0.5, 1.0]}, [0.5, 1.0])).vector == [0.5, 1.0]


def test_throttling_is_waited_for_and_a_refusal_is_not() -> None:
    throttled = EndpointFault("throttled", code="ThrottlingException", retry=Retry.PATIENT)
    trial = ask(CHAT, throttled, throttled, chat("Paris."))
    assert (trial.works, trial.calls) == (True, 3)
    refused = ask(CHAT, EndpointFault("422: no", code="ModelError", retry=Retry.ONCE), chat("Paris."))
    assert (refused.refusal, refused.calls) == ("422: no", 1)


def test_nothing_is_best_where_nothing_works() -> None:
    assert best_of([]) is None
    assert best_of([ask(PROMPT, EndpointFault("no", code="ModelError"))]) is None
