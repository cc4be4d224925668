"""When the weekly report is posted, and where."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from commands._schedule import waits_until

PATIENCE = timedelta(hours=2)  # so long it waits for what its day has yet to read


@dataclass(frozen=True, slots=True)
class ReportRules:
    """[report] of lamplighter.toml."""

    weekly: int | None = 0  # the day of the week, Monday is 0; None: never
    at: time = time(10, 0)
    channel: str = ""  # "": the fallback channel

    def due(self, now: datetime) -> date | None:
        """The day whose report is to be posted by now; `now` is in the configured zone. A late start that day posts it
        all the same, the next day does not."""
        return now.date() if now.weekday() == self.weekly and now.time() >= self.at else None

    def may_wait(self, now: datetime) -> bool:
        """Whether what the day has yet to read is worth waiting for."""
        return now < waits_until(datetime.combine(now.date(), self.at, now.tzinfo), PATIENCE)
