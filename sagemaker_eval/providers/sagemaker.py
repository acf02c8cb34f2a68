"""The `sagemaker` provider: format, invoke, read. `container` is the same over another way (`container.py`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from sagemaker_eval.calling.cassette_nearest import NotRecorded
from sagemaker_eval.config.places import within
from sagemaker_eval.errors import CaseError, ConfigError, EndpointFault, ExtractionError, Retry, SetupError
from sagemaker_eval.formats.base import EMBEDDING_FORMATS, FORMATS, Format
from sagemaker_eval.formats.bodies import encode
from sagemaker_eval.formats.log_probs import read_log_probs
from sagemaker_eval.formats.streams import streaming_body
from sagemaker_eval.model import (
    Answer,
    Call,
    Json,
    Place,
    ProviderSpec,
    Reading,
    Request,
    Response,
    SageMakerOptions,
    TokenUsage,
)
from sagemaker_eval.providers.base import PROVIDERS, Provider
from sagemaker_eval.providers.batches import batches_over
from sagemaker_eval.providers.body_reader import NO_JSON, BodyReader
from sagemaker_eval.providers.line import Endpoint, Line, Way
from sagemaker_eval.providers.replaying import taped
from sagemaker_eval.providers.request_transform import RequestTransform, compile_transform
from sagemaker_eval.providers.services import Services
from sagemaker_eval.providers.token_counts import usage_of
from sagemaker_eval.providers.ways import check_routing, invocations_path, way_of
from sagemaker_eval.sagemaker.routing import rendered_routing
from sagemaker_eval.text.extraction import ResponsePath, ScriptPath, compile_response_path
from sagemaker_eval.text.suggestions import suggest_paths
from sagemaker_eval.text.templating.templates import Templates

Extractor: TypeAlias = ResponsePath | ScriptPath
"""What `responseFormat.path` may be."""


@dataclass(frozen=True, slots=True)
class Code:
    """What the user says in code, compiled: where the text is in an answer, and what becomes of a prompt."""

    path: Extractor | None = None
    transform: RequestTransform | None = None


class SageMaker:
    """One provider of the suite that calls a SageMaker endpoint, or what stands behind one."""

    def __init__(
        self,
        options: SageMakerOptions,
        code: Code,
        reader: BodyReader,
        endpoint: Endpoint,
        notice: Callable[[str], None],
        templates: Templates | None = None,
    ) -> None:
        self._options = options
        self._format = format_of(options)
        self._reader = reader
        self._path = code.path
        self._transform = code.transform
        self._endpoint = endpoint
        self._batches = batches_over(options, endpoint)
        self._notice = notice
        self._templates = templates or Templates()
        self._said: set[str] = set()

    def prepare(self) -> None:
        self._endpoint.prepare()

    def address(self, request: Request) -> str:
        try:
            return self._endpoint.address(request)
        except SetupError as error:
            self._notice(error.message)
            return invocations_path(request)

    def _render(self, call: Call, template: str) -> str:
        return str(self._templates.prompt(template, None).render(call.vars))

    async def request(self, call: Call) -> Request:
        """The request that a call becomes. Raises `FormatError`, and `ScriptError` where the transform fails."""
        options = self._options
        prompt = call.prompt if self._transform is None else await self._transform(call)
        if isinstance(prompt, str):
            body = self._format.body(prompt, options.sampling, options.content_type)
        else:
            body = encode(prompt)
        if options.streamed:
            body = streaming_body(body, options.model_type)
        return Request(
            endpoint=options.endpoint,
            body=body,
            content_type=options.content_type,
            accept=options.accept,
            routing=self._routing(call),
            operation=options.operation,
            repeat=call.repeat,
        )

    def _routing(self, call: Call) -> tuple[tuple[str, str], ...]:
        """The further members of the operation for a case. Raises `RenderError`."""
        routing = self._options.routing
        return rendered_routing(routing, partial(self._render, call)) if routing else ()

    async def answer(self, call: Call) -> Response:
        try:
            answer = await self._endpoint(await self.request(call))
        except NotRecorded as missing:
            raise missing.of(call) from None
        return await self._made_of(answer, call)

    async def stored(self, call: Call) -> Response | None:
        """The response that the cache has; None where a call is needed, or the user's code would have to run first."""
        if self._transform is not None:
            return None
        await self._endpoint.settle()
        answer = self._endpoint.stored(await self.request(call))
        return None if answer is None else await self._made_of(answer, call)

    @property
    def takes_batches(self) -> bool:
        """Whether `answers` can be asked: the model type must allow it, and no code of the user's stand in between."""
        return self._batches is not None and self._path is None and self._transform is None

    async def answers(self, texts: Sequence[str]) -> list[Response | CaseError]:
        """The embeddings of several texts, asked for in one request and each stored as the answer to its text alone.

        The request counts for the first of them. Raises as `answer` does where nothing of the answer can be used.
        """
        assert self._batches is not None
        calls = [Call(text) for text in texts]
        answers = await self._batches(texts, [await self.request(call) for call in calls])
        return [await self._made_or_not(*pair) for pair in zip(answers, calls, strict=True)]

    async def refused(self, texts: Sequence[str], error: CaseError) -> None:
        """Hear that a request for several texts came to nothing, and that none of them is asked for again."""
        for text in texts:
            self._endpoint.refused(await self.request(Call(text)), error)

    async def _made_or_not(self, answer: Answer, call: Call) -> Response | CaseError:
        try:
            return await self._made_of(answer, call)
        except CaseError as error:
            return error

    async def _made_of(self, answer: Answer, call: Call) -> Response:
        raw = answer.body.decode("utf-8", "replace")
        try:
            document, reading = self._reader.read(answer)
            response = self._response(answer, raw, call, await self._output(reading, document), reading)
        except CaseError as error:
            error.response = self._response(answer, raw, call, None, Reading(found=False))
            raise
        log_probs = None if self._options.embedding else read_log_probs(document)
        return response if log_probs is None else replace(response, log_probs=log_probs)

    def _response(self, answer: Answer, raw: str, call: Call, output: Json, reading: Reading) -> Response:
        return Response(
            output=output,
            raw=raw,
            usage=usage_of(answer, answer.usage or reading.usage, call.prompt, output),
            finish_reason=reading.finish_reason,
            variant=answer.variant,
            request_id=answer.request_id,
            attempts=answer.attempts,
            timings=answer.timings,
            cached=answer.cached,
            told=answer.told,
            metadata=self._metadata(call),
        )

    def _metadata(self, call: Call) -> dict[str, Json]:
        told: dict[str, Json] = {"modelType": self._options.model_type}
        if self._transform is not None:
            told |= {"transformed": True, "originalPrompt": call.prompt}
        return told

    async def _output(self, reading: Reading, document: Json) -> Json:
        if self._path is not None:
            if document is NO_JSON:
                raise ExtractionError(
                    f"`responseFormat.path` needs a JSON answer, and this one is text: {_shortened(reading.output)}",
                    "remove responseFormat.path to take the text as it is, or set acceptType to `application/json`",
                )
            return await self._path.aextract(document)
        if document is NO_JSON and self._options.embedding:
            raise ExtractionError(
                f"an embedding endpoint answered with text: {_shortened(reading.output)}",
                "check that the endpoint serves embeddings, and set acceptType to `application/json`",
            )
        if document is None:
            raise ExtractionError("the endpoint answered `null`", "look at the container's log: it gave no output")
        if reading.found:
            return reading.output
        if self._options.model_type == "custom" and not self._options.embedding:
            self._say_once("holds no text that is known; the whole JSON is its output")
            return document
        raise self._unexpected(document)

    def _unexpected(self, document: Json) -> ExtractionError:
        """The answer has none of the shapes that this model type is known to give."""
        paths = suggest_paths(document, None)[:3]
        if paths:
            hint = (
                f"set `modelType` to match the model, or `responseFormat.path`, for example to `{'` or `'.join(paths)}`"
            )
        else:
            hint = "set `modelType` to match the model; the answer holds no text that a responseFormat.path could take"
        shown = _shortened(json.dumps(document, ensure_ascii=False))
        return ExtractionError(f"unexpected answer for model type `{self._options.model_type}`: {shown}", hint)

    def _say_once(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self._notice(f"an answer of endpoint `{self._options.endpoint}` {what}; set responseFormat.path to choose")

    async def close(self) -> None:
        await self._endpoint.close()


@PROVIDERS.register("sagemaker")
def sagemaker(spec: ProviderSpec, services: Services) -> Provider:
    """Calls a SageMaker endpoint: `sagemaker:<endpoint>`, `sagemaker:<type>:<endpoint>`, `sagemaker:embedding:…`."""
    check_routing(spec, services.templates)
    return provider_over(lambda: way_of(spec, services), spec, services)


def provider_over(find: Callable[[], Way], spec: ProviderSpec, services: Services) -> SageMaker:
    """The provider of a spec over the way that `find` finds. Raises `ConfigError` for code that cannot be loaded."""
    options: SageMakerOptions = spec.options
    code = Code(response_path(options, spec.where), compile_transform(spec))
    reader = BodyReader(format_of(options), streamed=options.streamed)
    endpoint = taped(lambda: Line(find, Check(reader), spec, services), services)
    return SageMaker(options, code, reader, endpoint, services.notice, services.templates)


def format_of(options: SageMakerOptions) -> Format:
    """The format that a provider's model type names."""
    return (EMBEDDING_FORMATS if options.embedding else FORMATS).get(options.model_type)


def response_path(options: SageMakerOptions, where: Place | None) -> Extractor | None:
    """The compiled `responseFormat.path` of the provider at `where`. Raises `ConfigError` with its place."""
    if not options.response_path:
        return None
    try:
        return compile_response_path(options.response_path, options.base_path)
    except ConfigError as error:
        place = where and within(where, "config", "responseFormat", "path")
        raise ConfigError(replace(problem, where=problem.where or place) for problem in error.problems) from None


class Check:
    """Reads a fresh answer before anything is stored: errors that came with HTTP 200 are faults."""

    def __init__(self, reader: BodyReader) -> None:
        self._reader = reader

    def __call__(self, answer: Answer) -> TokenUsage | None:
        """The usage that the answer reports. Raises `EndpointFault` for an empty body or an error in it."""
        if not answer.body:
            raise EndpointFault(
                "the endpoint answered with an empty body",
                code="EmptyBody",
                retry=Retry.ONCE,
                hint="look at the container's log; the model may have crashed or refuse this content type",
                request_id=answer.request_id,
            )
        try:
            _, reading = self._reader.read(answer)
        except ExtractionError:
            return None
        return reading.usage


def _shortened(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
