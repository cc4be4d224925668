"""What X-Ray cost, shared out within each account and month by the traces that functions recorded then.

A function counts for as long as it was known to be traced in that month, and for the team that it had at that time: a
fix of today moves nothing of what was billed before. Of a month that is over, the shares are kept. What nobody's share
can be told of is left open, with the reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from heapq import nsmallest

from commands._shares import CENT, in_cents, shared_out
from commands._types import Context
from commands.aws.prices import SPANS_A_TRACE
from commands.views.amounts import dollars
from commands.views.text import count
from storage.kpis import Driver, Drivers
from storage.months import months_before
from storage.spend import MonthBilled
from storage.trace_shares import Key, MonthShares, Open
from storage.traces import FunctionTraces, Traces

Team = str | None
MONTHS = 13  # so far back a report reaches, and Cost Explorer
_WHY = {
    Open.BEFORE: "of days before Lamplighter knew the account's functions",
    Open.NO_TRAFFIC: "in accounts and months where no traced function's traffic is known",
    Open.DOUBT: "of functions of which it is not known whether they were traced then",
}


@dataclass(frozen=True, slots=True)
class XrayShares:
    """In whole cents, which add up to what was billed."""

    usd: Mapping[Team, Decimal]  # None: functions of no known team
    open: Mapping[Open, Decimal]
    unweighed: int  # functions that were traced, or may have been, and whose traffic is not known
    attributed: Mapping[tuple[str, Team], Decimal]  # by account; before any rounding

    @property
    def why(self) -> str:
        """Sentences of what is open, and left out; "" where nothing is."""
        said = [f"{dollars(usd)} {_WHY[reason]}" for reason, usd in self.open.items() if usd]
        left = sum(self.open.values(), Decimal(0))
        told = [f"{dollars(left)} of X-Ray's cost is not attributed to any team: {', '.join(said)}."] if said else []
        if self.unweighed:
            told.append(f"Left out: {count(self.unweighed, 'function')} of unknown traffic, traced or maybe so.")
        return " ".join(told)


@dataclass(frozen=True, slots=True)
class Shares:
    """By what some months are shared out, and what is recorded now."""

    months: Mapping[date, MonthShares]
    now: Mapping[Team, float]  # traces in 30 days, by team, of functions that are traced

    @property
    def known(self) -> bool:
        """Whether any function's traffic is, or was."""
        return bool(self.now) or any(_tells(one) for one in self.months.values())


def shares_of(context: Context, months: Sequence[date]) -> Shares:
    """By their first days: as kept when the month was over, else as memory holds it by now."""
    now = context.clock()
    kept = context.store.trace_shares.of(months)
    left = [month for month in months if month not in kept] or [now.astimezone(UTC).date().replace(day=1)]
    traces = context.store.traces.recorded(_edges(left, now), SPANS_A_TRACE.expected)
    edges = _edges(left, now)
    made = {month: _of_month(traces, edges, _months_between(left[0], month)) for month in left}
    return Shares({month: kept.get(month) or made[month] for month in months}, traces.now)


def keep_shares(context: Context) -> None:
    """Of the months that are over and billed, once and for all."""
    now = context.clock()
    present = now.astimezone(UTC).date().replace(day=1)
    billed = [one.month for one in context.store.spend.months(months_before(present, MONTHS)) if one.month < present]
    kept = context.store.trace_shares.of(billed)
    left = [month for month in billed if month not in kept]
    shares = shares_of(context, left) if left else None
    if shares and shares.known:
        for month in left:
            context.store.trace_shares.keep(month, shares.months[month], now)


def not_forecast(context: Context) -> str:
    """Why no function's traffic is known, as a sentence."""
    if not context.forecasting.enabled:
        return "How many traces each function records is not known: [forecast] enabled is false."
    return "No forecast says yet how many traces each function records."


def share_xray(billed: Sequence[MonthBilled], shares: Shares) -> XrayShares | None:
    """What was billed in these. None where no function's traffic is known, nor was, unless nothing was billed."""
    if not shares.known and any(bill.xray_usd for one in billed for bill in one.accounts):
        return None
    whole = Decimal(0)
    parts: dict[Key, Decimal] = {}
    attributed: dict[tuple[str, Team], Decimal] = {}
    for one in billed:
        weights = shares.months[one.spent.month].by_account
        for bill in one.accounts:
            whole += bill.xray_usd
            its = shared_out(bill.xray_usd, weights.get(bill.account, {})) or {Open.NO_TRAFFIC: bill.xray_usd}
            for key, usd in its.items():
                parts[key] = parts.get(key, Decimal(0)) + usd
                if not isinstance(key, Open):
                    its_own = (bill.account, key)
                    attributed[its_own] = attributed.get(its_own, Decimal(0)) + usd
    cents = in_cents(parts, whole)
    return XrayShares(
        {key: usd for key, usd in cents.items() if not isinstance(key, Open)},
        {key: cents.get(key, Decimal("0.00")) for key in Open},
        max((shares.months[one.spent.month].unweighed for one in billed), default=0),
        attributed,
    )


