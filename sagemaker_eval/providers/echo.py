"""The `echo` provider: the answer is the prompt, for trying out prompts and assertions without any endpoint."""

from __future__ import annotations

from sagemaker_eval.model import Call, ProviderSpec, Response
from sagemaker_eval.providers.base import PROVIDERS, Local, Provider
from sagemaker_eval.providers.services import Services


class Echo(Local):
    """Answers each prompt with itself; sends nothing anywhere."""

    async def answer(self, call: Call) -> Response:
        return Response(output=call.prompt, raw=call.prompt, attempts=0)


@PROVIDERS.register("echo")
def echo(spec: ProviderSpec, services: Services) -> Provider:
    """Answers each prompt with itself."""
    return Echo()
