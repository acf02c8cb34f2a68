"""What stands between a provider and its calls where a run is recorded, or answered from a recording.

Answers of endpoints are taken where they leave the line, so that what came from the cache is among them; answers of the
user's own Python are taken whole. A replay has no line and loads none of that Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sagemaker_eval.calling.cassette import Asked, Take, asked_of
from sagemaker_eval.calling.cassette_nearest import NotRecorded
from sagemaker_eval.calling.cassette_player import Player
from sagemaker_eval.calling.cassette_recorder import Recorder
from sagemaker_eval.calling.cassette_takes import take_of_answer, take_of_error, take_of_response
from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import Answer, Call, CustomOptions, ProviderSpec, Request, Response
from sagemaker_eval.providers.base import PROVIDERS, Local, Provider
from sagemaker_eval.providers.line import Endpoint
from sagemaker_eval.providers.python_context import call_context
from sagemaker_eval.providers.services import Services
from sagemaker_eval.providers.ways import invocations_path

_OWN_CODE = "python"
"""Providers of this kind, in whichever role, are code of the user's own."""

_OF_THE_RUN = frozenset({"__evalId", "__evalStepId", "__repeatIndex"})
"""Variables that say which run and which place in it a call belongs to, not what is asked."""


def taped(find: Callable[[], Endpoint], services: Services) -> Endpoint:
    """The endpoint that `find` makes, recorded where the run is; a recording of it where it is replayed."""
    cassette = services.cassette
    if isinstance(cassette, Player):
        return ReplayedEndpoint(cassette)
    return find() if cassette is None else RecordedEndpoint(find(), cassette)


def built(spec: ProviderSpec, services: Services) -> Provider:
    """The provider of a spec; the user's own recorded or replayed. Raises as its factory does."""
    cassette, make = services.cassette, PROVIDERS.get(spec.kind)
    if cassette is None or spec.kind.partition(":")[0] != _OWN_CODE:
        return make(spec, services)
    if isinstance(cassette, Player):
        return ReplayedCode(spec, cassette)
    return RecordedCode(spec, make(spec, services), cassette)


class RecordedEndpoint:
    """An `Endpoint` whose answers and errors are noted."""

    def __init__(self, inner: Endpoint, recorder: Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    def prepare(self) -> None:
        self._inner.prepare()

    def address(self, request: Request) -> str:
        return self._inner.address(request)

    async def __call__(self, request: Request) -> Answer:
        number = self._recorder.begin()
        try:
            answer = await self._inner(request)
        except CaseError as error:
            self._note(number, request, take_of_error(error))
            raise
        except asyncio.CancelledError:
            self._note(number, request, Take())
            raise
        self._note(number, request, take_of_answer(answer, self._recorder.scrub))
        return answer

    async def settle(self) -> None:
        await self._inner.settle()

    def stored(self, request: Request) -> Answer | None:
        answer = self._inner.stored(request)
        if answer is not None:
            self._note(self._recorder.begin(), request, take_of_answer(answer, self._recorder.scrub))
        return answer

    def keep(self, request: Request, answer: Answer) -> None:
        self._inner.keep(request, answer)
        self._note(self._recorder.begin(), request, take_of_answer(answer, self._recorder.scrub))

    def refused(self, request: Request, error: CaseError) -> None:
        self._note(self._recorder.begin(), request, take_of_error(error))

    async def fresh(self, request: Request) -> Answer:
        """Not noted: what matters of the answer to a batch is kept for each of its requests."""
        return await self._inner.fresh(request)

    async def close(self) -> None:
        await self._inner.close()

    def _note(self, number: int, request: Request, take: Take) -> None:
        self._recorder.end(number, asked_of(request, self._recorder.scrub), take)


class ReplayedEndpoint:
    """An `Endpoint` that a recording answers for: at once, and without an AWS account."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def prepare(self) -> None:
        """There is nothing to find out."""

    def address(self, request: Request) -> str:
        return invocations_path(request)

    async def __call__(self, request: Request) -> Answer:
        return self._answer(request)

    async def settle(self) -> None:
        """There is nothing to find out."""

    def stored(self, request: Request) -> Answer | None:
        """All answers are: where there is none, this raises `NotRecorded`."""
        return self._answer(request)

    def keep(self, request: Request, answer: Answer) -> None:
        """Nothing is kept."""

    def refused(self, request: Request, error: CaseError) -> None:
        """Nothing is kept."""

    async def fresh(self, request: Request) -> Answer:
        return self._answer(request)

    async def close(self) -> None:
        """There is nothing to give back."""

    def _answer(self, request: Request) -> Answer:
        outcome = self._player.outcome(asked_of(request, self._player.scrub))
        assert isinstance(outcome, Answer)
        return outcome


class RecordedCode(Local):
    """A provider of the user's own whose responses and errors are noted."""

    def __init__(self, spec: ProviderSpec, inner: Provider, recorder: Recorder) -> None:
        self._spec = spec
        self._inner = inner
        self._recorder = recorder

    async def answer(self, call: Call) -> Response:
        number, asked = self._recorder.begin(), _asked(self._spec, call)
        try:
            response = await self._inner.answer(call)
        except CaseError as error:
            self._recorder.end(number, asked, take_of_error(error))
            raise
        except asyncio.CancelledError:
            self._recorder.end(number, asked, Take())
            raise
        self._recorder.end(number, asked, take_of_response(response))
        return response

    async def close(self) -> None:
        await self._inner.close()


class ReplayedCode(Local):
    """A provider of the user's own that a recording answers for."""

    def __init__(self, spec: ProviderSpec, player: Player) -> None:
        self._spec = spec
        self._player = player

    async def answer(self, call: Call) -> Response:
        """The response. Raises `NotRecorded`, and the error that was recorded."""
        try:
            outcome = self._player.outcome(_asked(self._spec, call))
        except NotRecorded as missing:
            raise missing.of(call) from None
        assert isinstance(outcome, Response)
        return outcome


def _asked(spec: ProviderSpec, call: Call) -> Asked:
    options: CustomOptions = spec.options
    context = call_context(call)
    return Asked(
        endpoint=spec.id,
        body=call.prompt,
        operation=spec.kind,
        repeat=call.repeat,
        vars={name: value for name, value in context["vars"].items() if name not in _OF_THE_RUN},
        config=context["prompt"]["config"],
        settings=dict(options.config),
    )
