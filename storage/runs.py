"""Which day's run of a job was begun and ended, so that a restart neither repeats nor forgets one."""

from datetime import date, datetime

from storage.connection import Connection, maybe_time, to_text


class DailyRuns:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def begin(self, job: str, day: date, now: datetime) -> bool:
        """True unless that day's run has ended. One that was begun and cut short may be begun again."""
        with self._db.transaction():
            self._db.change(
                "insert into daily_runs (job, day, started_at) values (?, ?, ?) on conflict do nothing",
                [job, day.isoformat(), to_text(now)],
            )
            return not self.ended(job, day)

    def end(self, job: str, day: date, now: datetime) -> None:
        sql = "update daily_runs set finished_at = ? where job = ? and day = ?"
        self._db.change(sql, [to_text(now), job, day.isoformat()])

    def around(self, job: str, at: datetime) -> tuple[datetime | None, datetime | None]:
        """When the last run before then ended, and when the first that ended since then did."""
        sql = """
            select max(case when finished_at < :at then finished_at end) as before,
                   min(case when finished_at >= :at then finished_at end) as since
            from daily_runs where job = :job
        """
        row = self._db.row(sql, {"job": job, "at": to_text(at)}) or {"before": None, "since": None}
        return maybe_time(row["before"]), maybe_time(row["since"])

    def ended(self, job: str, day: date) -> bool:
        sql = "select 1 from daily_runs where job = ? and day = ? and finished_at is not null"
        return self._db.row(sql, [job, day.isoformat()]) is not None
