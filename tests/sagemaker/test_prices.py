from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sagemaker_eval.errors import Retry, SetupError
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble
from sagemaker_eval.sagemaker.prices import Price, PriceList, RunCost, hourly_prices
from sagemaker_eval.sagemaker.session import Target


def product(usd: str, unit: str = "Hrs", terms: str = "OnDemand") -> str:
    """One entry of a price list, as text of JSON, the way AWS gives it."""
    dimension = {"unit": unit, "pricePerUnit": {"USD": usd}}
    return json.dumps({"terms": {terms: {"SKU.TERM": {"priceDimensions": {"SKU.TERM.DIM": dimension}}}}})


class List:
    """A price list with these products, that counts who asks."""

    def __init__(self, *products: Json, fault: Exception | None = None) -> None:
        self.products, self.fault = list(products), fault
        self.questions: list[dict[str, Json]] = []

    async def __call__(self, operation: str, payload: dict[str, Json]) -> dict[str, Json]:
        assert operation == "GetProducts"
        self.questions.append(payload)
        if self.fault is not None:
            raise self.fault
        return {"PriceList": self.products}


def price_in(listed: List, region: str = "eu-west-1") -> Price:
    return asyncio.run(PriceList(listed).hourly("ml.g5.xlarge", region))


def test_the_price_is_that_of_hosting_in_the_region() -> None:
    listed = List(product("1.4080000000"))
    assert price_in(listed) == Price(1.408)
    filters = {each["Field"]: each["Value"] for each in listed.questions[0]["Filters"]}
    assert filters == {"instanceName": "ml.g5.xlarge", "regionCode": "eu-west-1", "component": "Hosting"}


def test_each_price_is_asked_for_once() -> None:
    listed = List(product("1.4"))

    async def story() -> list[Price]:
        prices = PriceList(listed)
        return await asyncio.gather(*(prices.hourly("ml.g5.xlarge", "us-east-1") for _ in range(3)))

    assert asyncio.run(story()) == [Price(1.4)] * 3
    assert len(listed.questions) == 1


def test_only_hours_on_demand_in_dollars_count() -> None:
    products = [product("1.4"), product("1.40"), product("9", unit="GB-Mo"), product("8", terms="Reserved"),
                product("0.0000"), json.loads(product("2.5")), "{}"]  # fmt: skip
    assert hourly_prices(products) == {1.4, 2.5}


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (List(), "the price list has no price for `ml.g5.xlarge` in eu-west-1"),
        (List(product("1"), product("2")), "the price list has 2 prices for `ml.g5.xlarge` in eu-west-1"),
        (List("no json"), "the answer of the price list cannot be read"),
        (List(fault=SetupError("no AWS credentials found")), "no AWS credentials found"),
        (
            List(fault=ServiceFault(Trouble.DENIED, "…", code="AccessDenied", hint=None, retry=Retry.NEVER)),
            "the caller may not `pricing:GetProducts`",
        ),
        (
            List(fault=ServiceFault(Trouble.UNREACHABLE, "no way", code="DNSError", hint=None, retry=Retry.NEVER)),
            "no way",
        ),
    ],
    ids=["none", "several", "unreadable", "no credentials", "denied", "unreachable"],
)
def test_what_is_not_known_has_a_reason_and_no_price(listed: List, reason: str) -> None:
    assert price_in(listed) == Price(None, reason)


def test_other_partitions_have_no_prices_in_dollars() -> None:
    listed = List(product("1"))
    assert price_in(listed, "cn-north-1").reason == "the price list has no prices in USD for cn-north-1"
    assert not listed.questions


def test_a_target_without_a_price_list_is_never_asked() -> None:
    target = Target("http://127.0.0.1:1", "us-east-1", "x", CredentialSource(lambda: None))
    prices = PriceList.of(target, ConnectionPool(1))
    assert asyncio.run(prices.hourly("ml.g5.xlarge", "us-east-1")).hourly_usd is None


def test_two_instances_for_half_an_hour_cost_as_much_as_one_hour() -> None:
    cost = RunCost(hourly_usd=1.408, instances=2, seconds=1800)
    assert cost.usd == pytest.approx(1.408)
    assert cost.per_thousand(500) == pytest.approx(2.816)
    assert cost.per_passed(400) == pytest.approx(0.00352)


@pytest.mark.parametrize("figure", [RunCost(1, 1, 60).per_thousand(0), RunCost(1, 1, 60).per_passed(0)])
def test_without_cases_there_is_no_cost_of_one(figure: Any) -> None:
    assert figure is None
