"""The bearer tokens of an endpoint's OpenAI path: made on this computer out of AWS credentials, without a call."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.wire import SIGNING_NAME

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

PREFIX = "sagemaker-api-key-"

LIFETIME_S = 3600
"""Seconds that a token lives. AWS allows twelve hours; a token that gets about should not last that long."""

_RENEWED_BEFORE_S = 300.0

_HOST = "sagemaker.amazonaws.com"


def bearer_token(credentials: ReadOnlyCredentials, region: str, lifetime_s: int = LIFETIME_S) -> str:
    """A token that stands for `credentials` in `region`, from now on for `lifetime_s` seconds, at most 43,200.

    It is the presigned URL of an action that nobody calls, `CallWithBearerToken`, without its scheme, in base64 (the
    token generator of AWS's `sagemaker-core`). It ends with the credentials, if they end earlier.
    """
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest

    request = AWSRequest("POST", f"https://{_HOST}/", {"host": _HOST}, params={"Action": "CallWithBearerToken"})
    SigV4QueryAuth(credentials, SIGNING_NAME, region, expires=lifetime_s).add_auth(request)
    presigned = str(request.url).removeprefix("https://") + "&Version=1"
    return PREFIX + base64.b64encode(presigned.encode()).decode()


@dataclass(frozen=True, slots=True)
class _Made:
    """A token that was made; `until` is the clock's time from which another takes its place."""

    credentials: ReadOnlyCredentials = field(repr=False)
    token: str = field(repr=False)
    until: float


class BearerTokens:
    """The token of one source of credentials in one region, kept until it is about to end or they are renewed.

    `learn` is told each token that is made, so that it can be kept out of everything written.
    """

    def __init__(
        self,
        credentials: CredentialSource,
        region: str,
        clock: Callable[[], float] = time.monotonic,
        learn: Callable[[list[str | None]], None] = lambda secrets: None,
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._clock = clock
        self._learn = learn
        self._made: _Made | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """What must never be shown: the token, and the secrets of the credentials up to now."""
        made = self._made
        return self._credentials.secrets | ({made.token} if made is not None else frozenset())

    async def fresh(self) -> str:
        """A token that holds for minutes to come. Raises `SetupError` where there are no credentials."""
        return self._token(await self._credentials.fresh())

    async def renewed(self, refused: str) -> str | None:
        """A token of other credentials than those of `refused`, which AWS found expired; None where there are none."""
        made = self._made
        if made is None or made.token != refused:
            return await self.fresh()
        credentials = await self._credentials.renew(made.credentials)
        return self._token(credentials) if credentials is not None else None

    def _token(self, credentials: ReadOnlyCredentials) -> str:
        made, now = self._made, self._clock()
        if made is None or made.credentials is not credentials or now >= made.until:
            token = bearer_token(credentials, self._region)
            made = self._made = _Made(credentials, token, now + LIFETIME_S - _RENEWED_BEFORE_S)
            self._learn([token])
        return made.token
