from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

import sagemaker_eval.formats  # noqa: F401 - files the formats in their registry
from sagemaker_eval.errors import CaseError, ConfigError, EndpointFault, ExtractionError, Retry
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.model import Answer, Call, Json, Place, Request, SageMakerOptions, TokenUsage
from sagemaker_eval.providers.body_reader import BodyReader
from sagemaker_eval.providers.sagemaker import Check, Code, SageMaker, format_of, response_path
from sagemaker_eval.providers.scrubbed import Scrubbed


@dataclass
class Endpoint:
    """Gives one answer to every request, and remembers the requests."""

    given: Answer
    requests: list[Request] = field(default_factory=list)

    def prepare(self) -> None: ...

    def address(self, request: Request) -> str:
        return request.endpoint

    async def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.given

    async def settle(self) -> None: ...

    async def close(self) -> None: ...

    def refused(self, request: Request, error: CaseError) -> None: ...

    def stored(self, request: Request) -> Answer | None:
        return None

    def keep(self, request: Request, answer: Answer) -> None: ...

    async def fresh(self, request: Request) -> Answer:
        return await self(request)


class Asking:
    """A provider in front of an endpoint that gives one answer."""

    def __init__(self, body: Json, path: str | None = None, cached: bool = False, **options: Json) -> None:
        settings = SageMakerOptions(endpoint="e", response_path=path, **options)
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.endpoint = Endpoint(Answer(encoded, cached=cached, attempts=0 if cached else 1))
        self.notices: list[str] = []
        code, reader = Code(response_path(settings, None)), BodyReader(format_of(settings))
        self.provider = SageMaker(settings, code, reader, self.endpoint, self.notices.append)

    def ask(self, prompt: str = "Hi") -> tuple[Json, TokenUsage]:
        """The output and the usage."""
        response = asyncio.run(self.provider.answer(Call(prompt)))
        return response.output, response.usage


def test_the_text_is_found_where_the_model_type_has_it() -> None:
    assert Asking([{"generated_text": "tea"}], model_type="huggingface").ask()[0] == "tea"


def test_an_empty_string_is_an_answer() -> None:
    assert Asking([{"generated_text": ""}], model_type="huggingface").ask()[0] == ""


def test_a_path_wins_over_the_shape() -> None:
    asking = Asking([{"generated_text": "tea", "score": 7}], "$[0].score", model_type="huggingface")
    assert asking.ask()[0] == 7


def test_a_body_that_is_no_json_is_the_output() -> None:
    assert Asking(b"plain tea").ask()[0] == "plain tea"


def test_a_path_into_a_body_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ExtractionError, match="needs a JSON answer, and this one is text: plain tea"):
        Asking(b"plain tea", "$.text").ask()


def test_an_unknown_shape_of_a_custom_endpoint_is_its_whole_json_and_that_is_said_once() -> None:
    asking = Asking({"ranking": [1, 2]})
    assert [asking.ask()[0], asking.ask()[0]] == [{"ranking": [1, 2]}] * 2
    (notice,) = asking.notices
    assert "an answer of endpoint `e` holds no text that is known" in notice


def test_an_unknown_shape_of_any_other_type_is_an_error_with_paths_that_exist() -> None:
    with pytest.raises(ExtractionError) as caught:
        Asking({"result": {"words": "tea"}}, model_type="llama").ask()
    assert "unexpected answer for model type `llama`" in caught.value.message
    assert caught.value.hint is not None and "`$.result.words`" in caught.value.hint


def test_an_embedding_is_its_vector() -> None:
    asking = Asking({"embedding": [0.5, 0.25]}, model_type="openai", embedding=True)
    assert asking.ask()[0] == [0.5, 0.25]


def test_usage_is_estimated_where_nothing_reports_it() -> None:
    usage = Asking([{"generated_text": "four words of tea"}], model_type="huggingface").ask("How many words?")[1]
    assert usage.estimated and usage.prompt > 0 and usage.completion > 0 and usage.requests == 1


