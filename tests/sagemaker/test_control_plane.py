"""Our control plane and boto3's, side by side against moto, an independent stand-in for AWS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.describing import describe
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble
from sagemaker_eval.sagemaker.session import static_target

KEYS = ("AKIAEXAMPLE", "secret", "token")
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.31.0-lmi13.0.0-cu124"


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def deployed(url: str) -> Iterator[Any]:
    """A boto3 client of the control plane, with which the endpoint `ep` has been deployed."""
    client = boto3.Session(*KEYS, region_name="us-east-1").client("sagemaker", endpoint_url=url)
    client.create_model(
        ModelName="model-1",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/execution",
        PrimaryContainer={"Image": IMAGE, "Environment": {"HF_MODEL_ID": "org/m"}, "ModelDataUrl": "s3://b/m.tar.gz"},
    )
    variant: Any = {"VariantName": "blue", "ModelName": "model-1", "InitialVariantWeight": 1.0}
    client.create_endpoint_config(
        EndpointConfigName="config-1",
        ProductionVariants=[{**variant, "InstanceType": "ml.g4dn.xlarge", "InitialInstanceCount": 2}],
    )
    client.create_endpoint(EndpointName="ep", EndpointConfigName="config-1")
    yield client
    client.close()


def described(url: str, endpoint: str) -> EndpointFacts:
    async def story() -> EndpointFacts:
        pool = ConnectionPool(4, proxies=False)
        try:
            return await describe(ControlPlane(static_target(url, "us-east-1", "x", *KEYS), pool), endpoint)
        finally:
            await pool.close()

    return asyncio.run(story())


def test_moto_describes_the_same_endpoint_to_us_and_to_boto3(url: str, deployed: Any) -> None:
    facts, told = described(url, "ep"), deployed.describe_endpoint(EndpointName="ep")
    assert (facts.status, facts.arn, facts.config_name) == (told["EndpointStatus"], told["EndpointArn"], "config-1")
    [variant] = facts.variants
    assert (variant.name, variant.instance_type) == ("blue", "ml.g4dn.xlarge")
    assert variant.model is not None and variant.model.family is not None
    assert (variant.model.family.name, variant.model.artifact) == ("LMI (DJL Serving)", "s3://b/m.tar.gz")
    assert (facts.kind, facts.account, facts.denied) == ("real-time", "123456789012", ())


def test_moto_says_of_a_missing_endpoint_what_we_take_it_for(url: str, deployed: Any) -> None:
    with pytest.raises(ServiceFault) as caught:
        described(url, "other")
    assert caught.value.trouble is Trouble.NOT_FOUND
