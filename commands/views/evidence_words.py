"""Words of an evidence report: days, shares and names, plain and short."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from commands.views.text import HIDDEN
from storage.models import Coverage
from storage.proof import Measured

NO_TEAM = "(no known team)"
_MENTION = re.compile(r"<(?:@|#|!subteam\^)([A-Z0-9]+)(?:\|[^>]*)?>")


def plain(text: str) -> str:
    """What people or AWS wrote, on one line and without marks that turn it round."""
    return " ".join(HIDDEN.sub("", text).split())


def readable(text: str) -> str:
    """A sentence that was made for Slack, with ids for its mentions."""
    said = _MENTION.sub("\\1", text).replace("`", "").replace("*", "")
    return plain(said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def cut(text: str, limit: int) -> str:
    said = plain(text)
    return said if len(said) <= limit else said[: limit - 1].rstrip() + "…"


def some(names: Sequence[str], most: int) -> str:
    """ "U1, U2 and 3 more"."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"


def team_word(team: str | None, limit: int) -> str:
    return cut(team, limit) if team else NO_TEAM


def percent(coverage: Coverage | None) -> str:
    return "–" if coverage is None or coverage.percent is None else f"{coverage.percent:g} %"


def measured_words(one: Measured | None, zone: ZoneInfo) -> str:
    """A share with what it is of, and the day of the audit that counted it."""
    if one is None:
        return "not known"
    got = one.coverage
    whole = got.traced + got.untraced + got.exempt
    apart = f", {got.unknown:,} unknown" if got.unknown else ""
    day = f"{one.at.astimezone(zone):%Y-%m-%d}"
    return f"{percent(got)} ({got.traced:,} of {whole:,}; {got.exempt:,} exempt{apart}) on {day}"


def spans(days: Sequence[date], most: int) -> str:
    """ "2026-10-03 to 2026-10-05, 2026-10-09 and 4 more days"."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    said = [f"{first}" if first == last else f"{first} to {last}" for first, last in runs[:most]]
    left = sum((last - first).days + 1 for first, last in runs[most:])
    return ", ".join(said) + (f" and {left:,} more day{'s' if left > 1 else ''}" if left else "")


def people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"
