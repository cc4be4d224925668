"""How it was on a day that is over, from memory alone: what `/trace-audit … on <date>` and the terminal share."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commands import _find
from commands._production import Production
from commands._types import Context, Say
from commands.views import as_of as view
from commands.views.text import clip, code
from storage.models import Audit, Coverage, Verdict
from storage.past import PastVerdict
from storage.store import Store

ON_A_DAY = re.compile(r"(?:(?P<what>.*\S)\s+)?on\s+(?P<day>\S+)", re.IGNORECASE)
UNOWNED = "unowned"


class NoSuchDay(Exception):
    """There is nothing to tell of it; the message says why, and what can be asked."""


@dataclass(frozen=True, slots=True)
class Then:
    """What was known at a day's end."""

    day: date
    at: datetime  # UTC, its last moment
    audit: Audit | None  # the newest of everything by then
    teams: dict[str | None, Coverage]
    production: dict[str | None, Coverage] | None  # of production functions only; None: all are in production
    not_known: int  # functions that were there, and of which nobody kept how they were


def look_back(store: Store, text: str, now: datetime, zone: ZoneInfo, production: Production) -> Then:
    """`text` is the day as somebody wrote it, on the clock of `zone`. Raises NoSuchDay."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NoSuchDay(f"{clip(text, 40)!r} is no date: write it like 2026-10-03.") from None
    today = now.astimezone(zone).date()
    if day >= today:
        why = "is not over yet" if day == today else "has not come yet"
        raise NoSuchDay(f"{day} {why}: leave the date out to see how it is now.")
    at = datetime.combine(day + timedelta(days=1), time.min, zone) - timedelta(microseconds=1)
    begins = store.past.begins()
    if begins is None:
        raise NoSuchDay("No audit was taken yet, so there is no history.")
    if at < begins:
        raise NoSuchDay(f"There is no history of {day}: the first audit was taken on {begins.astimezone(zone).date()}.")
    return Then(
        day,
        at,
        store.audits.latest(by=at),
        store.past.coverage_at(at),
        store.past.coverage_at(at, production) if production else None,
        store.past.not_known_at(at),
    )


def answer(text: str, context: Context) -> Say | None:
    """To what was typed after `/trace-audit`; None where no day in the past is asked for."""
    asked = ON_A_DAY.fullmatch(" ".join(text.replace("`", " ").split()))
    if asked is None or _find.team(context, _find.Wanted.read(text)):  # a team may be called "on call"
        return None
    try:
        then = look_back(context.store, asked["day"], context.clock(), context.zone, context.policy.production)
    except NoSuchDay as problem:
        return Say(view.refusal(str(problem)))
    return _answer(asked["what"] or "", then, context)


def _answer(what: str, then: Then, context: Context) -> Say:
    about = view.About(then.day, context.zone.key, then.audit, then.not_known, _recorded(context.store, then))
    if not what:
        made = view.everything_blocks(about, then.teams, then.production)
        return Say(view.everything_text(about, then.teams), tuple(made))
    team = None if what.lower() == UNOWNED else context.teams.named(what)
    if team is None or team in then.teams:
        return _team(team, then, about, context)
    wanted = _find.Wanted.read(what)
    found = _named(wanted, then, context.store)
    if not found or wanted.rest:
        return Say(
            f"Of a function or team {code(clip(what, _find.ECHO))}, nothing was known on {then.day}. "
            f"`/trace-audit on {then.day}` lists the teams of that day."
        )
    return Say(view.functions_text(about, found), tuple(view.functions_blocks(about, found)))


def _team(team: str | None, then: Then, about: view.About, context: Context) -> Say:
    counts = then.teams.get(team, Coverage())
    production = then.production.get(team, Coverage()) if then.production is not None else None
    dark = context.store.past.functions_at(then.at, Verdict.UNTRACED, [team or ""], size=view.MOST_ROWS)
    made = view.team_blocks(about, team, counts, production, dark)
    return Say(view.team_text(about, team, counts), tuple(made))


def _named(wanted: _find.Wanted, then: Then, store: Store) -> list[PastVerdict]:
    found = store.past.named_at(wanted.name, then.at)
    exact = [one for one in found if one.name == wanted.name]
    return [
        one for one in exact or found if wanted.account in (None, one.account) and wanted.region in (None, one.region)
    ]


def _recorded(store: Store, then: Then) -> Coverage | None:
    """What that day's audit counted itself; None where the history is whole without it."""
    if not then.not_known or then.audit is None:
        return None
    return Coverage.sum(store.audits.coverage(then.audit.id).values())
