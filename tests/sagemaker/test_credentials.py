from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore import exceptions
from botocore.credentials import Credentials, RefreshableCredentials

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.sagemaker.credential_failures import credential_failure
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.session import resolve_target


def source_of(settings: AwsSettings = AwsSettings()) -> CredentialSource:
    return resolve_target(settings, os.environ, lambda message: None).credentials


def test_without_credentials_the_user_is_told_how_to_get_some() -> None:
    with pytest.raises(SetupError) as caught:
        source_of().current()
    assert str(caught.value) == "no AWS credentials found"
    assert caught.value.hint == (
        "run `aws configure` or `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
        "in CI, add the step that assumes a role (`configure-aws-credentials`)"
    )


def test_a_profile_without_credentials_is_named(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile bare]\nregion = us-west-2\n")
    with pytest.raises(SetupError) as caught:
        source_of(AwsSettings(profile="bare")).current()
    assert str(caught.value) == "no AWS credentials found for profile `bare`"
    assert "`aws sso login --profile bare`" in str(caught.value.hint)


def test_an_sso_profile_that_nobody_signed_in_to(aws_config: Callable[[str], Path]) -> None:
    aws_config(
        "[profile sso]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 222222222222\nsso_role_name = r\n"
    )
    with pytest.raises(SetupError) as caught:
        source_of(AwsSettings(profile="sso")).current()
    assert str(caught.value) == "profile `sso` is not signed in to SSO"
    assert caught.value.hint == (
        "run `aws sso login --profile sso`, then start the run again (answers already given come from the cache)"
    )


def test_half_a_pair_of_keys_names_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAX")
    with pytest.raises(SetupError, match="AWS_SECRET_ACCESS_KEY"):
        source_of().current()


def test_a_missing_web_identity_token_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::555555555555:role/ci")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(SetupError) as caught:
        source_of().current()
    assert str(caught.value) == (
        "cannot get the credentials of the default profile: `/nowhere/token`: No such file or directory"
    )
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in str(caught.value.hint)


def test_a_credential_process_that_fails_shows_what_it_said(aws_config: Callable[[str], Path]) -> None:
    aws_config('[profile own]\ncredential_process = sh -c "echo vault is sealed >&2; exit 3"\n')
    with pytest.raises(SetupError, match=r"credentials of profile `own`: .*vault is sealed"):
        source_of(AwsSettings(profile="own")).current()


def test_a_source_profile_that_does_not_exist(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile role]\nrole_arn = arn:aws:iam::333333333333:role/x\nsource_profile = gone\n")
    with pytest.raises(SetupError, match=r"AWS configuration of profile `role` is wrong: .*gone"):
        source_of(AwsSettings(profile="role")).current()


EXPIRED = ("the SSO session of profile `w` has expired", "aws sso login --profile w")


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (exceptions.UnauthorizedSSOTokenError(), *EXPIRED),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="refresh failed"), *EXPIRED),
        (EOFError(), "the role of profile `w` needs an MFA code", "terminal"),
        (exceptions.RefreshWithMFAUnsupportedError(), "needs an MFA code", "duration_seconds"),
        (exceptions.MetadataRetrievalError(error_msg="404"), "credential service", "AWS_CONTAINER_CREDENTIALS"),
        (exceptions.MissingDependencyException(msg="crt"), "extra library", "botocore[crt]"),
        (exceptions.EndpointConnectionError(endpoint_url="https://sts"), "could not reach AWS", "network"),
        (exceptions.ConnectTimeoutError(endpoint_url="https://sts"), "could not reach AWS", "network"),
        (exceptions.LoginRefreshRequired(), "not signed in", "aws login --profile w"),
        (
            exceptions.ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole"),
            "AWS refused to give credentials to profile `w`: An error occurred (AccessDenied)",
            "trust policy",
        ),
        (RuntimeError("odd"), "cannot get the credentials of profile `w`: odd", "aws sts get-caller-identity"),
    ],
)
def test_every_failure_of_the_chain_says_what_to_do(error: Exception, message: str, hint: str) -> None:
    failure = credential_failure(error, "w")
    assert message in failure.message
    assert hint in str(failure.hint)
    assert "\n" not in failure.message and not failure.message.endswith(".")


class Refreshing:
    """Credentials that last `lifetime`; counts how often new ones are fetched."""

    def __init__(self, lifetime: timedelta, fails_after: int = 99) -> None:
        self.fetched = 0
        self.lifetime = lifetime
        self.fails_after = fails_after

    def fetch(self) -> dict[str, str]:
        self.fetched += 1
        if self.fetched > self.fails_after:
            raise exceptions.UnauthorizedSSOTokenError()
        return {
            "access_key": f"key-{self.fetched}",
            "secret_key": f"secret-{self.fetched}",
            "token": "t",
            "expiry_time": (datetime.now(UTC) + self.lifetime).isoformat(),
        }

    def load(self) -> Credentials:
        return RefreshableCredentials.create_from_metadata(self.fetch(), self.fetch, "test")


