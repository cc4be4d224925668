"""Cost Explorer, from seeded prices of days, under AWS's documented rules. moto's answers whatever it is given."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bot.demo.aws.knobs import Knobs
from bot.demo.aws.organizations import Organizations
from bot.demo.aws.protocol import AwsError, Handler, Request

HOME = "us-east-1"
_METRICS = frozenset("AmortizedCost BlendedCost NetAmortizedCost NetUnblendedCost UnblendedCost UsageQuantity".split())
_AMORTIZED = frozenset({"AmortizedCost", "NetAmortizedCost"})
_FIELDS = {
    "SERVICE": "service",
    "USAGE_TYPE": "usage_type",
    "LINKED_ACCOUNT": "account",
    "RECORD_TYPE": "record_type",
}
_MATCHES = frozenset({"EQUALS", "CASE_SENSITIVE"})  # what GetCostAndUsage takes of all that the model knows
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS_KEPT = 13  # before the present one
_FINAL_AFTER = 4  # days of the next month

DailyCost = Callable[[date], float]  # US dollars


@dataclass(frozen=True, slots=True)
class Line:
    """Of a bill: what one account uses of one thing."""

    account: str
    service: str
    usage_type: str
    daily: DailyCost
    record_type: str = "Usage"
    amortized: float = 1.0  # AmortizedCost as a multiple of UnblendedCost: other than 1 with a Savings Plan

    def cost(self, day: date, metric: str) -> Decimal:
        paid = Decimal(str(self.daily(day))) * Decimal(str(self.amortized if metric in _AMORTIZED else 1))
        return paid.quantize(Decimal("0.0000000001"))


class CostExplorer:
    """What accounts were billed. A management account sees its organization, any other itself."""

    def __init__(self, knobs: Knobs, organizations: Organizations) -> None:
        self._knobs, self._organizations = knobs, organizations
        self._lines: list[Line] = []
        self.page_size = 5000  # groups on a page
        self.behind = timedelta(days=1)  # so old is the newest whole day that is billed
        self.unit = "USD"

    def handlers(self) -> dict[str, Handler]:
        return {"GetCostAndUsage": self._costs, "GetDimensionValues": self._values}

    def bill(self, *lines: Line) -> None:
        self._lines += lines

    # ---- what is asked

    def _costs(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        start, end = self._period(request)
        metrics, groups = asked.get("Metrics") or [], asked.get("GroupBy") or []
        if not metrics or not set(metrics) <= _METRICS:
            raise _invalid(f"Metrics must be some of {', '.join(sorted(_METRICS))}")
        if len(groups) > 2:
            raise _invalid("The number of GroupBy definitions must be at most 2")
        for group in groups:
            if group.get("Type") != "DIMENSION" or group.get("Key") not in _FIELDS:
                raise _invalid(f"The stand-in groups by dimensions among {', '.join(_FIELDS)}")
        lines = [line for line in self._seen_by(request.account) if _covers(asked.get("Filter"), line)]
        rows = list(self._rows(lines, start, end, asked["Granularity"], metrics, [group["Key"] for group in groups]))
        page, after = self._page(request, rows)
        answer: dict[str, Any] = {"ResultsByTime": _by_time(page, grouped=bool(groups)), "DimensionValueAttributes": []}
        if groups:
            answer["GroupDefinitions"] = groups
        return answer | ({"NextPageToken": after} if after else {})

    def _values(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        start, end = self._period(request, granular=False)
        field = _FIELDS.get(asked["Dimension"])
        if field is None:
            raise _invalid(f"The stand-in knows the dimensions {', '.join(_FIELDS)}")
        sought = (asked.get("SearchString") or "").casefold()
        lines = [line for line in self._seen_by(request.account) if _covers(asked.get("Filter"), line)]
        billed = [line for line in lines if any(self._cost(line, day, "UnblendedCost") for day in _days(start, end))]
        found = sorted({getattr(line, field) for line in billed if sought in getattr(line, field).casefold()})
        page, after = self._page(request, found, 1000)
        answer = {
            "DimensionValues": [{"Value": value, "Attributes": {}} for value in page],
            "ReturnSize": len(page),
            "TotalSize": len(found),
        }
        return answer | ({"NextPageToken": after} if after else {})

    # ---- how it is worked out

    def _rows(
        self,
        lines: Sequence[Line],
        start: date,
        end: date,
        granularity: str,
        metrics: Sequence[str],
        keys: Sequence[str],
    ) -> Iterator["_Row"]:
        """One for each period and group, periods without any group too."""
        for begin, finish in _periods(start, end, granularity):
            estimated = self._estimated(finish)
            sums: dict[tuple[str, ...], dict[str, Decimal]] = {} if keys else {(): dict.fromkeys(metrics, Decimal(0))}
            for line in lines:
                costs = {
                    metric: sum((self._cost(line, day, metric) for day in _days(begin, finish)), Decimal(0))
                    for metric in metrics
                }
                if not any(costs.values()):
                    continue
                group = tuple(str(getattr(line, _FIELDS[key])) for key in keys)
                known = sums.setdefault(group, dict.fromkeys(metrics, Decimal(0)))
                for metric, cost in costs.items():
                    known[metric] += cost
            if not sums:
                yield _Row(begin, finish, estimated, (), {})
            for group, costs in sorted(sums.items()):
                told = {metric: {"Amount": f"{cost:f}", "Unit": self.unit} for metric, cost in costs.items()}
                yield _Row(begin, finish, estimated, group, told)

    def _cost(self, line: Line, day: date, metric: str) -> Decimal:
        newest = (self._knobs.clock() - self.behind).date()
        return line.cost(day, metric) if day < newest else Decimal(0)

    def _estimated(self, finish: date) -> bool:
        """A month's bill is final some days after its end; what is younger may change."""
        last = finish - timedelta(days=1)
        closed = (last.replace(day=28) + timedelta(days=4)).replace(day=1) + timedelta(days=_FINAL_AFTER)
        return self._knobs.clock().date() < closed

    def _seen_by(self, account: str) -> list[Line]:
        members = self._organizations.payer_of(account)
        return [line for line in self._lines if line.account == account or line.account in members]

    def _period(self, request: Request, *, granular: bool = True) -> tuple[date, date]:
        if request.region != HOME:
            raise AwsError(
                "UnrecognizedClientException", f"Credential should be scoped to {HOME}, not {request.region}", 403
            )
        asked = request.params
        period = asked["TimePeriod"]
        if granular and asked.get("Granularity") not in ("MONTHLY", "DAILY"):
            raise _invalid("Granularity must be DAILY or MONTHLY; HOURLY has to be opted into")
        if not all(_DATE.fullmatch(str(period[end])) for end in ("Start", "End")):
            raise _invalid("Start and end of the time period must be dates like 2026-11-01")
        start, end = date.fromisoformat(period["Start"]), date.fromisoformat(period["End"])
        if start >= end:
            raise _invalid(f"Start date (and hour) should be before end date (and hour): {start} {end}")
        today = self._knobs.clock().date()
        oldest = _months_before(today.replace(day=1), _MONTHS_KEPT)
        if start < oldest:
            raise _invalid(f"You haven't enabled historical data beyond {_MONTHS_KEPT} months")
        if start > today:
            raise _invalid(f"Start date {start} is in the future")
        return start, end

    def _page(self, request: Request, rows: Sequence[Any], size: int = 0) -> tuple[list[Any], str]:
        """A token goes with the very same question, and with no other."""
        asked = {key: value for key, value in request.params.items() if key != "NextPageToken"}
        mark = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]
        first, token = 0, request.params.get("NextPageToken")
        if token:
            try:
                known = json.loads(base64.urlsafe_b64decode(token))
                first, of = int(known["first"]), str(known["of"])
            except (ValueError, TypeError, KeyError) as problem:
                raise AwsError("InvalidNextTokenException", "The pagination token is invalid.") from problem
            if of != mark:
                raise AwsError("RequestChangedException", "Your request parameters changed between pages.")
        size = size or self.page_size
        more = json.dumps({"first": first + size, "of": mark}).encode()
        after = base64.urlsafe_b64encode(more).decode() if first + size < len(rows) else ""
        return list(rows[first : first + size]), after


