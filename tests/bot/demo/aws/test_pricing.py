"""AWS's Price List over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import refusal

OF_BERLIN = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"}]


def usage_types(client: Any, **asked: Any) -> list[str]:
    said = client.get_products(ServiceCode="AWSXRay", **asked)["PriceList"]
    return [json.loads(text)["product"]["attributes"]["usagetype"] for text in said]


def test_products_of_a_region_are_given_as_json(client: Any) -> None:
    pricing = client("pricing", region="us-east-1")

    assert sorted(usage_types(pricing, Filters=OF_BERLIN)) == [
        "EUC1-XRay-Insights-TracesStored",
        "EUC1-XRay-TracesAccessed",
        "EUC1-XRay-TracesAccessed",
        "EUC1-XRay-TracesStored",
    ]
    assert "Global-XRay-TracesStored" in usage_types(pricing)


def test_products_come_in_pages(client: Any) -> None:
    pricing = client("pricing", region="us-east-1")
    whole = usage_types(pricing)

    pages = pricing.get_paginator("get_products").paginate(ServiceCode="AWSXRay", MaxResults=3)

    found = [json.loads(text)["product"]["attributes"]["usagetype"] for page in pages for text in page["PriceList"]]
    assert found == whole
    assert refusal(pricing.get_products, ServiceCode="AWSXRay", NextToken="made-up")[0] == "InvalidNextTokenException"


def test_a_price_is_text_in_dollars(client: Any, aws: AwsStandIn) -> None:
    aws.pricing.traces_cost("eu-central-1", "0.0000072500")
    said = client("pricing", region="us-east-1").get_products(ServiceCode="AWSXRay", Filters=OF_BERLIN)["PriceList"]

    products = [json.loads(text) for text in said]
    (recorded,) = [one for one in products if one["product"]["attributes"]["usagetype"] == "EUC1-XRay-TracesStored"]
    (term,) = recorded["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    assert (dimension["pricePerUnit"], dimension["unit"]) == ({"USD": "0.0000072500"}, "traces")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ServiceCode": "AmazonEC2"}, "NotFoundException"),
        ({"ServiceCode": "AWSXRay", "MaxResults": 101}, "InvalidParameterException"),
        ({"ServiceCode": "AWSXRay", "FormatVersion": "aws_v2"}, "InvalidParameterException"),
        ({"ServiceCode": "AWSXRay", "Filters": [OF_BERLIN[0] | {"Type": "LIKE"}]}, "InvalidParameterException"),
        ({"ServiceCode": "AWSXRay", "Filters": [OF_BERLIN[0] | {"Field": "region"}]}, "InvalidParameterException"),
    ],
    ids=["another service", "too large a page", "another format", "no filter", "no attribute"],
)
def test_what_cannot_be_asked_is_refused(client: Any, asked: dict[str, Any], code: str) -> None:
    assert refusal(client("pricing", region="us-east-1").get_products, **asked)[0] == code


def test_few_regions_have_a_price_list(client: Any) -> None:
    assert refusal(client("pricing", region="us-west-2").get_products, ServiceCode="AWSXRay")
