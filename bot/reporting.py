"""[report] of lamplighter.toml: when and where the weekly report is posted."""

from datetime import time
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from bot.values import HINT, ChannelRef, TimeOfDay, says

if TYPE_CHECKING:
    from commands._report_rules import ReportRules

_DAYS = 'should be "mon", "tue", "wed", "thu", "fri", "sat", "sun" or "never"'
Weekday = Annotated[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "never"], Meta(extra={HINT: _DAYS})]


class ReportSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weekly: Annotated[Weekday, says('the day of the weekly report of all teams; "never": none', "mon")] = "mon"
    at: Annotated[TimeOfDay, says("in the time zone of [schedule]", "10:00")] = "10:00"
    channel: Annotated[ChannelRef | None, says("absent: the fallback channel", "#cloud-costs")] = None


def report_rules(section: ReportSection) -> "ReportRules":
    from commands._report_rules import ReportRules  # an audit in a terminal posts none
    from commands._schedule import WEEKDAYS

    weekly = None if section.weekly == "never" else WEEKDAYS.index(section.weekly)
    return ReportRules(weekly, time.fromisoformat(section.at), section.channel or "")
