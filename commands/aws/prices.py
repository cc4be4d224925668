"""What AWS takes for a recorded trace, by Region: its Price List where that may be asked, else a table with its date.

Prices are for people to decide by, not a bill: `Price.says` always says where one comes from.
"""

import json
import logging
import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from commands.aws.asking import ask
from commands.aws.credentials import acting
from commands.aws.errors import AwsProblem, Denied
from storage.forecasts import Range

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_MILLION = 1_000_000

# aws.amazon.com/xray/pricing, read 2026-11-23: the page names one price and no Region.
_PAGE_USD = 5.00 / _MILLION
_PAGE_DATE = "2026-11-23"

# Transaction Search's prices are UNCONFIRMED: common knowledge of 2026, found on no page of AWS's that could be read.
SPAN_GIGABYTE_USD = 0.35  # of the first 10 TB a month
INDEXED_SPAN_USD = 0.75 / _MILLION
FREE_INDEXED_PERCENT = 1.0

# What one trace of a function brings: two segments of Lambda's own and up to three subsegments (Initialization,
# Invocation, Overhead), 1 to 2 KB each; what instrumentation adds is not known before there is any.
SPANS_A_TRACE = Range(2.0, 3.5, 5.0)
SPAN_KILOBYTES = Range(1.0, 1.5, 2.0)
_KILOBYTES_A_GIGABYTE = 1_000_000

PRICE_LIST_REGION = "us-east-1"  # the Price List has an endpoint in few Regions; this one is always there
_KEPT = timedelta(days=1)
_PAGES = 20
_DEAREST = 0.001  # dollars for a trace, 200 times what it costs: beyond that we have misread something

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Price:
    """Of one recorded trace."""

    usd: float | None  # None: not known
    says: str  # what it is and where it comes from, as a phrase for people


class Prices:
    """The prices of one look-up; what the Price List said is kept for a day."""

    def __init__(self, cloud: "Cloud", clock: Callable[[], datetime]) -> None:
        self._cloud, self._clock = cloud, clock
        with _lock:
            self._kept = _known.setdefault(cloud, {})

    def of(self, region: str) -> Price:
        """Never raises: where the Price List cannot be read, the table serves."""
        with _lock:
            kept = self._kept.get(region)
        if kept and self._clock() - kept[0] < _KEPT:
            return kept[1]
        try:
            price, keep = self._listed(region) or _from_table(region), True
        except AwsProblem as problem:
            log.info("the Price List cannot be read, and the table serves for %s: %s", region, problem)
            price, keep = _from_table(region), isinstance(problem, Denied)
        if keep:
            with _lock:
                self._kept[region] = (self._clock(), price)
        return price

    def _listed(self, region: str) -> Price | None:
        """IAM, for the bot's own credentials: pricing:GetProducts."""
        if region.startswith("cn-"):
            return None  # China has a Price List of its own
        with acting(None):
            client = self._cloud.client("pricing", PRICE_LIST_REGION)
            found = [usd for product in _products(client, region) for usd in _usd_of(product)]
        if not found:
            return None
        usd = max(found)  # the free tier is listed too, at nothing
        return Price(usd, f"{_a_million(usd)} recorded in {region} (AWS's Price List)")


def _products(client: Any, region: str) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {
        "ServiceCode": "AWSXRay",
        "Filters": [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}],
        "FormatVersion": "aws_v1",
        "MaxResults": 100,
    }
    for _ in range(_PAGES):
        said = ask(partial(client.get_products, **asked), service="pricing", region=PRICE_LIST_REGION)
        for text in said.get("PriceList") or ():
            try:
                yield json.loads(text)
            except ValueError:
                log.warning("the Price List gave a product that is not JSON")
        if not said.get("NextToken"):
            return
        asked["NextToken"] = said["NextToken"]


def _usd_of(product: dict[str, Any]) -> Iterator[float]:
    """Of a recorded trace, where this is the product that is. Whatever cannot be read is passed over.

    The usage type is `TracesStored` behind the Region's prefix; that of us-east-1 is UNCONFIRMED, so that only the end
    counts. `Global-` is the free tier, and Insights are billed apart.
    """
    try:
        usage = str(product["product"]["attributes"]["usagetype"])
        if not usage.endswith("XRay-TracesStored") or usage.startswith("Global-"):
            return
        for term in product["terms"]["OnDemand"].values():
            for dimension in term["priceDimensions"].values():
                usd = float(dimension["pricePerUnit"]["USD"])
                if math.isfinite(usd) and 0 < usd < _DEAREST:
                    yield usd
    except (KeyError, TypeError, ValueError, AttributeError):
        log.warning("the Price List describes a product of X-Ray in a way that cannot be read")


def _from_table(region: str) -> Price:
    if region.startswith("cn-"):
        return Price(None, f"no price is known for {region}")
    says = f"about {_a_million(_PAGE_USD)} recorded (AWS's pricing page of {_PAGE_DATE}; not confirmed for {region})"
    return Price(_PAGE_USD, says)


def _a_million(usd: float) -> str:
    return f"${usd * _MILLION:,.2f} per million traces"


# ---- spans


@dataclass(frozen=True, slots=True)
class Spans:
    """What a number of traces becomes with Transaction Search."""

    spans: Range
    gigabytes: Range
    usd: Range


def as_spans(traces: Range, indexed_percent: float) -> Spans:
    """The ends are taken together: few traces of few small spans, or many of many large ones.

    Lambda's own sampling still decides which invocations make a trace; all spans of these are ingested.
    """
    spans = _product(traces, SPANS_A_TRACE)
    gigabytes = _product(spans, SPAN_KILOBYTES).times(1 / _KILOBYTES_A_GIGABYTE)
    indexed = spans.times(max(0.0, indexed_percent - FREE_INDEXED_PERCENT) / 100)
    usd = Range.sum((gigabytes.times(SPAN_GIGABYTE_USD), indexed.times(INDEXED_SPAN_USD)))
    return Spans(spans, gigabytes, usd)


def _product(one: Range, other: Range) -> Range:
    return Range(one.low * other.low, one.expected * other.expected, one.high * other.high)


SPANS_SAY = (
    f"Transaction Search is on: about ${SPAN_GIGABYTE_USD:.2f} per GB of spans and "
    f"${INDEXED_SPAN_USD * _MILLION:.2f} per million indexed beyond {FREE_INDEXED_PERCENT:g} % (prices not confirmed), "
    f"at {SPANS_A_TRACE.low:g} to {SPANS_A_TRACE.high:g} spans of {SPAN_KILOBYTES.low:g} to {SPAN_KILOBYTES.high:g} KB "
    "for each trace (assumed)"
)

_lock = threading.Lock()
_known: "WeakKeyDictionary[Cloud, dict[str, tuple[datetime, Price]]]" = WeakKeyDictionary()
