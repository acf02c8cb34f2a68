from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointResolutionError

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, StaticKeys
from sagemaker_eval.sagemaker.session import Target, Targets, resolve_target, static_target

KEYS = StaticKeys("ASIAY34FZKBOKMUTVV7A", "very-secret", "token-secret")


def target_of(settings: AwsSettings = AwsSettings()) -> Target:
    return resolve_target(settings, os.environ, lambda message: None)


def url_of_boto3(region: str, endpoint_url: str | None = None) -> str:
    """The URL that a boto3 client calls, without the path of the operation."""
    urls: list[str] = []

    def capture(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        urls.append(request.url)
        return AWSResponse(request.url, 200, {}, None)  # type: ignore[arg-type]

    client = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b").client(
        "sagemaker-runtime", region_name=region, endpoint_url=endpoint_url
    )
    client.meta.events.register("before-send.sagemaker-runtime", capture)
    client.invoke_endpoint(EndpointName="ep", Body=b"")
    client.close()
    return urls[0].removesuffix("/endpoints/ep/invocations")


@pytest.mark.parametrize(
    "region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-esat-1"]
)
def test_the_url_is_the_one_that_boto3_computes(region: str) -> None:
    assert target_of(AwsSettings(region=region)).url == url_of_boto3(region)


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:2/base"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_PROFILE": "local"},
        {"AWS_PROFILE": "local", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
        {"AWS_PROFILE": "plain"},
    ],
    ids=lambda environ: " ".join(environ),
)
def test_settings_of_the_environment_and_the_profile_lead_where_boto3_goes(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, aws_config: Callable[[str], Path]
) -> None:
    aws_config(
        "[profile local]\nservices = here\n[services here]\nsagemaker_runtime =\n  endpoint_url = http://127.0.0.1:3\n"
        "[profile plain]\nendpoint_url = http://127.0.0.1:4\n"
    )
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert target_of(AwsSettings(region="us-west-2")).url == url_of_boto3("us-west-2")


def test_the_url_of_the_configuration_wins_and_loses_its_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:1")
    assert target_of(AwsSettings(endpoint_url="http://LOCALHOST:2/")).url == "http://localhost:2"


@pytest.mark.parametrize(
    "url", ["localhost:8080", "runtime.sagemaker", "ftp://x", "http://", "http://x:port", "http://x?y=1"]
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(SetupError) as caught:
        target_of(AwsSettings(endpoint_url=url))
    assert str(caught.value) == f"`{url}` is not the URL of an endpoint"
    assert "`https://`" in str(caught.value.hint)


def test_an_endpoint_that_no_rule_gives_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(provider: EndpointProvider, **parameters: object) -> None:
        raise EndpointResolutionError(msg="this partition does not support DualStack")

    monkeypatch.setattr(EndpointProvider, "resolve_endpoint", refuse)
    with pytest.raises(SetupError) as caught:
        target_of(AwsSettings(region="us-iso-east-1"))
    assert str(caught.value) == (
        "SageMaker Runtime has no such endpoint in us-iso-east-1: this partition does not support DualStack"
    )
    assert "AWS_USE_DUALSTACK_ENDPOINT" in str(caught.value.hint)


def test_an_unknown_profile_names_those_there_are(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile staging]\n[profile prod]\n")
    with pytest.raises(SetupError) as caught:
        target_of(AwsSettings(profile="stagin"))
    assert str(caught.value) == "there is no AWS profile `stagin`"
    assert caught.value.hint == "did you mean `staging`? there are: `prod`, `staging`"


def test_an_unknown_profile_of_the_environment_is_refused_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SetupError) as caught:
        target_of()
    assert (str(caught.value), caught.value.hint) == ("there is no AWS profile `nobody`", "`aws configure` makes one")


def test_a_broken_configuration_file_is_named_with_its_line_and_nothing_of_it(
    aws_config: Callable[[str], Path],
) -> None:
    path = aws_config("[default]\nregion = us-west-2\naws_secret_access_key very-secret\n")
    with pytest.raises(SetupError) as caught:
        target_of()
    assert str(caught.value) == f"the AWS configuration cannot be read: `{path}`, line 3"


