"""Forecasts held against what X-Ray saw: one for each function that was fixed, a week later."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from statistics import median

from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time
from storage.forecasts import Forecast, Range, Unit

LOOKED_AT = timedelta(days=7)
MONTH = timedelta(days=30)  # what a forecast is of
SETTLED = timedelta(hours=1)  # X-Ray and CloudWatch count the last hours of a day for a while after it


class CheckState(StrEnum):
    """Where a check stands; it moves once."""

    DUE = "due"
    SEEN = "seen"
    UNKNOWN = "unknown"  # for good; `why` says so


@dataclass(frozen=True, slots=True)
class ForecastCheck:
    """One fix: what was forecast of its function, and what was seen of it."""

    request_id: str
    function_arn: str
    fixed_at: datetime
    forecast: Range | None  # of `unit`, in 30 days; None: there was none when it was fixed
    unit: Unit
    since: datetime  # whole days, UTC
    until: datetime
    due_at: datetime
    state: CheckState = CheckState.DUE
    seen: float | None = None  # traces between `since` and `until`
    modelled: float | None = None  # what Lambda's sampling makes of the invocations that there were
    why: str = ""  # why it is not known, or not yet
    closed_at: datetime | None = None

    @property
    def promised(self) -> Range | None:
        """The forecast of as long as was looked at."""
        return self.forecast.times((self.until - self.since) / MONTH) if self.forecast else None

    @property
    def error(self) -> float | None:
        """By what share more was seen than expected, or less (negative); None where that is not known."""
        promised = self.promised
        if self.seen is None or promised is None or not promised.expected:
            return None
        return self.seen / promised.expected - 1

    @property
    def within(self) -> bool | None:
        """Whether what was seen lay between low and high."""
        promised = self.promised
        if self.seen is None or promised is None:
            return None
        return promised.low <= self.seen <= promised.high

    @property
    def of_model(self) -> float | None:
        """What was seen, as a share of what the same reckoning makes of the actual invocations: what is left of the
        error when the traffic was another than before."""
        return self.seen / self.modelled if self.seen is not None and self.modelled else None


@dataclass(frozen=True, slots=True)
class ForecastErrors:
    """How well forecasts did, in a window."""

    n: int = 0  # checked, with a forecast to check
    within: int = 0  # of these, in their range
    median_error: float | None = None  # of `ForecastCheck.error`
    median_model: float | None = None  # of `ForecastCheck.of_model`
    worst: tuple[ForecastCheck, ...] = ()
    pending: int = 0  # whose week is not over, or that could not be looked at yet
    unknown: int = 0
    why: str = ""  # of one that is unknown, or that should be known by now


class ForecastChecks:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def plan(self, request_id: str, function_arn: str, fixed_at: datetime, forecast: Forecast | None) -> None:
        """To be held against X-Ray after a week of whole days. Once for a request, however often its end is kept."""
        since = (fixed_at.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        known = forecast.recorded if forecast else None
        row = {
            "request_id": request_id,
            "arn": function_arn,
            "fixed_at": to_text(fixed_at),
            "unit": str(forecast.unit if forecast else Unit.TRACES),
            "low": known.low if known else None,
            "expected": known.expected if known else None,
            "high": known.high if known else None,
            "since": to_text(since),
            "until": to_text(since + LOOKED_AT),
            "due_at": to_text(since + LOOKED_AT + SETTLED),
        }
        marks = ", ".join(f":{name}" for name in row)
        self._db.change(f"insert or ignore into forecast_checks ({', '.join(row)}) values ({marks})", row)  # noqa: S608 - ours

    def due(self, now: datetime) -> list[ForecastCheck]:
        """The oldest first."""
        return self._list("state = 'due' and due_at <= ?", [to_text(now)], "order by due_at, arn")

    def keep_seen(self, check: ForecastCheck, seen: float, modelled: float, now: datetime) -> None:
        self._db.change(
            """
            update forecast_checks set state = 'seen', seen = ?, modelled = ?, why = '', closed_at = ?
            where request_id = ? and state = 'due'
            """,
            [seen, modelled, to_text(now), check.request_id],
        )

    def keep_unknown(self, check: ForecastCheck, why: str, now: datetime) -> None:
        """For good."""
        self._db.change(
            """
            update forecast_checks set state = 'unknown', why = ?, closed_at = ?
            where request_id = ? and state = 'due'
            """,
            [why, to_text(now), check.request_id],
        )

    def put_off(self, checks: Iterable[ForecastCheck], why: str) -> None:
        """Until it can be looked at; why not yet."""
        ids = to_json([one.request_id for one in checks])
        waits = "state = 'due' and request_id in (select value from json_each(?))"
        self._db.change(f"update forecast_checks set why = ? where {waits}", [why, ids])  # noqa: S608 - a constant

    def newest(self, function_arn: str) -> ForecastCheck | None:
        """Of a function, that which was closed last."""
        found = self._list("arn = ? and closed_at is not null", [function_arn], "order by closed_at desc limit 1")
        return next(iter(found), None)

    def closed(self, since: datetime, until: datetime, team: str | None = None) -> list[ForecastCheck]:
        """In these days; of one team's functions as they are now, or (None) of all."""
        where = "closed_at >= :since and closed_at < :until and (:team is null or team = :team)"
        return self._list(where, {"since": to_text(since), "until": to_text(until), "team": team}, "order by arn")

    def waiting(self, team: str | None = None) -> list[ForecastCheck]:
        """Those that are not closed."""
        return self._list("state = 'due' and (:team is null or team = :team)", {"team": team}, "order by due_at, arn")

    def seen_since(self, since: datetime) -> list[ForecastCheck]:
        """Those that X-Ray told of."""
        return self._list("state = 'seen' and closed_at >= ?", [to_text(since)], "order by arn")

    def _list(self, where: str, parameters: Sequence[object] | dict[str, object], order: str) -> list[ForecastCheck]:
        sql = f"""
            select forecast_checks.* from forecast_checks left join functions using (arn) where {where} {order}
        """  # noqa: S608 - ours
        return [_from_row(row) for row in self._db.rows(sql, parameters)]


def _from_row(row: Row) -> ForecastCheck:
    known = row["expected"] is not None
    return ForecastCheck(
        request_id=row["request_id"],
        function_arn=row["arn"],
        fixed_at=to_time(row["fixed_at"]),
        forecast=Range(row["low"], row["expected"], row["high"]) if known else None,
        unit=Unit(row["unit"]),
        since=to_time(row["since"]),
        until=to_time(row["until"]),
        due_at=to_time(row["due_at"]),
        state=CheckState(row["state"]),
        seen=row["seen"],
        modelled=row["modelled"],
        why=row["why"],
        closed_at=maybe_time(row["closed_at"]),
    )


def median_of(numbers: Collection[float]) -> float | None:
    """None of none."""
    return median(numbers) if numbers else None