@dataclass(frozen=True, slots=True)
class _Row:
    begin: date
    finish: date
    estimated: bool
    group: tuple[str, ...]
    metrics: Mapping[str, Any]  # empty: nothing was billed in that time


def _by_time(rows: Sequence[_Row], *, grouped: bool) -> list[dict[str, Any]]:
    found: dict[date, dict[str, Any]] = {}
    for row in rows:
        period = {"Start": str(row.begin), "End": str(row.finish)}
        shown = found.setdefault(
            row.begin, {"TimePeriod": period, "Total": {}, "Groups": [], "Estimated": row.estimated}
        )
        if grouped and row.metrics:
            shown["Groups"].append({"Keys": list(row.group), "Metrics": row.metrics})
        elif not grouped:
            shown["Total"] = row.metrics
    return list(found.values())


def _covers(expression: Mapping[str, Any] | None, line: Line) -> bool:
    """Whether a filter keeps this line; refuses what AWS refuses of its shape."""
    if expression is None:
        return True
    if len(expression) != 1:
        raise _invalid("Expression must have exactly one of And, Or, Not, Dimensions, Tags, CostCategories")
    ((name, inner),) = expression.items()
    if name in ("And", "Or"):
        if len(inner) < 2:
            raise _invalid(f"{name} needs at least two expressions")
        told = [_covers(one, line) for one in inner]
        return all(told) if name == "And" else any(told)
    if name == "Not":
        return not _covers(inner, line)
    if name != "Dimensions" or inner.get("Key") not in _FIELDS or not inner.get("Values"):
        raise _invalid(f"The stand-in filters by the dimensions {', '.join(_FIELDS)}, each with values")
    if not set(inner.get("MatchOptions") or ()) <= _MATCHES:
        raise _invalid("Valid values for MatchOptions for Dimensions are EQUALS and CASE_SENSITIVE")
    return getattr(line, _FIELDS[inner["Key"]]) in inner["Values"]


def _periods(start: date, end: date, granularity: str) -> Iterator[tuple[date, date]]:
    while start < end:
        if granularity == "DAILY":
            after = start + timedelta(days=1)
        else:
            after = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
        yield start, min(after, end)
        start = after


def _days(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=number) for number in range((end - start).days))


def _months_before(first: date, months: int) -> date:
    total = first.year * 12 + first.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
