"""What tracing each function would bring and cost, as it was last worked out from its traffic."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.connection import Connection, Row, to_json, to_text, to_time


class Unit(StrEnum):
    """What AWS bills where the function runs."""

    TRACES = "traces"
    SPANS = "spans"  # with CloudWatch Transaction Search: by the GB


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity that is not known exactly: `high` and `low` hold for any spread of the invocations within a bin."""

    low: float
    expected: float
    high: float

    def times(self, factor: float) -> "Range":
        return Range(self.low * factor, self.expected * factor, self.high * factor)

    @classmethod
    def sum(cls, ranges: "Iterable[Range]") -> "Range":
        """Of all of these together, as if each were at its end at once."""
        all_of = tuple(ranges)
        return cls(*(sum(getattr(one, end) for one in all_of) for end in ("low", "expected", "high")))


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of one function: 30 days of it, if its traffic stays as it was from `since` until `until`."""

    function_arn: str
    asked_at: datetime  # UTC, when CloudWatch was
    since: datetime  # UTC, of the traffic that was looked at
    until: datetime
    period: int  # seconds of the finest bins that were looked at
    invocations: int  # between the two
    recorded: Range  # of `unit`, in 30 days
    unit: Unit = Unit.TRACES
    gigabytes: Range | None = None  # of spans, in 30 days
    usd: Range | None = None  # in 30 days, before any free tier; None: no price is known
    price: str = ""  # what the price is and where it comes from, as a phrase for people
    spiky: bool = False  # its invocations come in bursts, so that `expected` is likely too high
    busy: bool = False  # so much of it that it is worth to sample before it
    scaled: float = 1.0  # by what earlier forecasts missed, where that was asked for

    @property
    def days(self) -> float:
        """Of traffic that was looked at."""
        return (self.until - self.since).total_seconds() / 86400

    @property
    def per_day(self) -> float:
        """Invocations, so that forecasts of different windows compare."""
        return self.invocations / self.days if self.days > 0 else 0.0

    def to_row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {name: getattr(self, name).isoformat() for name in _TIMES}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Forecast":
        times = {name: datetime.fromisoformat(row[name]) for name in _TIMES}
        ranges = {name: Range(**row[name]) if row[name] else None for name in _RANGES}
        return cls(**{**row, **times, **ranges, "unit": Unit(row["unit"])})


class Forecasts:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def save(self, forecasts: Iterable[Forecast]) -> None:
        """In place of what was known of each."""
        columns = ", ".join(_COLUMNS)
        marks = ", ".join(f":{column}" for column in _COLUMNS)
        sql = f"insert or replace into forecasts ({columns}) values ({marks})"  # noqa: S608 - the names are ours
        self._db.change_many(sql, (_to_row(one) for one in forecasts))

    def get(self, function_arn: str) -> Forecast | None:
        """None for one whose traffic was never looked at."""
        return self.of([function_arn]).get(function_arn)

    def of(self, arns: Collection[str]) -> Mapping[str, Forecast]:
        """By ARN, those that there are."""
        sql = "select * from forecasts where arn in (select value from json_each(?))"
        return {row["arn"]: _from_row(row) for row in self._db.rows(sql, [to_json(list(arns))])}

    def due(self, before: datetime, now: datetime) -> list[str]:
        """ARNs of functions whose traffic was never looked at, or before then; untraced ones first, then the oldest.

        One that was looked at after `now` was so by a clock that has been set back since. Where X-Ray does not apply,
        nobody asks. Those that CloudWatch would not tell of come last, so that no others wait for them each day.
        """
        sql = """
            select functions.arn from functions left join forecasts on forecasts.arn = functions.arn
            where gone_at is null and verdict <> 'not_applicable'
                and (asked_at is null or asked_at < :before or asked_at > :now)
            order by exists (
                    select 1 from forecast_refusals
                    where forecast_refusals.account = functions.account and forecast_refusals.region = functions.region
                ), verdict <> 'untraced', asked_at is not null, asked_at, functions.arn
        """
        return [row["arn"] for row in self._db.rows(sql, {"before": to_text(before), "now": to_text(now)})]

    def refused(self, account: str, region: str, at: datetime) -> None:
        """CloudWatch would not tell of the functions there."""
        sql = "insert or replace into forecast_refusals (account, region, at) values (?, ?, ?)"
        self._db.change(sql, [account, region, to_text(at)])

    def told(self, account: str, region: str) -> None:
        """It does."""
        self._db.change("delete from forecast_refusals where account = ? and region = ?", [account, region])

    def kept(self) -> int:
        """How many there are of functions that exist."""
        sql = "select count(*) as number from forecasts join functions using (arn) where gone_at is null"
        row = self._db.row(sql)
        return int(row["number"]) if row else 0

    def drop_gone(self, before: datetime) -> int:
        """Forget those of functions that went before then; how many that were. By the others it is told what they
        recorded while they were there."""
        sql = "delete from forecasts where arn not in (select arn from functions where coalesce(gone_at, ?) >= ?)"
        return self._db.change(sql, [to_text(before), to_text(before)])


_TIMES = ("asked_at", "since", "until")
_RANGES = ("recorded", "gigabytes", "usd")
_COLUMNS = (
    "arn", "asked_at", "since", "until", "period", "invocations", "unit", "price", "spiky", "busy", "scaled",
    *(f"{name}_{end}" for name in _RANGES for end in ("low", "expected", "high")),
)  # fmt: skip


def _to_row(one: Forecast) -> Row:
    row: Row = {
        "arn": one.function_arn,
        "asked_at": to_text(one.asked_at),
        "since": to_text(one.since),
        "until": to_text(one.until),
        "period": one.period,
        "invocations": one.invocations,
        "unit": str(one.unit),
        "price": one.price,
        "spiky": int(one.spiky),
        "busy": int(one.busy),
        "scaled": one.scaled,
    }
    for name in _RANGES:
        kept: Range | None = getattr(one, name)
        for end in ("low", "expected", "high"):
            row[f"{name}_{end}"] = getattr(kept, end) if kept else None
    return row


def _from_row(row: Row) -> Forecast:
    ranges = {name: _range(row, name) for name in _RANGES}
    return Forecast(
        function_arn=row["arn"],
        asked_at=to_time(row["asked_at"]),
        since=to_time(row["since"]),
        until=to_time(row["until"]),
        period=row["period"],
        invocations=row["invocations"],
        recorded=ranges["recorded"] or Range(0, 0, 0),
        unit=Unit(row["unit"]),
        gigabytes=ranges["gigabytes"],
        usd=ranges["usd"],
        price=row["price"],
        spiky=bool(row["spiky"]),
        busy=bool(row["busy"]),
        scaled=row["scaled"],
    )


def _range(row: Row, name: str) -> Range | None:
    if row[f"{name}_expected"] is None:
        return None
    return Range(row[f"{name}_low"], row[f"{name}_expected"], row[f"{name}_high"])
