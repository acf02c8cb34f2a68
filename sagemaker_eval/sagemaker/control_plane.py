"""SageMaker's control plane: the service that describes and lists endpoints."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from sagemaker_eval.errors import Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.json_service import (
    TIMEOUT_MS,
    JsonService,
    Service,
    ServiceFault,
    Trouble,
    strange_answer,
)
from sagemaker_eval.sagemaker.session import Target

_NAME = "SageMaker's control plane"

_PAGE = 100
"""The most that a page of any list may hold."""


class ControlPlane:
    """Asks about the endpoints of a target's account and region; `timeout_ms` is for each call.

    A target whose runtime is at a URL of its own has no control plane, unless that is configured as well: then every
    call fails as `Trouble.UNREACHABLE`, and nothing is sent.
    """

    def __init__(
        self,
        target: Target,
        pool: ConnectionPool,
        timeout_ms: float = TIMEOUT_MS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.region = target.region
        self._url = target.control_url or target.url
        self._json = None
        if target.control_url is not None:
            service = Service(
                name=_NAME,
                url=target.control_url,
                region=target.region,
                signing_name="sagemaker",
                target_prefix="SageMaker",
            )
            self._json = JsonService(service, target, pool, timeout_ms, sleep)

    async def call(self, operation: str, payload: Mapping[str, Json]) -> dict[str, Json]:
        """The members of the answer to one operation, with times as seconds since 1970.

        Raises `ServiceFault`, and `SetupError` where there are no credentials.
        """
        if self._json is None:
            raise ServiceFault(
                Trouble.UNREACHABLE,
                "the calls go to a URL of their own, and the address of its control plane is not known",
                code="NotConfigured",
                hint="set AWS_ENDPOINT_URL_SAGEMAKER beside it",
                retry=Retry.NEVER,
            )
        return await self._json.call(operation, payload)

    def strange_answer(self) -> ServiceFault:
        """What to raise where an answer is not of the form that SageMaker's answers have."""
        return strange_answer(_NAME, self._url)

    async def items(self, operation: str, payload: Mapping[str, Json], member: str) -> list[dict[str, Json]]:
        """All elements of the list `member`, from all pages of a `List…` operation. Raises as `call`."""
        found: list[dict[str, Json]] = []
        page: dict[str, Json] = {}
        while True:
            answer = await self.call(operation, {**payload, "MaxResults": _PAGE, **page})
            elements = answer.get(member) or []
            if not isinstance(elements, list) or not all(isinstance(element, dict) for element in elements):
                raise self.strange_answer()
            found += elements
            token = answer.get("NextToken")
            if not token:
                return found
            if token == page.get("NextToken"):
                raise self.strange_answer()
            page = {"NextToken": token}
