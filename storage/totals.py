"""What tracing many functions would cost together: of each team, and so that the teams' sums are the whole's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from storage.connection import Connection, Row, maybe_time, to_text
from storage.forecasts import Forecast, Range, Unit

# Recorded traces that AWS does not bill each month, once for all accounts of a payer (aws.amazon.com/xray/pricing).
FREE_TRACES = 100_000
NOTHING = Range(0.0, 0.0, 0.0)
ENDS = ("low", "expected", "high")


@dataclass(frozen=True, slots=True)
class Total:
    """Of several functions, in 30 days, as if each began its own traces: where they call each other, it is less."""

    functions: int = 0
    priced: int = 0  # of these, those with a forecast in dollars; of the others nothing is in the sums
    spiky_usd: float = 0.0  # of what is expected, the part of those that are invoked in bursts
    usd: Range = NOTHING  # before the free tier
    traces: Range = NOTHING  # that AWS bills as such, and not as spans
    traces_usd: Range = NOTHING  # the part of `usd` that is for these
    until: datetime | None = None  # the end of the oldest traffic that was looked at; None: of nothing

    @property
    def unknown(self) -> int:
        return self.functions - self.priced

    def __add__(self, other: "Total") -> "Total":
        known = [one.until for one in (self, other) if one.until]
        return Total(
            self.functions + other.functions,
            self.priced + other.priced,
            self.spiky_usd + other.spiky_usd,
            Range.sum((self.usd, other.usd)),
            Range.sum((self.traces, other.traces)),
            Range.sum((self.traces_usd, other.traces_usd)),
            min(known, default=None),
        )

    @classmethod
    def sum(cls, totals: "Iterable[Total]") -> "Total":
        return reduce(cls.__add__, totals, cls())

    @classmethod
    def of(cls, forecasts: Iterable[Forecast | None]) -> "Total":
        """One for each function; None where nothing is known."""
        return cls.sum(map(_one, forecasts))

    def after_free_tier(self, already: Range = NOTHING) -> Range:
        """`usd` of the whole organization, for the free tier belongs to none of its teams.

        `already`: traces a month that are recorded without these, and use it up first. Where Regions have different
        prices, it is taken off at their mean.
        """
        return Range(*(getattr(self.usd, end) - self._saved(end, getattr(already, end)) for end in ENDS))

    def _saved(self, end: str, already: float) -> float:
        """Dollars that the free tier saves."""
        traces, usd = getattr(self.traces, end), getattr(self.traces_usd, end)
        return usd * min(1.0, max(0.0, FREE_TRACES - already) / traces) if traces else 0.0


def _one(forecast: Forecast | None) -> Total:
    if forecast is None or forecast.usd is None:
        return Total(1)
    by_trace = forecast.unit is Unit.TRACES
    return Total(
        1,
        1,
        forecast.usd.expected if forecast.spiky else 0.0,
        forecast.usd,
        forecast.recorded if by_trace else NOTHING,
        forecast.usd if by_trace else NOTHING,
        forecast.until,
    )


class Totals:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def untraced(self, since: datetime) -> dict[str | None, Total]:
        """By team, of the untraced functions that AWS was asked about since then."""
        rows = self._db.rows(
            f"""
            select team, count(*) as functions, count(usd_expected) as priced,
                total(usd_expected) filter (where spiky) as spiky_usd,
                min(until) filter (where usd_expected is not null) as until,
                {_sums("usd", "usd", "1")}, {_sums("traces", "recorded", "unit = 'traces'")},
                {_sums("traces_usd", "usd", "unit = 'traces'")}
            from functions left join forecasts on forecasts.arn = functions.arn
            where gone_at is null and verdict = 'untraced' and seen_at >= ? group by team
            """,  # noqa: S608 - constants
            [to_text(since)],
        )
        return {row["team"]: _from_row(row) for row in rows}

    def recorded(self, since: datetime) -> Range:
        """Traces a month of the traced functions that AWS was asked about since then, as far as they are known."""
        row = self._db.row(
            """
            select total(recorded_low) as low, total(recorded_expected) as expected, total(recorded_high) as high
            from functions join forecasts on forecasts.arn = functions.arn
            where gone_at is null and verdict = 'traced' and seen_at >= ? and unit = 'traces'
            """,
            [to_text(since)],
        )
        return Range(**row) if row else NOTHING


def _sums(name: str, column: str, which: str) -> str:
    known = f"filter (where usd_expected is not null and {which})"
    return ", ".join(f"total({column}_{end}) {known} as {name}_{end}" for end in ENDS)


def _from_row(row: Row) -> Total:
    usd, traces, traces_usd = (
        Range(*(row[f"{name}_{end}"] for end in ENDS)) for name in ("usd", "traces", "traces_usd")
    )
    until = maybe_time(row["until"])
    return Total(row["functions"], row["priced"], row["spiky_usd"], usd, traces, traces_usd, until)
