"""Judging answers that are there already: a run whose cases take theirs from earlier ones, and call no endpoint.

A body that SageMaker or a container answered is read anew, with the model type and `responseFormat.path` that the
configuration has now; transforms, assertions and scoring follow as in any run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sagemaker_eval.assertions.base import GRADER_ROLES
from sagemaker_eval.errors import CaseError, EndpointFault, SetupError
from sagemaker_eval.model import (
    EMPTY,
    Answer,
    AssertionSpec,
    Call,
    Case,
    CaseFailure,
    Json,
    Operation,
    Prompt,
    ProviderSpec,
    Response,
    SageMakerOptions,
    Suite,
    TestCase,
    Tests,
    UserCode,
)
from sagemaker_eval.providers.base import Local, Provider
from sagemaker_eval.providers.body_reader import BodyReader
from sagemaker_eval.providers.line import Line, Way
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.sagemaker import Check, Code, SageMaker, format_of, response_path
from sagemaker_eval.providers.services import Services
from sagemaker_eval.running.answer_matching import FROM_TEST
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.earlier_answers import Answers, ByCase, EarlierAnswer
from sagemaker_eval.running.rendering import Rendered, Renderer
from sagemaker_eval.text.templating.templates import Templates

_KEPT = 256
_NOTHING_ASKED = Prompt("", "", "")


class AnswersByCase:
    """The answer of each case, once it was found out which is whose (`numbers`, by slot)."""

    def __init__(self) -> None:
        self._answers: Answers | None = None
        self._numbers: Sequence[int] = ()
        self._kept = lru_cache(_KEPT)(self._read)

    def settle(self, answers: Answers, numbers: Sequence[int]) -> None:
        self._answers, self._numbers = answers, numbers

    def of(self, case: Case) -> EarlierAnswer | None:
        """None where the test itself gives the answer."""
        return self._kept(case.index)

    def _read(self, slot: int) -> EarlierAnswer | None:
        number = self._numbers[slot]
        assert self._answers is not None
        return None if number == FROM_TEST else self._answers.answer(number)


class EarlierRenderer(Renderer):
    """Has the prompts that were asked then, where they are known. Code among the variables keeps what it returned."""

    def __init__(self, templates: Templates, answers: ByCase) -> None:
        super().__init__(templates)
        self._answers = answers

    async def render(self, case: Case, more: Mapping[str, Json] = EMPTY) -> Rendered:
        earlier = self._answers.of(case)
        if earlier is None or earlier.prompt is None:
            return await super().render(case, more)
        values = _with_results(case.row.vars, earlier.vars)
        column = case.column
        if not any(isinstance(value, UserCode) for value in values.values()):
            column = replace(column, prompt=_NOTHING_ASKED)
        asked = replace(case, row=replace(case.row, vars=values), column=column)
        return replace(await super().render(asked, more), prompt=earlier.prompt)


def _with_results(variables: Mapping[str, Json], results: Mapping[str, Json]) -> Mapping[str, Json]:
    """The variables, with what code among them returned in its place."""
    if not any(isinstance(value, UserCode) for value in variables.values()):
        return variables
    return {
        name: results[name] if isinstance(value, UserCode) and name in results else value
        for name, value in variables.items()
    }


class EarlierAnswering(Answering):
    """Takes the answer of each case from those that are there. Nothing is built that could call an endpoint.

    `graded` counts the assertions of the tests that were checked which ask a model.
    """

    def __init__(self, pool: ProviderPool, services: Services, answers: AnswersByCase) -> None:
        super().__init__(pool)
        self._answers = answers
        self._readers = Readers(services)
        self.graded = 0

    def check_provider(self, spec: ProviderSpec) -> None:
        """Raise `ConfigError` for a response path or a transform that cannot work."""
        self._readers.of(spec)
        if spec.transform is not None:
            self._transform_of(spec.transform)

    def check_test(self, test: TestCase) -> None:
        super().check_test(test)
        self.graded += graded(test.assertions)

    def provider(self, case: Case) -> Provider:
        """Who has the answer of a case."""
        earlier = self._answers.of(case)
        assert earlier is not None
        return Earlier(earlier, self._readers.of(case.row.test.provider or case.column.provider))


class Readers:
    """What reads the bodies of recorded answers, for each provider."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[int, tuple[ProviderSpec, _Reader | None]] = {}

    def of(self, spec: ProviderSpec) -> _Reader | None:
        """None where the provider gives no bodies. Raises `ConfigError` for a response path that cannot work."""
        known = self._known.get(id(spec))
        if known is None or known[0] is not spec:
            reads = isinstance(spec.options, SageMakerOptions)
            known = self._known[id(spec)] = (spec, _Reader.of(spec, self._services) if reads else None)
        return known[1]