def test_region_and_identity_come_from_the_profile(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile work]\nregion = eu-west-1\nsso_account_id = 222222222222\nca_bundle = /ca.pem\n")
    target = target_of(AwsSettings(profile="work"))
    assert (target.region, target.identity, target.ca_bundle) == ("eu-west-1", "account:222222222222", "/ca.pem")


def test_keys_of_the_configuration_sign_even_beside_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    target = target_of(AwsSettings(keys=KEYS))
    assert target.credentials.current().access_key == KEYS.access_key_id
    assert target.identity == "account:609629065308"


def test_a_profile_of_the_configuration_signs_even_beside_keys_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = w\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    assert target_of(AwsSettings(profile="work")).credentials.current().access_key == "AKIAWORK"
    assert target_of().credentials.current().access_key == "AKIAOTHER"


def test_targets_of_one_run_share_credentials_between_regions_and_say_a_notice_once() -> None:
    notices: list[str] = []
    targets = Targets(os.environ, notices.append)
    first, second = targets.resolve(AwsSettings(keys=KEYS)), targets.resolve(AwsSettings())
    west = targets.resolve(AwsSettings(region="us-west-2"))
    assert len(notices) == 1
    assert west.credentials is second.credentials is not first.credentials
    assert targets.resolve(AwsSettings()) is second


def test_the_control_plane_and_the_price_list_are_where_boto3_calls_them() -> None:
    west, gov = target_of(AwsSettings(region="us-west-2")), target_of(AwsSettings(region="us-gov-west-1"))
    assert west.control_url == "https://api.sagemaker.us-west-2.amazonaws.com"
    assert west.pricing_url == gov.pricing_url == "https://api.pricing.us-east-1.amazonaws.com"
    assert gov.control_url == "https://api.sagemaker.us-gov-west-1.amazonaws.com"


def test_where_the_runtime_has_a_url_of_its_own_nobody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    custom = AwsSettings(endpoint_url="http://127.0.0.1:1")
    assert (target_of(custom).control_url, target_of(custom).pricing_url) == (None, None)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "http://127.0.0.1:1")
    assert (target_of().control_url, target_of().pricing_url) == (None, None)


def test_unless_the_others_are_configured_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "http://127.0.0.1:2/")
    target = target_of(AwsSettings(endpoint_url="http://127.0.0.1:3"))
    assert (target.url, target.control_url, target.pricing_url) == (
        "http://127.0.0.1:3", "http://127.0.0.1:2", "http://127.0.0.1:1",
    )  # fmt: skip


def test_a_bad_url_of_the_control_plane_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", "localhost")
    with pytest.raises(SetupError) as caught:
        target_of()
    assert "AWS_ENDPOINT_URL_SAGEMAKER," in str(caught.value.hint)


def test_services_of_a_profile_that_are_not_there_are_refused(aws_config: Callable[[str], Path]) -> None:
    aws_config("[profile work]\nservices = here\n")
    with pytest.raises(SetupError) as caught:
        target_of(AwsSettings(profile="work"))
    assert "services" in str(caught.value) and "~/.aws/config" in str(caught.value.hint)


def test_a_static_target_has_every_service_at_its_url() -> None:
    target = static_target("http://127.0.0.1:1/", "us-east-1", "sandbox", "AKIASANDBOX", "s")
    assert {target.url, target.control_url, target.pricing_url, target.services_url} == {"http://127.0.0.1:1"}


def test_credentials_are_found_anew_when_they_are_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = a\n")
    source = target_of().credentials
    used = source.current()
    file.write_text("[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = b\n")
    renewed = asyncio.run(source.renew(used))
    assert (used.access_key, renewed and renewed.access_key) == ("AKIAOLD", "AKIANEW")


def test_a_static_target_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    target = static_target("http://127.0.0.1:1/", "us-east-1", "sandbox", "AKIASANDBOX", "s")
    assert (target.url, target.credentials.current().access_key) == ("http://127.0.0.1:1", "AKIASANDBOX")


def test_no_secret_shows_in_a_target() -> None:
    shown = repr(target_of(AwsSettings(keys=KEYS)))
    assert "very-secret" not in shown and "token-secret" not in shown and KEYS.access_key_id not in shown


def test_importing_the_session_imports_no_boto3() -> None:
    script = (
        "import sys, sagemaker_eval.sagemaker.session, sagemaker_eval.sagemaker.transport;"
        "sys.exit(' '.join({'boto3', 'botocore', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
