"""[spend] and [budget] of lamplighter.toml: whether AWS is asked what tracing cost, and who is told of how much."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from bot.values import ChannelRef, says

if TYPE_CHECKING:
    from commands._budget_rules import BudgetRules, SpendRules

Requests = Annotated[int, Meta(ge=1, le=1000)]
Dollars = Annotated[float, Meta(ge=0.01, le=10_000_000)]
Percent = Annotated[int, Meta(ge=1, le=1000)]
Thresholds = list[Percent]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of lamplighter.toml; every key is optional."""


class SpendSection(Part, frozen=True):
    enabled: Annotated[
        bool, says("once a day, after the audit, Cost Explorer is asked what tracing cost; false: never", True)
    ] = True
    max_requests_per_day: Annotated[
        Requests,
        says("of a UTC day, each $0.01; two are the rule, three once a week, more where pages are many", 5),
    ] = 5


class BudgetSection(Part, frozen=True):
    monthly_usd: Annotated[Dollars | None, says("in US dollars; absent: no budget", 200)] = None
    thresholds_actual: Annotated[
        Thresholds, says("percent of it, each told once a month: of what it has cost …", [80, 100])
    ] = msgspec.field(default_factory=lambda: [80, 100])
    thresholds_forecast: Annotated[Thresholds, says("… and of what it is going to", [100])] = msgspec.field(
        default_factory=lambda: [100]
    )
    channel: Annotated[ChannelRef | None, says("absent: the fallback channel", "#finops")] = None


def spend_rules(section: SpendSection) -> "SpendRules":
    from commands._budget_rules import SpendRules  # an audit in a terminal asks for no bill

    return SpendRules(section.enabled, section.max_requests_per_day)


def budget_rules(section: BudgetSection) -> "BudgetRules":
    from decimal import Decimal

    from commands._budget_rules import BudgetRules

    return BudgetRules(
        monthly_usd=None if section.monthly_usd is None else Decimal(str(section.monthly_usd)),
        thresholds_actual=tuple(sorted(set(section.thresholds_actual))),
        thresholds_forecast=tuple(sorted(set(section.thresholds_forecast))),
        channel=section.channel or "",
    )


def budget_contradictions(spend: SpendSection, budget: BudgetSection) -> Iterator[str]:
    """A budget that nothing can be held against."""
    if budget.monthly_usd is not None and not spend.enabled:
        yield (
            "[budget] monthly_usd: nobody asks what X-Ray costs while [spend] says enabled = false. "
            "Take either line away."
        )
