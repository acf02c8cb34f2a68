"""Roles that are assumed, with a stand-in for STS."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.sagemaker.session import Target, Targets

ROLE = "arn:aws:iam::777777777777:role/eval"
KEYS = StaticKeys("AKIACALLER", "caller-secret")


class Sts:
    """An STS that gives the keys AKIAROLE1, AKIAROLE2, … for `lifetime`, or refuses; `asked` holds what it was sent."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.lifetime = timedelta(hours=1)
        self.refuses = False

    def answer(self, form: str, authorization: str) -> tuple[int, str]:
        caller = authorization.split("Credential=")[1].split("/")[0]
        self.asked.append({"caller": caller, **{name: values[0] for name, values in parse_qs(form).items()}})
        if self.refuses:
            return 403, (
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/eva is not "
                "authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>"
            )
        expiry = (datetime.now(UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        number = len(self.asked)
        return 200, (
            "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>A:sageval</AssumedRoleId>"
            f"<Arn>arn:aws:sts::777777777777:assumed-role/eval/sageval</Arn></AssumedRoleUser><Credentials>"
            f"<AccessKeyId>AKIAROLE{number}</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>"
            f"<SessionToken>role-token</SessionToken><Expiration>{expiry}</Expiration></Credentials>"
            "</AssumeRoleResult></AssumeRoleResponse>"
        )


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    stand = Sts()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status, text = stand.answer(form, self.headers["Authorization"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
    yield stand
    server.shutdown()
    server.server_close()
    thread.join()


def target_of(settings: AwsSettings) -> Target:
    return Targets(os.environ, lambda message: None).resolve(settings)


def test_a_role_is_assumed_with_the_keys_of_the_configuration(sts: Sts) -> None:
    target = target_of(AwsSettings(region="eu-west-1", keys=KEYS, role_arn=ROLE, external_id="id-7"))
    assert not sts.asked
    credentials = target.credentials.current()
    assert (credentials.access_key, credentials.token) == ("AKIAROLE1", "role-token")
    [asked] = sts.asked
    assert (asked["caller"], asked["RoleArn"], asked["ExternalId"]) == ("AKIACALLER", ROLE, "id-7")
    assert asked["RoleSessionName"] == "sageval"
    assert target.identity == "account:777777777777"


def test_a_role_is_assumed_with_whatever_the_chain_finds(sts: Sts, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = w\n")
    target_of(AwsSettings(region="eu-west-1", profile="work", role_arn=ROLE)).credentials.current()
    [asked] = sts.asked
    assert (asked["caller"], "ExternalId" in asked) == ("AKIAWORK", False)


def test_the_session_of_a_role_lasts_until_it_is_about_to_end(sts: Sts) -> None:
    source = target_of(AwsSettings(region="eu-west-1", keys=KEYS, role_arn=ROLE)).credentials
    assert source.current() == source.current()
    assert len(sts.asked) == 1


def test_a_session_that_ends_soon_is_followed_by_another(sts: Sts) -> None:
    sts.lifetime = timedelta(minutes=1)
    source = target_of(AwsSettings(region="eu-west-1", keys=KEYS, role_arn=ROLE)).credentials
    first, second = source.current(), asyncio.run(source.renew(source.current()))
    assert second is not None and first.access_key != second.access_key


def test_a_role_that_may_not_be_assumed_is_refused_with_its_name(sts: Sts) -> None:
    sts.refuses = True
    with pytest.raises(SetupError) as caught:
        target_of(AwsSettings(region="eu-west-1", keys=KEYS, role_arn=ROLE)).credentials.current()
    assert str(caught.value).startswith(f"the role `{ROLE}` cannot be assumed: ")
    assert "not authorized to perform: sts:AssumeRole" in str(caught.value)
    assert "`externalId`" in str(caught.value.hint)


def test_what_is_no_role_at_all_is_refused_before_anything_is_sent(sts: Sts) -> None:
    with pytest.raises(SetupError, match="the role `r` cannot be assumed"):
        target_of(AwsSettings(region="eu-west-1", keys=KEYS, role_arn="r")).credentials.current()
    assert not sts.asked


def test_without_credentials_there_is_nothing_to_assume_a_role_with(sts: Sts) -> None:
    with pytest.raises(SetupError, match="no AWS credentials found"):
        target_of(AwsSettings(region="eu-west-1", role_arn=ROLE)).credentials.current()
    assert not sts.asked


def test_roles_are_told_apart_and_shared_between_regions(sts: Sts) -> None:
    targets = Targets(os.environ, lambda message: None)
    eu = targets.resolve(AwsSettings(region="eu-west-1", keys=KEYS, role_arn=ROLE))
    us = targets.resolve(AwsSettings(region="us-west-2", keys=KEYS, role_arn=ROLE))
    plain = targets.resolve(AwsSettings(region="eu-west-1", keys=KEYS))
    other = targets.resolve(AwsSettings(region="eu-west-1", keys=KEYS, role_arn=ROLE, external_id="x"))
    assert eu.credentials is us.credentials
    assert len({id(target.credentials) for target in (eu, plain, other)}) == 3


def test_the_source_of_a_profile_keeps_its_own_wording(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile work]\nsso_start_url = https://x\nsso_region = eu-west-1\nsso_account_id = 222222222222\n"
               "sso_role_name = r\n")  # fmt: skip
    with pytest.raises(SetupError, match="profile `work` is not signed in to SSO"):
        target_of(AwsSettings(region="eu-west-1", profile="work", role_arn=ROLE)).credentials.current()
