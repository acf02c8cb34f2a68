"""AWS's price list, as far as it tells what an hour of a SageMaker instance costs: GetProducts, from scripted prices.

A price of the script is that of hosting. Like the real list it sells the same instance for other purposes at other
prices, and those come first, so a caller must ask for `component` = `Hosting`. Source of the shapes: AWS Price List
Query API, offers of AmazonSageMaker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.sandbox.deployments import PRICE_OPERATION
from sagemaker_eval.sandbox.endpoints import DeploymentScript, Endpoints
from sagemaker_eval.sandbox.json_service import (
    DEFAULT_REGION,
    Asked,
    JsonService,
    invalid,
    not_authorized,
    page,
    refused,
)
from sagemaker_eval.sandbox.replies import Reply
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck

TARGET = "AWSPriceListService"
SIGNING_NAME = "pricing"
SERVICE_CODE = "AmazonSageMaker"
_FAMILY = "ML Instance"

_COMPONENTS = {"Studio-Notebook": 0.62, "Training": 0.9, "Hosting": 1.0, "Batch Transform": 1.05}
"""What an instance is sold for, and its price relative to that of hosting."""
_ON_DEMAND = "JRTCKXETXF"
_PER_HOUR = "6YS6EN2CT7"
_PUBLISHED = "2026-01-01T00:00:00Z"
_VERSION = "20260101000000"

_FILTERS: dict[str, Callable[[str, str], bool]] = {
    "TERM_MATCH": lambda value, wanted: value.lower() == wanted.lower(),
    "EQUALS": lambda value, wanted: value == wanted,
    "CONTAINS": lambda value, wanted: wanted in value,
    "ANY_OF": lambda value, wanted: value in wanted.split(","),
    "NONE_OF": lambda value, wanted: value not in wanted.split(","),
}


class PriceList:
    """Answers by the prices that a script gives its deployments; without any, no product is found.

    Without `signatures`, which may be those of any service, every caller is believed.
    """

    def __init__(self, script: DeploymentScript, signatures: SignatureCheck | None = None) -> None:
        endpoints = Endpoints(script)
        self._prices = endpoints.prices()
        self._denied = PRICE_OPERATION in endpoints.denied_anywhere()
        check = signatures.of_service(SIGNING_NAME) if signatures else None
        self._service = JsonService(TARGET, {PRICE_OPERATION: self._get_products}, check)

    def reply(self, incoming: Incoming) -> Reply | None:
        """The reply to a call of the price list; None for any other request."""
        return self._service.reply(incoming)

    def _get_products(self, asked: Asked) -> Json:
        if self._denied:
            raise not_authorized(f"pricing:{PRICE_OPERATION}", "*")
        if asked.text("ServiceCode") != SERVICE_CODE:
            raise refused("NotFoundException", f"The sandbox sells nothing of {asked.text('ServiceCode')}.")
        filters = asked.members.get("Filters") or []
        found = [each for each in _products(self._prices, _region(filters)) if _passes(each, filters)]
        shown, token = page(found, asked.members, default=100)
        offers = [compact_json(_offer(each, self._prices)) for each in shown]
        return {"FormatVersion": "aws_v1", "PriceList": list(offers), **token}


def _region(filters: Sequence[Mapping[str, Any]]) -> str:
    """Prices are the same in all regions, so products are listed for the one that is asked for."""
    named = (each.get("Value") for each in filters if each.get("Field") == "regionCode")
    return str(next(named, DEFAULT_REGION))


def _products(prices: Mapping[str, float], region: str) -> Iterator[dict[str, str]]:
    """The attributes of each product."""
    for instance in sorted(prices):
        for component in _COMPONENTS:
            purpose = component.replace(" ", "")
            yield {
                "servicecode": SERVICE_CODE,
                "servicename": "Amazon SageMaker",
                "regionCode": region,
                "location": region,
                "locationType": "AWS Region",
                "instanceName": instance,
                "instanceType": f"{instance}-{purpose.lower()}",
                "component": component,
                "platoinstancename": instance,
                "platoinstancetype": component,
                "operation": "RunInstance",
                "usagetype": f"{region}-{purpose}:{instance}",
            }


def _passes(attributes: Mapping[str, str], filters: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a product passes all filters. A field that it does not have passes none."""
    searched = {"productFamily": _FAMILY, "ServiceCode": SERVICE_CODE, **attributes}
    for each in filters:
        kind, field, wanted = (str(each.get(name, "")) for name in ("Type", "Field", "Value"))
        passes = _FILTERS.get(kind)
        if passes is None:
            raise invalid(f"The filter type {kind} is none of {', '.join(_FILTERS)}.")
        if field not in searched or not passes(searched[field], wanted):
            return False
    return True


def _offer(attributes: Mapping[str, str], prices: Mapping[str, float]) -> Json:
    """One member of `PriceList`, which the service sends as text."""
    sku = sha256(attributes["usagetype"].encode()).hexdigest()[:16].upper()
    usd = prices[attributes["instanceName"]] * _COMPONENTS[attributes["component"]]
    term, rate = f"{sku}.{_ON_DEMAND}", f"{sku}.{_ON_DEMAND}.{_PER_HOUR}"
    dimension: Json = {
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "description": f"${usd:g} per {attributes['component']} {attributes['instanceName']} hour",
        "appliesTo": [],
        "rateCode": rate,
        "pricePerUnit": {"USD": f"{usd:.10f}"},
    }
    on_demand: Json = {
        "sku": sku,
        "offerTermCode": _ON_DEMAND,
        "effectiveDate": _PUBLISHED,
        "termAttributes": {},
        "priceDimensions": {rate: dimension},
    }
    return {
        "product": {"productFamily": _FAMILY, "attributes": dict(attributes), "sku": sku},
        "serviceCode": SERVICE_CODE,
        "terms": {"OnDemand": {term: on_demand}},
        "version": _VERSION,
        "publicationDate": _PUBLISHED,
    }