def drivers(context: Context, billed: MonthBilled, most: int) -> Drivers:
    """Of one month's bill so far: the teams and functions that cost most, `most` of each."""
    month = billed.spent.month
    shares = share_xray([billed], shares_of(context, [month]))
    if shares is None:
        return Drivers(open=billed.spent.xray_usd, why=not_forecast(context))
    ranked = sorted(shares.usd.items(), key=lambda pair: (-pair[1], str(pair[0] or "")))
    return Drivers(
        teams=tuple(Driver(team, usd) for team, usd in ranked[:most]),
        functions=_dearest(context, month, shares, most),
        others=sum((usd for _, usd in ranked[most:]), Decimal(0)),
        open=sum(shares.open.values(), Decimal(0)),
        why=shares.why,
    )


def _dearest(context: Context, month: date, shares: XrayShares, most: int) -> tuple[Driver, ...]:
    """In cents, and together never more than what teams are told: a function may be all that its team has."""
    since, until = _edges([month], context.clock())
    recorded = context.store.traces.of_functions(since, until, SPANS_A_TRACE.expected)
    whole: dict[tuple[str, Team], float] = {}
    for one in recorded:
        account = _account(one.arn)
        for team, traces in one.by_team.items():
            whole[account, team] = whole.get((account, team), 0.0) + traces
    a_trace = {its: shares.attributed.get(its, Decimal(0)) / Decimal(traces) for its, traces in whole.items()}

    def cost_of(one: FunctionTraces) -> Decimal:
        parts = (a_trace[_account(one.arn), team] * Decimal(traces) for team, traces in one.by_team.items())
        return sum(parts, Decimal(0))

    cost = ((cost_of(one), one) for one in recorded)
    dearest = nsmallest(most, cost, key=lambda pair: (-pair[0], pair[1].arn))
    left = sum(shares.usd.values(), Decimal(0))
    found = []
    for usd, one in dearest:
        of_team = shares.usd.get(one.team, Decimal(0))
        cents = usd.quantize(CENT, ROUND_HALF_UP)
        if of_team < cents <= of_team + CENT:  # rounded otherwise there; more than that it recorded for another team
            cents = of_team
        cents = min(cents, left)
        left -= cents
        found += [Driver(one.team, cents, one.arn)] if cents > 0 else []
    return tuple(found)


def _account(arn: str) -> str:
    return arn.split(":")[4]


def _of_month(traces: Traces, edges: Sequence[datetime], at: int) -> MonthShares:
    """Each account's, whose days before it was known are taken to have cost as much as the others."""
    since, until = edges[at], edges[at + 1]
    recorded: dict[str, dict[Key, float]] = {}
    for whose, number in traces.spans[at].items():
        recorded.setdefault(whose.account, {})[Open.DOUBT if whose.doubtful else whose.team] = number
    found: dict[str, dict[Key, float]] = {}
    for account, known_from in traces.known_from.items():
        before = min(max(known_from, since), until) - since
        unknown = before / (until - since) if until > since else 1.0
        its = recorded.get(account) or {Open.NO_TRAFFIC: 1.0}
        whole = sum(its.values())
        parts: dict[Key, float] = {Open.BEFORE: unknown}
        parts |= {key: (1 - unknown) * number / whole for key, number in its.items()}
        found[account] = {key: part for key, part in parts.items() if part > 0}
    return MonthShares(found, traces.unweighed)


def _tells(month: MonthShares) -> bool:
    return any(key not in (Open.BEFORE, Open.NO_TRAFFIC) for its in month.by_account.values() for key in its)


def _edges(months: Sequence[date], now: datetime) -> list[datetime]:
    """Where they begin, and where the last ends, or is now."""
    first, last = months[0], months[-1]
    firsts = [months_before(first, -ahead) for ahead in range(_months_between(first, last) + 2)]
    *begin, end = (datetime.combine(month, time(), UTC) for month in firsts)
    return [*begin, max(begin[-1], min(end, now))]


def _months_between(first: date, last: date) -> int:
    return 12 * (last.year - first.year) + last.month - first.month
