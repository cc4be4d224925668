"""What tracing may cost, when somebody is told, and how often AWS is asked what it did cost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True, slots=True)
class SpendRules:
    """[spend] of lamplighter.toml."""

    enabled: bool = True  # False: Cost Explorer is never asked
    max_requests_per_day: int = 5  # of a UTC day; each costs a cent


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """[budget] of lamplighter.toml."""

    monthly_usd: "Decimal | None" = None  # None: there is no budget, and nobody is told
    thresholds_actual: tuple[int, ...] = (80, 100)  # percent of the budget
    thresholds_forecast: tuple[int, ...] = (100,)
    channel: str = ""  # "": the fallback channel
