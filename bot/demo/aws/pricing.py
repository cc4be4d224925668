"""AWS's Price List as far as X-Ray goes; moto has none."""

import json
from collections.abc import Mapping
from typing import Any

from bot.demo.aws.knobs import page
from bot.demo.aws.protocol import AwsError, Handler, Request

_ENDPOINTS = ("us-east-1", "eu-central-1", "ap-south-1")
_FILTERS = ("TERM_MATCH", "EQUALS", "CONTAINS", "ANY_OF", "NONE_OF")
_LARGEST_PAGE = 100
_RECORDED_USD, _ACCESSED_USD = "0.0000050000", "0.0000005000"
# Regions and what their usage types begin with.
_PREFIXES = {"us-east-1": "USE1", "us-west-2": "USW2", "eu-central-1": "EUC1", "ap-southeast-2": "APS2"}


class Pricing:
    """GetProducts for the service code AWSXRay."""

    def __init__(self) -> None:
        self._usd: dict[str, str] = {}

    def handlers(self) -> dict[str, Handler]:
        return {"GetProducts": self._products}

    def traces_cost(self, region: str, usd: str) -> None:
        """Set what a recorded trace costs there, in dollars as AWS writes them."""
        self._usd[region] = usd

    def _products(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        if request.region not in _ENDPOINTS:
            raise AwsError("UnrecognizedClientException", "The Price List has no endpoint here")
        if asked.get("ServiceCode") != "AWSXRay":
            raise AwsError("NotFoundException", "The stand-in knows the service code AWSXRay, and none beside it")
        if asked.get("FormatVersion") not in (None, "aws_v1"):
            raise _invalid("FormatVersion must be aws_v1")
        size = int(asked.get("MaxResults") or _LARGEST_PAGE)
        if not 1 <= size <= _LARGEST_PAGE:
            raise _invalid("MaxResults must be between 1 and 100")
        filters = asked.get("Filters") or []
        found = [one for one in self._all() if all(_matches(one["product"]["attributes"], each) for each in filters)]
        refusal = AwsError("InvalidNextTokenException", "The pagination token is invalid")
        shown, after = page(found, size, asked.get("NextToken"), lambda one: str(one["product"]["sku"]), refusal)
        return {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in shown], "NextToken": after}

    def _all(self) -> list[dict[str, Any]]:
        found = [_product("", "Global-XRay-TracesStored", "", "0.0000000000")]
        for region, prefix in _PREFIXES.items():
            usd = self._usd.get(region, _RECORDED_USD)
            found.append(_product(region, f"{prefix}-XRay-TracesStored", "", usd))
            found.append(_product(region, f"{prefix}-XRay-Insights-TracesStored", "", "0.0000010000"))
            for operation in ("XRay-Traces-Retrieved", "XRay-Traces-Scanned"):
                found.append(_product(region, f"{prefix}-XRay-TracesAccessed", operation, _ACCESSED_USD))
        return found


def _product(region: str, usage: str, operation: str, usd: str) -> dict[str, Any]:
    sku = f"{usage}{operation}".upper().replace("-", "")
    dimension = {"unit": "traces", "beginRange": "0", "endRange": "Inf", "pricePerUnit": {"USD": usd}, "appliesTo": []}
    term = {"sku": sku, "offerTermCode": "JRTCKXETXF", "priceDimensions": {f"{sku}.JRTCKXETXF.6YS6EN2CT7": dimension}}
    attributes = {
        "servicecode": "AWSXRay",
        "regionCode": region,
        "usagetype": usage,
        "operation": operation,
        "locationType": "AWS Region",
    }
    return {
        "product": {"productFamily": "AWS X-Ray", "sku": sku, "attributes": attributes},
        "serviceCode": "AWSXRay",
        "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": term}},
    }


def _matches(attributes: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Only whole values are compared; the other kinds of filter are refused, for nobody here uses them."""
    if given["Type"] not in _FILTERS:
        raise _invalid(f"{given['Type']} is no type of filter")
    if given["Type"] not in ("TERM_MATCH", "EQUALS"):
        raise _invalid("The stand-in compares whole values, with TERM_MATCH or EQUALS")
    if given["Field"] not in (*attributes, "location"):
        raise _invalid(f"{given['Field']} is no attribute of a product")
    return attributes.get(given["Field"]) == given["Value"]


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
