"""From a rendered case to its response: who answers, and what the user's transforms make of the output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import Call, Case, Json, ProviderSpec, Response, TestCase, UserCode, compact_json
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.output_transform import OutputTransform, compile_output_transform
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.running.rendering import Rendered

_KEPT_TRANSFORMS = 256


class Answering:
    """Asks the provider of a case, or takes the answer that its test gives in advance."""

    def __init__(self, pool: ProviderPool) -> None:
        self._pool = pool
        self._transform_of: Callable[[UserCode], OutputTransform] = lru_cache(_KEPT_TRANSFORMS)(
            compile_output_transform
        )

    def check_provider(self, spec: ProviderSpec) -> None:
        """Build a provider of the suite. Raises `ConfigError` for what can never work, `SetupError`."""
        self._pool.of(spec)
        if spec.transform is not None:
            self._transform_of(spec.transform)

    def check_test(self, test: TestCase) -> None:
        """Raise `ConfigError` for a transform or a provider of the test's own that cannot work."""
        if test.provider is not None:
            self.check_provider(test.provider)
        if (transform := test.options.get("transform")) is not None:
            self._transform_of(transform)

    async def answer(self, case: Case, rendered: Rendered) -> Response:
        """The response with the output as it is judged. Raises `CaseError`, and `SetupError` to stop the run."""
        test, spec = case.row.test, case.column.provider
        if test.provider_output is None:
            response = await self.provider(case).answer(self.call(case, rendered))
        else:
            response = _canned(test.provider_output)
        given = response.output
        own = (test.provider or spec).transform
        if own is not None:
            response = await self._transformed(own, case, rendered, response)
        if test.options and (transform := test.options.get("transform")) is not None:
            stages = (given, response.output)
            return replace(await self._transformed(transform, case, rendered, response), stages=stages)
        return response if own is None else replace(response, stages=(given, response.output))

    def call(self, case: Case, rendered: Rendered) -> Call:
        """What the provider is asked."""
        row, prompt = case.row, case.column.prompt
        return Call(rendered.prompt, rendered.vars, row.repeat, prompt.label, rendered.config, row.test)

    async def _transformed(self, code: UserCode, case: Case, rendered: Rendered, response: Response) -> Response:
        try:
            return await self._transform_of(code)(response, _context(case, rendered, response))
        except CaseError as error:
            error.response = error.response or response
            raise

    def provider(self, case: Case) -> Provider:
        """Who answers a case: its test's own provider, else the column's."""
        return self._pool.of(case.row.test.provider or case.column.provider)


def _canned(output: Json) -> Response:
    raw = output if isinstance(output, str) else compact_json(output)
    return Response(output, raw, attempts=0)


def _context(case: Case, rendered: Rendered, response: Response) -> dict[str, Json]:
    """promptfoo's context of an output transform."""
    prompt = {"raw": rendered.prompt, "label": case.column.prompt.label}
    return {"vars": dict(rendered.vars), "prompt": prompt, "metadata": dict(response.metadata)}
