from __future__ import annotations

import asyncio
import base64
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.hooks import HierarchicalEmitter
from botocore.model import ServiceId
from botocore.signers import RequestSigner

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import StaticKeys
from sagemaker_eval.sagemaker.bearer_token import LIFETIME_S, PREFIX, BearerTokens, bearer_token
from sagemaker_eval.sagemaker.credentials import CredentialSource

KEYS = ReadOnlyCredentials("AKIAEXAMPLE", "wJalr/very-secret", None)
SESSION = ReadOnlyCredentials("ASIAEXAMPLE", "wJalr/very-secret", "IQoJ/session+token==")


def presigned_in(token: str) -> str:
    assert token.startswith(PREFIX)
    return base64.b64decode(token.removeprefix(PREFIX), validate=True).decode()


@pytest.mark.parametrize("credentials", [KEYS, SESSION], ids=["keys", "session"])
def test_a_token_is_what_botocore_presigns(credentials: ReadOnlyCredentials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime(2026, 11, 24, 12))
    hooks = HierarchicalEmitter()  # which the signer holds weakly
    identity = Credentials(str(credentials.access_key), str(credentials.secret_key), credentials.token)
    signer = RequestSigner(ServiceId("SageMaker"), "eu-west-1", "sagemaker", "v4", identity, hooks)
    url = signer.generate_presigned_url(
        {
            "method": "POST",
            "url": "https://sagemaker.amazonaws.com/?Action=CallWithBearerToken",
            "url_path": "/",
            "headers": {},
            "body": b"",
            "context": {},
        },
        operation_name="CallWithBearerToken",
        expires_in=900,
    )
    presigned = presigned_in(bearer_token(credentials, "eu-west-1", 900))
    assert f"https://{presigned}" == url + "&Version=1"


def test_a_token_says_who_where_and_for_how_long() -> None:
    parts = urlsplit("https://" + presigned_in(bearer_token(SESSION, "eu-west-1")))
    query = parse_qs(parts.query)
    assert (parts.netloc, parts.path) == ("sagemaker.amazonaws.com", "/")
    assert query["Action"] == ["CallWithBearerToken"]
    assert query["X-Amz-Expires"] == [str(LIFETIME_S)]
    assert query["X-Amz-Credential"][0].startswith("ASIAEXAMPLE/")
    assert query["X-Amz-Credential"][0].endswith("/eu-west-1/sagemaker/aws4_request")
    assert query["X-Amz-Security-Token"] == ["IQoJ/session+token=="]


class Chain:
    """A credential chain that gives other keys at every walk, `walks` of them."""

    def __init__(self, walks: int) -> None:
        self.walked = 0
        self._walks = walks

    def __call__(self) -> Credentials:
        self.walked = min(self.walked + 1, self._walks)
        return Credentials(f"AKIA{self.walked}", f"secret-{self.walked}")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def key_in(token: str | None) -> str:
    return parse_qs(urlsplit("//" + presigned_in(str(token))).query)["X-Amz-Credential"][0].split("/")[0]


def test_a_token_is_kept_until_it_is_about_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(datetime(2026, 11, 24, hour) for hour in range(24))
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: next(moments))
    clock = Clock()
    tokens = BearerTokens(CredentialSource.of_keys(StaticKeys("AKIA", "s")), "us-east-1", clock)

    async def story() -> None:
        first = await tokens.fresh()
        clock.now = LIFETIME_S - 301.0
        assert await tokens.fresh() == first
        clock.now = LIFETIME_S - 300.0
        assert await tokens.fresh() != first

    asyncio.run(story())


def test_a_token_goes_with_its_credentials() -> None:
    source = CredentialSource(Chain(2))
    tokens = BearerTokens(source, "us-east-1")

    async def story() -> None:
        assert key_in(await tokens.fresh()) == "AKIA1"
        assert await source.renew(await source.fresh()) is not None
        assert key_in(await tokens.fresh()) == "AKIA2"

    asyncio.run(story())


def test_a_refused_token_is_renewed_once_for_all_who_used_it() -> None:
    chain = Chain(2)
    tokens = BearerTokens(CredentialSource(chain), "us-east-1")

    async def story() -> None:
        refused = await tokens.fresh()
        renewed = await asyncio.gather(*(tokens.renewed(refused) for _ in range(5)))
        assert [key_in(token) for token in renewed] == ["AKIA2"] * 5
        assert await tokens.renewed(refused) == renewed[0], "whoever comes late gets the one there is"

    asyncio.run(story())
    assert chain.walked == 2


def test_there_is_no_other_token_where_there_are_no_other_credentials() -> None:
    tokens = BearerTokens(CredentialSource(Chain(1)), "us-east-1")

    async def story() -> None:
        assert await tokens.renewed(await tokens.fresh()) is None

    asyncio.run(story())


def test_no_token_without_credentials() -> None:
    tokens = BearerTokens(CredentialSource(lambda: None), "us-east-1")
    with pytest.raises(SetupError, match="no AWS credentials"):
        asyncio.run(tokens.fresh())


def test_a_token_is_a_secret() -> None:
    tokens = BearerTokens(CredentialSource.of_keys(StaticKeys("AKIA", "key", "session")), "us-east-1")
    assert tokens.secrets == frozenset()
    token = asyncio.run(tokens.fresh())
    assert tokens.secrets == {token, "key", "session"}
    assert token not in repr(tokens)


def test_whoever_keeps_secrets_is_told_each_token() -> None:
    told: list[str | None] = []
    tokens = BearerTokens(CredentialSource(Chain(2)), "us-east-1", learn=told.extend)

    async def story() -> list[str | None]:
        first = await tokens.fresh()
        return [first, await tokens.renewed(first)]

    assert asyncio.run(story()) == told
    assert len(set(told)) == 2
