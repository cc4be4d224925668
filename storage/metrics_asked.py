"""How many metrics CloudWatch was asked for on each day, and what for: what it bills is reckoned from that."""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

from storage.connection import Connection

KEPT = timedelta(days=100)


class Purpose(StrEnum):
    """What was asked for."""

    FORECASTS = "forecasts"
    FORECAST_CHECKS = "forecast_checks"
    GB_SECONDS = "gb_seconds"
    MAPS = "maps"


class MetricsAsked:
    """Days are UTC's."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def take(self, day: date, purpose: Purpose, wanted: int, most: int, most_of_it: int) -> int:
        """So many of them may be asked for, where a day has no more than `most` for all purposes and `most_of_it` for
        this one; they count from now on, whether or not they are answered. To be called before the request is sent."""
        with self._db.transaction():
            asked = self.on(day)
            given = max(0, min(wanted, most - sum(asked.values()), most_of_it - asked.get(purpose, 0)))
            if given:
                sql = """
                    insert into metrics_asked (day, purpose, metrics) values (:day, :purpose, :given)
                    on conflict (day, purpose) do update set metrics = metrics + :given
                """
                self._db.change(sql, {"day": day.isoformat(), "purpose": str(purpose), "given": given})
                self._db.change("delete from metrics_asked where day < ?", [(day - KEPT).isoformat()])
        return given

    def on(self, day: date) -> Mapping[Purpose, int]:
        """By purpose, those that were asked for at all."""
        told = self._db.tuples("select purpose, metrics from metrics_asked where day = ?", [day.isoformat()])
        return {Purpose(purpose): metrics for purpose, metrics in told}

    def between(self, first: date, last: date) -> int:
        """Of all purposes, both days included."""
        sql = "select total(metrics) as n from metrics_asked where day between ? and ?"
        row = self._db.row(sql, [first.isoformat(), last.isoformat()])
        return int(row["n"]) if row else 0
