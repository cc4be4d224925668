"""Which day's daily job was begun and ended, so that a restart neither repeats nor forgets one."""

from datetime import date, datetime

from storage.connection import Connection, to_text


class DailyRuns:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def begin(self, day: date, now: datetime) -> bool:
        """True unless that day's run has ended. One that was begun and cut short may be begun again."""
        with self._db.transaction():
            self._db.change(
                "insert into daily_runs (day, started_at) values (?, ?) on conflict (day) do nothing",
                [day.isoformat(), to_text(now)],
            )
            return not self.ended(day)

    def end(self, day: date, now: datetime) -> None:
        self._db.change("update daily_runs set finished_at = ? where day = ?", [to_text(now), day.isoformat()])

    def ended(self, day: date) -> bool:
        sql = "select 1 from daily_runs where day = ? and finished_at is not null"
        return self._db.row(sql, [day.isoformat()]) is not None
