"""What instances cost: AWS's price list, and what a run costs by it.

Prices are those of the list, on demand: discounts, savings plans and taxes of an account are not known.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.json_service import TIMEOUT_MS, JsonService, Service, ServiceFault, Trouble
from sagemaker_eval.sagemaker.regions import PRICE_LIST_REGION, has_public_prices
from sagemaker_eval.sagemaker.session import Target

log = logging.getLogger(__name__)

_SECONDS_PER_HOUR = 3600
_HOURS = frozenset({"hrs", "hours", "hour"})

Ask = Callable[[str, dict[str, Json]], Awaitable[dict[str, Json]]]
"""A call to one operation of the price list: its members to those of the answer."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD for an hour of one instance; where that is None, `reason` says why, in a phrase."""

    hourly_usd: float | None
    reason: str | None = None


class PriceList:
    """Hourly prices of hosting instances; each is asked for once. `ask` None: the price list must not be asked."""

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask
        self._prices: dict[tuple[str, str], Price] = {}
        self._turn = asyncio.Lock()

    @classmethod
    def of(cls, target: Target, pool: ConnectionPool, timeout_ms: float = TIMEOUT_MS) -> PriceList:
        """The price list as the caller of a target sees it (permission `pricing:GetProducts`)."""
        if target.pricing_url is None:
            return cls(None)
        service = Service(
            name="AWS's price list",
            url=target.pricing_url,
            region=PRICE_LIST_REGION,
            signing_name="pricing",
            target_prefix="AWSPriceListService",
        )
        return cls(JsonService(service, target, pool, timeout_ms).call)

    async def hourly(self, instance_type: str, region: str) -> Price:
        """The price of `ml.g5.xlarge` and the like in a region. Never raises."""
        key = (instance_type, region)
        async with self._turn:
            if key not in self._prices:
                self._prices[key] = await self._asked(instance_type, region)
            return self._prices[key]

    async def _asked(self, instance_type: str, region: str) -> Price:
        if self._ask is None:
            return Price(None, "the calls go to a URL of their own")
        if not has_public_prices(region):
            return Price(None, f"the price list has no prices in USD for {region}")
        try:
            answer = await self._ask("GetProducts", _query(instance_type, region))
        except ServiceFault as fault:
            denied = fault.trouble is Trouble.DENIED
            return Price(None, "the caller may not `pricing:GetProducts`" if denied else fault.message)
        except SagevalError as error:
            return Price(None, error.message)
        try:
            prices = hourly_prices(answer.get("PriceList") or [])
        except (ValueError, TypeError, AttributeError) as error:
            log.debug("unreadable price list", exc_info=error)
            return Price(None, "the answer of the price list cannot be read")
        if len(prices) == 1:
            return Price(prices.pop())
        found = f"has {len(prices)} prices" if prices else "has no price"
        return Price(None, f"the price list {found} for `{instance_type}` in {region}")


def _query(instance_type: str, region: str) -> dict[str, Json]:
    """`component`, because training, notebooks and processing have prices of their own for the same instance."""
    wanted = {"instanceName": instance_type, "regionCode": region, "component": "Hosting"}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in wanted.items()]
    return {"ServiceCode": "AmazonSageMaker", "Filters": filters, "FormatVersion": "aws_v1"}


def hourly_prices(products: Iterable[Json]) -> set[float]:
    """The distinct prices of an hour on demand, in USD, in the products of a price list (JSON, or text of JSON).

    Raises ValueError, TypeError or AttributeError for what has not the shape of a product.
    """
    found = set()
    for product in products:
        for dimension in _dimensions(product):
            usd = (dimension.get("pricePerUnit") or {}).get("USD")
            if str(dimension.get("unit", "")).lower() in _HOURS and usd is not None and float(usd) > 0:
                found.add(float(usd))
    return found


def _dimensions(product: Json) -> Iterator[dict[str, Any]]:
    document = json.loads(product) if isinstance(product, str) else product
    for term in ((document.get("terms") or {}).get("OnDemand") or {}).values():
        yield from (term.get("priceDimensions") or {}).values()


@dataclass(frozen=True, slots=True)
class RunCost:
    """What instances cost while a run used them, whether they were busy or not.

    Instances are billed by the second for as long as they are deployed ("Amazon SageMaker AI pricing"), so
    `usd = hourly_usd · instances · seconds / 3600`. Costs of one endpoint count once, however many columns use it at
    the same time; those of several endpoints add up.
    """

    hourly_usd: float
    """USD for an hour of one instance."""
    instances: float
    seconds: float
    """How long the run kept the endpoint deployed for its calls."""

    @property
    def usd(self) -> float:
        """USD for the run."""
        return self.hourly_usd * self.instances * self.seconds / _SECONDS_PER_HOUR

    def per_thousand(self, cases: int) -> float | None:
        """USD for 1,000 cases: `usd / cases · 1000`; None where there was no case."""
        return self.usd / cases * 1000 if cases else None

    def per_passed(self, passed: int) -> float | None:
        """USD for one case that passed: `usd / passed`; None where none did."""
        return self.usd / passed if passed else None
