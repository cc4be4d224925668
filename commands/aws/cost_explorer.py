"""What AWS billed for X-Ray, Transaction Search and Lambda, as Cost Explorer tells it. Every request costs a cent.

So each is made once, is counted whatever comes of it, and none is made beyond `most`. Amounts stay decimals.
https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from commands.aws import billing
from commands.aws.asking import ask
from commands.aws.credentials import acting
from commands.aws.errors import AwsProblem, BadAnswer, Denied
from storage.spend import Bill, Billed

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

PRICE = Decimal("0.01")  # US dollars a request: https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/
XRAY, LAMBDA, CLOUDWATCH = "AWS X-Ray", "AWS Lambda", "AmazonCloudWatch"
# How the usage types of Transaction Search end; before that stands a Region's prefix. Cost Explorer compares whole
# values only, so that those which stand on bills are asked for by name.
_TRANSACTION_SEARCH = ("Application-Signals-Bytes", "XRay-Spans-Indexed")
_KINDS = {XRAY: Billed.XRAY, LAMBDA: Billed.LAMBDA, CLOUDWATCH: Billed.TRANSACTION_SEARCH}
# What is used, and not what is credited, paid back or taxed for it.
_USED = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund", "Tax"]}}}
_PAID, _SPREAD = "UnblendedCost", "AmortizedCost"
_NO_DATA = "DataUnavailableException"
_LARGEST = Decimal(10) ** 15  # US dollars: more than there are
_FAULTS = (KeyError, TypeError, ValueError, InvalidOperation)


@dataclass(frozen=True, slots=True)
class Bills:
    """Whole months, by account."""

    bills: tuple[Bill, ...]
    estimated: Mapping[date, bool]  # by a month's first day, those that were asked for


class CostExplorer:
    """One look-up. Its methods raise AwsProblem. IAM: ce:GetCostAndUsage and ce:GetDimensionValues."""

    def __init__(self, cloud: "Cloud", most: int) -> None:
        self._cloud, self._most = cloud, most
        self.requests = 0

    def usage_types(self, since: date, until: date) -> tuple[str, ...]:
        """Those of Transaction Search that stand on bills of these days."""
        asked = {
            "TimePeriod": _period(since, until),
            "Dimension": "USAGE_TYPE",
            "Filter": _is("SERVICE", CLOUDWATCH),
        }
        pages = self._pages("GetDimensionValues", asked)
        found = [str(one["Value"]) for page in pages for one in _list(page, "DimensionValues")]
        return tuple(sorted(one for one in found if one.endswith(_TRANSACTION_SEARCH)))

    def months(self, first: date, until: date, usage_types: Sequence[str]) -> Bills:
        """Of the months from `first`, its first day, to the one that ends at or after `until`, exclusive.

        Of Lambda, AmortizedCost: what a Savings Plan has paid for counts as well.
        """
        asked = {
            "TimePeriod": _period(first, until),
            "Granularity": "MONTHLY",
            "Metrics": [_PAID, _SPREAD],
            "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "LINKED_ACCOUNT")],
            "Filter": _filter([XRAY, LAMBDA], usage_types),
        }
        bills: dict[tuple[date, str, Billed], Decimal] = {}
        estimated: dict[date, bool] = {}
        for page in self._pages("GetCostAndUsage", asked):
            try:
                for period in page["ResultsByTime"]:
                    month = date.fromisoformat(period["TimePeriod"]["Start"])
                    estimated[month] = bool(period["Estimated"])
                    for group in period["Groups"]:
                        service, account = group["Keys"]
                        kind = _KINDS[service]
                        usd = _usd(group["Metrics"][_SPREAD if kind is Billed.LAMBDA else _PAID])
                        key = (month, account, kind)
                        bills[key] = bills.get(key, Decimal(0)) + usd
            except _FAULTS as problem:
                raise _bad_answer(problem) from problem
        return Bills(tuple(Bill(*key, usd) for key, usd in bills.items()), estimated)

    def days(self, first: date, until: date, usage_types: Sequence[str]) -> Mapping[date, Decimal]:
        """What X-Ray, with Transaction Search, cost on each day from `first` until `until`, exclusive."""
        asked = {
            "TimePeriod": _period(first, until),
            "Granularity": "DAILY",
            "Metrics": [_PAID],
            "Filter": _filter([XRAY], usage_types),
        }
        found: dict[date, Decimal] = {}
        for page in self._pages("GetCostAndUsage", asked):
            try:
                for period in page["ResultsByTime"]:
                    found[date.fromisoformat(period["TimePeriod"]["Start"])] = _usd(period["Total"][_PAID])
            except _FAULTS as problem:
                raise _bad_answer(problem) from problem
        return found

    def _pages(self, action: str, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """boto3 has no paginator for these."""
        home = self._cloud.home_account()
        region = billing.region(self._cloud)
        client = self._cloud.client("ce", region, attempts=1)
        call = {"GetCostAndUsage": client.get_cost_and_usage, "GetDimensionValues": client.get_dimension_values}[action]
        token = ""
        while True:
            if self.requests >= self._most:
                words = (
                    f"the {self._most} requests that were left of this day are used up, and there is more to ask for"
                )
                raise AwsProblem("Capped", f"{words}: raise max_requests_per_day in [spend]", own_words=True)
            self.requests += 1
            more = {"NextPageToken": token} if token else {}
            try:
                with acting(None, home):
                    page = ask(partial(call, **asked, **more), account=home, service="ce", action=action)
            except AwsProblem as problem:
                raise explained(problem) from problem
            yield page
            token = page.get("NextPageToken") or ""
            if not token:
                return


def needs_somebody(problem: AwsProblem) -> bool:
    """Whether nothing comes of asking again before somebody changes a policy, a setting or an account."""
    return isinstance(problem, Denied) or problem.code in ("Capped", "Currency", "NoBilling", _NO_DATA)


def explained(problem: AwsProblem) -> AwsProblem:
    """What to do about it, in one line."""
    if isinstance(problem, Denied):
        words = (
            f"Cost Explorer may not be read in account {problem.account}: allow ce:GetCostAndUsage and "
            "ce:GetDimensionValues to the bot's own credentials there (a member account also needs the payer's leave), "
            f"or set enabled = false in [spend]. AWS says {problem.code}: {problem.message}"
        )
        return type(problem)(problem.code, words, own_words=True)
    if problem.code == _NO_DATA:
        words = (
            f"Cost Explorer has no data of account {problem.account} yet: open it once in the console of Billing and "
            "Cost Management, and wait a day"
        )
        return AwsProblem(problem.code, words, own_words=True)
    return problem


def _filter(services: Sequence[str], usage_types: Sequence[str]) -> dict[str, Any]:
    what = _is("SERVICE", *services)
    if usage_types:
        what = {"Or": [what, _is("USAGE_TYPE", *usage_types)]}
    return {"And": [what, _USED]}


def _is(key: str, *values: str) -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def _period(since: date, until: date) -> dict[str, str]:
    return {"Start": since.isoformat(), "End": max(until, since + timedelta(days=1)).isoformat()}


def _list(page: Mapping[str, Any], key: str) -> Sequence[Any]:
    found = page.get(key)
    if not isinstance(found, list):
        raise BadAnswer("NoList", f"{key} is missing", service="ce")
    return found


def _usd(told: Mapping[str, str]) -> Decimal:
    if told["Unit"] != "USD":
        words = f"Cost Explorer tells costs in {told['Unit']}, and Lamplighter reckons in US dollars"
        raise AwsProblem("Currency", words, own_words=True)
    usd = Decimal(told["Amount"])
    if not usd.is_finite() or abs(usd) > _LARGEST:
        raise ValueError(f"an amount of {usd}")
    return usd


def _bad_answer(problem: Exception) -> BadAnswer:
    return BadAnswer(type(problem).__name__, f"Cost Explorer's answer cannot be read: {problem}", service="ce")