def test_usage_of_a_cached_answer_counts_as_cached_and_as_no_request() -> None:
    usage = Asking([{"generated_text": "tea"}], model_type="huggingface", cached=True).ask()[1]
    assert (usage.cached, usage.requests) == (usage.total, 0)


def test_the_repetition_belongs_to_the_request() -> None:
    provider = Asking({}).provider
    first, second = (asyncio.run(provider.request(Call("Hi", repeat=number))) for number in (0, 1))
    assert replace(second, repeat=0) == first != second


@pytest.fixture
def check() -> Callable[[bytes], TokenUsage | None]:
    """What a fresh answer of an openai endpoint is checked with."""
    reader = Check(BodyReader(FORMATS.get("openai")))
    return lambda body: reader(Answer(body, request_id="id-1"))


def test_an_empty_body_is_a_fault_that_is_tried_once_more(check: Callable[[bytes], TokenUsage | None]) -> None:
    with pytest.raises(EndpointFault) as caught:
        check(b"")
    assert (caught.value.code, caught.value.retry, caught.value.request_id) == ("EmptyBody", Retry.ONCE, "id-1")


def test_reported_usage_is_read_before_anything_is_stored(check: Callable[[bytes], TokenUsage | None]) -> None:
    body = b'{"choices": [{"message": {"content": "tea"}}], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}'
    assert check(body) == TokenUsage(prompt=3, completion=1, requests=1)


@pytest.mark.parametrize("body", [b"plain tea", b'{"odd": 1}'])
def test_what_does_not_tell_its_usage_is_no_fault(check: Callable[[bytes], TokenUsage | None], body: bytes) -> None:
    assert check(body) is None


def test_a_path_that_does_not_parse_is_a_problem_of_the_place_where_it_stands() -> None:
    options = SageMakerOptions(endpoint="e", response_path="$.a[")
    with pytest.raises(ConfigError) as caught:
        response_path(options, Place("run.yaml", pointer=("providers", 0)))
    (problem,) = caught.value.problems
    assert problem.where is not None
    assert problem.where.pointer == ("providers", 0, "config", "responseFormat", "path")


def test_secrets_leave_an_answer_before_anything_is_made_of_it() -> None:
    endpoint = Endpoint(Answer(b"you sent KEY"))
    answer = asyncio.run(Scrubbed(endpoint, lambda body: body.replace(b"KEY", b"***"))(Request("e", b"")))
    assert answer.body == b"you sent ***"


def test_an_answer_without_secrets_is_passed_on_as_it_is() -> None:
    endpoint = Endpoint(Answer(b"tea"))
    assert asyncio.run(Scrubbed(endpoint, bytes)(Request("e", b""))) is endpoint.given


def test_a_half_of_the_usage_that_was_not_told_is_estimated_and_marked() -> None:
    told = {"generated_text": " Paris.", "details": {"finish_reason": "length", "generated_tokens": 3}}
    usage = Asking(told, model_type="huggingface").ask("What is the capital of France?")[1]
    assert usage.completion == 3
    assert usage.prompt > 0
    assert usage.estimated


def test_a_null_body_is_no_answer() -> None:
    with pytest.raises(ExtractionError, match="the endpoint answered `null`"):
        Asking(None).ask()


def test_log_probabilities_are_kept_where_the_answer_tells_them() -> None:
    told = {"generated_text": "tea", "details": {"tokens": [{"logprob": -0.5}, {"logprob": -0.25}]}}
    asking = Asking([told], model_type="huggingface")
    assert asyncio.run(asking.provider.answer(Call("Hi"))).log_probs == (-0.5, -0.25)
    silent = Asking([{"generated_text": "tea"}], model_type="huggingface")
    assert asyncio.run(silent.provider.answer(Call("Hi"))).log_probs is None


def test_text_is_no_embedding() -> None:
    with pytest.raises(ExtractionError, match="an embedding endpoint answered with text: Service started"):
        Asking(b"Service started", model_type="huggingface", embedding=True).ask()
