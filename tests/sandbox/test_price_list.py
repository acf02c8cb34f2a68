from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagemaker_eval.sandbox.deployments import Deployment
from sagemaker_eval.sandbox.price_list import PriceList
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck
from tests.sandbox.plane_clients import KEY_ID, SECRET, connected
from tests.sandbox.plane_scripts import script


def client(*deployments: Deployment, secret: str = SECRET) -> Any:
    """A boto3 client of the price list."""
    plane = PriceList(
        script({f"e{number}": each for number, each in enumerate(deployments)}), SignatureCheck(KEY_ID, SECRET)
    )
    return connected("pricing", plane.reply, secret, region_name="us-east-1")


def priced(**prices: float) -> Deployment:
    return Deployment(prices={name.replace("_", "."): price for name, price in prices.items()})


def found(pricing: Any, kind: str = "TERM_MATCH", **fields: str) -> list[Any]:
    filters = [{"Type": kind, "Field": field, "Value": value} for field, value in fields.items()]
    answer = pricing.get_products(ServiceCode="AmazonSageMaker", Filters=filters)
    return [json.loads(offer) for offer in answer["PriceList"]]


def hourly(offer: Any) -> float:
    """The price in the one dimension of the one term of an offer."""
    (term,) = offer["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert dimension["unit"] == "Hrs"
    return float(dimension["pricePerUnit"]["USD"])


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_the_scripted_price_is_that_of_hosting() -> None:
    pricing = client(priced(ml_g5_xlarge=1.41, ml_g6_xlarge=1.13))

    (offer,) = found(pricing, instanceName="ml.g5.xlarge", regionCode="eu-west-1", component="Hosting")

    assert hourly(offer) == 1.41
    assert offer["product"]["productFamily"] == "ML Instance"
    assert offer["product"]["attributes"]["instanceType"] == "ml.g5.xlarge-hosting"
    assert offer["product"]["attributes"]["regionCode"] == "eu-west-1"


def test_without_a_component_the_first_price_is_that_of_something_else() -> None:
    offers = found(client(priced(ml_g5_xlarge=1.41)), instanceName="ml.g5.xlarge", regionCode="eu-west-1")

    assert [offer["product"]["attributes"]["component"] for offer in offers].index("Hosting") > 0
    assert hourly(offers[0]) != 1.41


def test_unknown_instances_have_no_price() -> None:
    assert found(client(), instanceName="ml.g5.xlarge", component="Hosting") == []
    assert found(client(priced(ml_g5_xlarge=1.41)), instanceName="ml.p5.48xlarge", component="Hosting") == []
    assert found(client(priced(ml_g5_xlarge=1.41)), colour="red") == []


@pytest.mark.parametrize(
    ("kind", "value", "instances"),
    [
        ("TERM_MATCH", "ML.G5.XLARGE", ["ml.g5.xlarge"]),
        ("EQUALS", "ML.G5.XLARGE", []),
        ("CONTAINS", "ml.g", ["ml.g5.xlarge", "ml.g6.xlarge"]),
        ("ANY_OF", "ml.g6.xlarge,ml.p5.48xlarge", ["ml.g6.xlarge"]),
        ("NONE_OF", "ml.g6.xlarge,ml.p5.48xlarge", ["ml.g5.xlarge"]),
    ],
)
def test_filters_are_of_many_types(kind: str, value: str, instances: list[str]) -> None:
    offers = found(client(priced(ml_g5_xlarge=1.41, ml_g6_xlarge=1.13)), kind, instanceName=value)
    hosting = [each for each in offers if each["product"]["attributes"]["component"] == "Hosting"]

    assert [each["product"]["attributes"]["instanceName"] for each in hosting] == instances


def test_the_first_rule_that_prices_an_instance_counts() -> None:
    pricing = client(priced(ml_g5_xlarge=1.41), priced(ml_g5_xlarge=9, ml_g6_xlarge=1.13))

    assert [hourly(offer) for offer in found(pricing, component="Hosting")] == [1.41, 1.13]


def test_products_come_in_pages() -> None:
    pricing = client(priced(ml_g5_xlarge=1.41, ml_g6_xlarge=1.13))

    pages = list(
        pricing.get_paginator("get_products").paginate(ServiceCode="AmazonSageMaker", PaginationConfig={"PageSize": 3})
    )

    assert [len(page["PriceList"]) for page in pages] == [3, 3, 2]


def test_refusals() -> None:
    pricing = client(priced(ml_g5_xlarge=1.41))

    assert refusal(lambda: pricing.get_products(ServiceCode="AmazonEC2")) == "NotFoundException"
    assert refusal(lambda: found(pricing, "SOUNDS_LIKE", instanceName="x")) == "ValidationException"
    assert refusal(lambda: found(client(Deployment(denied=frozenset({"GetProducts"}))))) == "AccessDeniedException"
    assert refusal(lambda: found(client(secret="another"))) == "InvalidSignatureException"


def test_other_requests_are_not_for_the_price_list() -> None:
    incoming = Incoming("POST", "/", {"x-amz-target": "SageMaker.ListEndpoints"}, b"{}")

    assert PriceList(script()).reply(incoming) is None