def test_credentials_are_loaded_at_the_first_call_once_for_all_who_wait() -> None:
    chain = Refreshing(timedelta(hours=1))
    source = CredentialSource(chain.load)
    assert chain.fetched == 0

    async def many() -> set[str | None]:
        return {credentials.access_key for credentials in await asyncio.gather(*(source.fresh() for _ in range(20)))}

    assert asyncio.run(many()) == {"key-1"}
    assert chain.fetched == 1


def test_credentials_that_run_out_are_replaced() -> None:
    chain = Refreshing(timedelta(minutes=5))
    source = CredentialSource(chain.load, clock=iter(range(0, 10_000, 1_000)).__next__)
    assert asyncio.run(source.fresh()).access_key == "key-2"
    assert asyncio.run(source.fresh()).access_key == "key-3"


def test_a_failed_early_refresh_keeps_the_old_credentials_and_is_not_repeated_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chain = Refreshing(timedelta(minutes=12), fails_after=1)
    source = CredentialSource(chain.load, clock=lambda: 0.0)
    assert [asyncio.run(source.fresh()).access_key for _ in range(5)] == ["key-1"] * 5
    assert chain.fetched == 2


def test_a_refresh_that_fails_when_nothing_is_left_stops_the_run() -> None:
    source = CredentialSource(Refreshing(timedelta(minutes=5), fails_after=1).load, profile="w")
    with pytest.raises(SetupError, match="the SSO session of profile `w` has expired"):
        asyncio.run(source.fresh())


class Chain:
    """A chain that gives the next of its keys each time it is walked, the last one for ever; counts the walks."""

    def __init__(self, *keys: str, error: Exception | None = None) -> None:
        self.keys = list(keys)
        self.error = error
        self.walks = 0

    def load(self) -> Credentials:
        self.walks += 1
        if self.walks > 1 and self.error is not None:
            raise self.error
        key = self.keys.pop(0) if len(self.keys) > 1 else self.keys[0]
        return Credentials(key, f"secret of {key}", "token")


def test_credentials_that_aws_found_expired_are_renewed_once_for_all_who_used_them() -> None:
    chain = Chain("old", "new")
    source = CredentialSource(chain.load)

    async def scene() -> None:
        used = await source.fresh()
        renewed = await asyncio.gather(*(source.renew(used) for _ in range(20)))
        assert {credentials.access_key for credentials in renewed if credentials} == {"new"}
        assert len({id(credentials) for credentials in renewed}) == 1
        assert await source.fresh() is renewed[0]

    asyncio.run(scene())
    assert chain.walks == 2


def test_while_credentials_are_renewed_nobody_gets_the_old_ones() -> None:
    source = CredentialSource(Chain("old", "new").load)

    async def scene() -> None:
        renewal = asyncio.create_task(source.renew(await source.fresh()))
        await asyncio.sleep(0)
        assert (await source.fresh()).access_key == "new"
        await renewal

    asyncio.run(scene())


def test_a_chain_that_has_no_other_credentials_is_walked_once() -> None:
    chain = Chain("old")
    source = CredentialSource(chain.load)

    async def scene() -> None:
        used = await source.fresh()
        assert [await source.renew(used) for _ in range(5)] == [None] * 5
        assert await source.fresh() is used

    asyncio.run(scene())
    assert chain.walks == 2


def test_credentials_can_be_renewed_again_and_again() -> None:
    source = CredentialSource(Chain("one", "two", "three").load)

    async def scene() -> None:
        one = await source.fresh()
        two = await source.renew(one)
        assert two is not None and two.access_key == "two"
        three = await source.renew(two)
        assert three is not None and three.access_key == "three"
        assert await source.renew(one) is three

    asyncio.run(scene())
    assert source.secrets == {"secret of one", "secret of two", "secret of three", "token"}


def test_a_chain_that_fails_on_renewal_says_how_to_sign_in() -> None:
    chain = Chain("old", error=exceptions.UnauthorizedSSOTokenError())
    source = CredentialSource(chain.load, profile="w")

    async def scene() -> None:
        used = await source.fresh()
        ends = await asyncio.gather(*(source.renew(used) for _ in range(5)), return_exceptions=True)
        assert str(ends[0]) == "the SSO session of profile `w` has expired"
        assert ends[1:] == [None] * 4

    asyncio.run(scene())
    assert chain.walks == 2


def test_each_listener_learns_the_secrets_once() -> None:
    early: list[list[str | None]] = []
    late: list[list[str | None]] = []
    source = CredentialSource.of_keys(StaticKeys("AKIAX", "secret", "token"))
    hear = early.append
    source.tell(hear)
    source.tell(hear)
    source.current()
    source.current()
    source.tell(late.append)
    assert early == late == [["AKIAX", "secret", "token"]]


def test_no_secret_shows_in_a_source() -> None:
    source = CredentialSource.of_keys(StaticKeys("AKIAX", "very-secret", "token-secret"))
    source.current()
    assert "secret" not in repr(source)
