"""What AWS billed, shared out to teams: X-Ray by the traces of their functions, Lambda by GB-seconds.

Each account's bill is shared out within that account. What nobody's share of X-Ray can be told of is left open; of
Lambda it stands with no known team.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

from commands._shares import in_cents, shared_out, to_cents
from commands._types import Context
from commands._xray_shares import not_forecast, share_xray, shares_of
from commands.views.amounts import dollars
from commands.views.text import count
from storage.kpis import Attribution, Spent, Window
from storage.spend import MonthBilled

Team = str | None
Used = Mapping[str, Mapping[date, Mapping[Team, float]]]  # GB-seconds by account, month and team

_BY = "GB-seconds (CloudWatch's Duration times memory size)"


@dataclass(frozen=True, slots=True)
class Money:
    """By team, None for functions of no known team; with what is open, the parts add up to `spent`, to the cent."""

    spent: tuple[Spent, ...]  # the months that the window touches, whole
    traces: Mapping[Team, float]  # in 30 days, of functions that are traced now
    xray_usd: Mapping[Team, Decimal] | None
    open_usd: Decimal | None  # of X-Ray's cost, what no team's share can be told of
    lambda_usd: Mapping[Team, Decimal] | None
    attribution: Attribution | None
    unknown: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Shared:
    """What was shared out so far."""

    whole: Decimal = Decimal(0)
    parts: dict[Team, Decimal] = field(default_factory=dict)
    open: Decimal = Decimal(0)  # of accounts of which nothing tells whose it is

    def add(self, usd: Decimal, weights: Mapping[Team, float]) -> None:
        shares = shared_out(usd, weights)
        if shares is None:
            self.open += usd
            shares = {None: usd}
        self.whole += usd
        for team, share in shares.items():
            self.parts[team] = self.parts.get(team, Decimal(0)) + share

    @property
    def in_cents(self) -> dict[Team, Decimal]:
        return in_cents(self.parts, self.whole)


def money(context: Context, window: Window) -> Money:
    """From what was kept of bills, traffic and use; asks nobody."""
    store = context.store
    known = store.spend.billed(window.since.astimezone(UTC).date())
    billed = [one for one in known if datetime.combine(one.spent.month, time(), UTC) < window.until]
    spent = tuple(one.spent for one in billed)
    used = store.usage.by_account()
    shares = shares_of(context, [one.month for one in spent])
    unknown: dict[str, str] = {}
    xray = share_xray(billed, shares) if billed else None
    if not billed:
        unknown["spent"] = _not_billed(context)
    if xray is None:
        unknown["xray_usd"] = unknown.get("spent") or not_forecast(context)
    elif not xray.usd and any(
        xray.open.values()
    ):  # nothing is known to be any team's, which is not to be told as nothing
        unknown["xray_usd"], xray = xray.why, None
    elif xray.why:
        unknown["xray_by_team"] = xray.why
    of_lambda = _share_lambda(context, billed, used, unknown)
    return Money(
        spent,
        shares.now,
        xray.usd if xray else None,
        sum(xray.open.values(), Decimal(0)) if xray else None,
        of_lambda.in_cents if of_lambda else None,
        _attribution(context, spent, of_lambda, used, window, unknown),
        unknown,
    )


def _share_lambda(
    context: Context, billed: Sequence[MonthBilled], used: Used, unknown: dict[str, str]
) -> _Shared | None:
    if not billed or not used:
        unknown["lambda_usd"] = unknown.get("spent") or _not_measured(context)
        return None
    shared = _Shared()
    for month in billed:
        for one in month.accounts:
            shared.add(one.lambda_usd, _nearest(used.get(one.account, {}), month.spent.month))
    if to_cents(shared.open):
        unknown["lambda_by_team"] = (
            f"{dollars(shared.open)} of Lambda, in accounts whose GB-seconds are not known, "
            "stand with functions of no known team."
        )
    return shared


def _attribution(
    context: Context,
    spent: Iterable[Spent],
    shared: _Shared | None,
    used: Used,
    window: Window,
    unknown: dict[str, str],
) -> Attribution | None:
    if shared and shared.whole > 0:
        of = f"what Lambda cost in {_named([one.month for one in spent])}"
        how = f"{of}, shared out within each account by {_BY} of the same month, or of the nearest that is known"
        how += _measured(context)
        if to_cents(shared.open):
            how += f"; {dollars(shared.open)} of accounts whose GB-seconds are not known count as of no known team"
        return Attribution(_known(shared.parts), how)
    if not used:
        unknown["attribution"] = _not_measured(context)
        return None
    first, end = (at.astimezone(UTC).date() for at in (window.since, window.until))
    months = sorted({month for of_account in used.values() for month in of_account if month < end})
    within = [one for one in months if one >= first.replace(day=1)] or months[-1:]
    gb_seconds = _by_team(of_account.get(month, {}) for of_account in used.values() for month in within)
    total_used = sum(gb_seconds.values())
    if not total_used:
        unknown["attribution"] = "No function ran in the months that are known."
        return None
    why = "Lambda cost nothing in these months" if shared else "what Lambda cost is not known"
    how = f"{_BY} of {_named(within)} alone, since {why}{_measured(context)}"
    return Attribution(1 - gb_seconds.get(None, 0.0) / total_used, how)


def _nearest(by_month: Mapping[date, Mapping[Team, float]], month: date) -> Mapping[Team, float]:
    """What was used in that month, else in the one nearest to it in which anything was."""
    ran = [one for one, by_team in by_month.items() if any(by_team.values())]
    return by_month[min(ran, key=lambda one: (abs(one - month), one))] if ran else {}


def _by_team(parts: Iterable[Mapping[Team, float]]) -> dict[Team, float]:
    found: dict[Team, float] = {}
    for part in parts:
        for team, number in part.items():
            found[team] = found.get(team, 0.0) + number
    return found


def _not_billed(context: Context) -> str:
    if not context.spending.enabled:
        return "Cost Explorer is never asked: [spend] enabled is false."
    last = context.store.spend.last_asked()
    if last is None:
        return "Cost Explorer was not asked yet."
    return last.problem or "Cost Explorer knows nothing of these months."


def _not_measured(context: Context) -> str:
    if not context.forecasting.enabled:
        return "CloudWatch is not asked how long functions ran: [forecast] enabled is false."
    problem = next((look.problem for look in context.store.usage.looks() if look.problem), "")
    return problem or "CloudWatch was not asked yet how long functions ran."


def _known(parts: Mapping[Team, Decimal]) -> float:
    """The share with a known team, of what cost anything: what was less than nothing is no part of a whole."""
    whole = sum((usd for usd in parts.values() if usd > 0), Decimal(0))
    return float(1 - max(Decimal(0), parts.get(None, Decimal(0))) / whole)


def _measured(context: Context) -> str:
    """Of how many functions GB-seconds are known, as the rest of a phrase; "": of all."""
    looks = context.store.usage.looks()
    functions, known = sum(look.functions for look in looks), sum(look.known for look in looks)
    return "" if known == functions else f"; GB-seconds are known of {known:,} of {count(functions, 'function')}"


def _named(months: list[date]) -> str:
    """October and November 2026; October 2025 to November 2026."""
    first, last = months[0], months[-1]
    if first == last:
        return f"{first:%B %Y}"
    joined = "and" if len(months) == 2 else "to"
    return f"{first:%B %Y} {joined} {last:%B %Y}"
