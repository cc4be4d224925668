"""What drives the cost of tracing: the functions that send traces, by what their forecasts say. Read, never written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import nsmallest

from storage.connection import Connection, maybe_time


@dataclass(frozen=True, slots=True)
class Driver:
    """A function, or all of a team's; US dollars in 30 days, before any free tier."""

    team: str | None
    usd: Decimal
    function_arn: str = ""  # "": the team's functions together
    functions: int = 1


@dataclass(frozen=True, slots=True)
class Drivers:
    """Those that cost most, first."""

    teams: tuple[Driver, ...]
    functions: tuple[Driver, ...]
    known: int  # functions that send traces and whose cost is estimated
    unknown: int  # functions that send traces, and of whose traffic or price nothing is known
    oldest: datetime | None  # when the oldest of the estimates was made; None: there is none


_SENDING = "functions.gone_at is null and functions.mode = 'Active' and coalesce(functions.role_may_write, '') <> 'no'"
_CENTS = Decimal("0.01")
_Row = tuple[str, str | None, float, str]


class SpendDrivers:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def find(self, most: int) -> Drivers:
        """`most` teams and functions at most."""
        estimates: Iterable[_Row] = self._db.tuples(
            f"""
            select functions.arn, team, usd_expected, asked_at
            from forecasts join functions on functions.arn = forecasts.arn
            where {_SENDING} and usd_expected is not null
            """  # noqa: S608 - a constant
        )
        known = list(estimates)
        counted = self._db.row(f"select count(*) as number from functions where {_SENDING}")  # noqa: S608 - a constant
        teams: dict[str | None, tuple[float, int]] = {}
        for _, team, usd, _ in known:
            so_far, functions = teams.get(team, (0.0, 0))
            teams[team] = (so_far + usd, functions + 1)
        dearest = nsmallest(most, known, key=lambda row: (-row[2], row[0]))
        ranked = nsmallest(most, teams.items(), key=lambda pair: (-pair[1][0], str(pair[0] or "")))
        return Drivers(
            teams=tuple(Driver(team, _usd(usd), functions=number) for team, (usd, number) in ranked),
            functions=tuple(Driver(team, _usd(usd), arn) for arn, team, usd, _ in dearest),
            known=len(known),
            unknown=(counted["number"] if counted else 0) - len(known),
            oldest=maybe_time(min((row[3] for row in known), default=None)),
        )


def _usd(estimate: float) -> Decimal:
    """An estimate has no more than cents."""
    return Decimal(str(estimate)).quantize(_CENTS)