@dataclass(frozen=True, slots=True)
class Earlier(Local):
    """A provider of a single answer, which it has already."""

    earlier: EarlierAnswer
    reader: _Reader | None

    async def answer(self, call: Call) -> Response:
        """Raises the `CaseError` of then where nothing was learned, and one of now where the body cannot be read."""
        earlier, response = self.earlier, self.earlier.response
        if response is not None and response.raw and self.reader is not None:
            return await self.reader.read(response, call)
        if response is None or (earlier.failure is not None and response.output is None):
            raise _error(earlier)
        return response


def _error(earlier: EarlierAnswer) -> CaseError:
    failure = earlier.failure or CaseFailure("error", "no answer was recorded")
    error: CaseError
    if failure.code is None:
        error = CaseError(failure.message, failure.hint)
    else:
        error = EndpointFault(failure.message, code=failure.code, hint=failure.hint)
        error.attempts = failure.attempts
    error.kind = failure.kind
    error.response = earlier.response
    return error


class _Reader(SageMaker):
    """Reads the recorded bodies of one provider as it would read fresh ones."""

    @classmethod
    def of(cls, spec: ProviderSpec, services: Services) -> _Reader:
        """Raises `ConfigError` for a response path that cannot work."""
        options: SageMakerOptions = spec.options
        streamed = options.operation is Operation.STREAM
        body_reader = BodyReader(format_of(options), streamed=streamed)
        line = Line(_nowhere, Check(body_reader), spec, services)
        return cls(options, Code(response_path(options, spec.where)), body_reader, line, services.notice)

    async def read(self, recorded: Response, call: Call) -> Response:
        """The recorded response with the output that is in its body. Raises `CaseError`, which carries the response."""
        answer = Answer(recorded.raw.encode("utf-8", "surrogatepass"), timings=recorded.timings)
        try:
            made = await self._made_of(answer, call)
        except CaseError as error:
            error.response = replace(recorded, output=None)
            raise
        return replace(recorded, output=made.output, finish_reason=made.finish_reason, log_probs=made.log_probs)


def _nowhere() -> Way:
    raise SetupError("no endpoint is called while answers are judged again")


class UngradedTests:
    """Tests without the assertions that ask a model; read again by every iteration."""

    def __init__(self, tests: Tests) -> None:
        self._tests = tests

    def __len__(self) -> int:
        return len(self._tests)

    def __iter__(self) -> Iterator[TestCase]:
        for test in self._tests:
            yield replace(test, assertions=_ungraded(test.assertions)) if graded(test.assertions) else test


def graded(specs: Sequence[AssertionSpec]) -> int:
    """How many of these assertions, members of sets included, ask a model."""
    return sum(spec.kind in GRADER_ROLES or graded(spec.members) for spec in specs)


def ungraded(suite: Suite) -> tuple[Suite, int]:
    """The suite without the assertions that ask a model, and how many these were."""
    left_out = sum(graded(test.assertions) for test in suite.tests)
    return (replace(suite, tests=UngradedTests(suite.tests)) if left_out else suite), left_out


def _ungraded(specs: Sequence[AssertionSpec]) -> tuple[AssertionSpec, ...]:
    kept = (spec for spec in specs if spec.kind not in GRADER_ROLES)
    reduced = (replace(spec, members=_ungraded(spec.members)) if graded(spec.members) else spec for spec in kept)
    return tuple(spec for spec in reduced if spec.members or not _is_set(spec))


def _is_set(spec: AssertionSpec) -> bool:
    return spec.kind == "assert-set"
