"""boto3 clients beside the runtime, against moto, an independent stand-in for AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials, ReadOnlyCredentials
from moto.server import ThreadedMotoServer

from sagemaker_eval.model import StaticKeys
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.session import Target, static_target


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_objects_are_put_and_read_with_the_keys_of_the_target(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = static_target(url, "us-east-1", "x", "AKIAEXAMPLE", "secret").boto3_client("s3")
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="key", Body=b"text")
    assert client.get_object(Bucket="bucket", Key="key")["Body"].read() == b"text"
    client.close()


def test_other_services_are_where_the_environment_has_them(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    source = CredentialSource.of_keys(StaticKeys("AKIAEXAMPLE", "secret"))
    client = Target("http://127.0.0.1:1", "us-east-1", "x", source).boto3_client("sts")
    assert client.get_caller_identity()["Account"] == "123456789012"
    client.close()


class Counted(CredentialSource):
    """Counts how often it is asked for credentials."""

    asked = 0

    def current(self) -> ReadOnlyCredentials:
        self.asked += 1
        return super().current()


def test_a_client_signs_each_call_with_the_credentials_of_the_moment(url: str) -> None:
    source = Counted(lambda: Credentials("AKIAEXAMPLE", "secret"))
    client = Target(url, "us-east-1", "x", source, services_url=url).boto3_client("s3")
    assert source.asked == 0
    client.list_buckets()
    once = source.asked
    client.list_buckets()
    assert source.asked > once > 0
    client.close()
