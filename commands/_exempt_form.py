"""What the form of an exemption says, what is wrong with it, and which functions a rule in it covers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from commands._exempted import matches
from commands._tickets import ticket_problem
from commands._types import Context, Request
from commands.views import exempt as views
from commands.views.exempt import TARGETS, UNTIL
from commands.views.form import REASON
from commands.views.standing import REASON_LIMIT
from commands.views.text import plain_day
from storage.models import ExemptScope, Function
from storage.tag_marks import markable

MOST_DAYS = 365
NOT_LOOKED_AT = "What this covers has not been looked at yet. Here it is: send it again if it is right."
CHANGED = "What matches has changed since you looked. This is what matches now: send it again if it is right."
_OF_NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_*?[]!")


def check(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is. What policy says besides, `grant` knows."""
    wrong = {}
    reason = fields.get(REASON, "").strip()
    if len(reason) < 3:
        wrong[REASON] = "Say why in a few words."
    elif len(reason) > REASON_LIMIT:
        wrong[REASON] = f"At most {REASON_LIMIT} characters."
    ticket = ticket_problem(fields.get(views.TICKET, ""))
    if ticket:
        wrong[views.TICKET] = ticket
    typed = Typed.read(fields)
    if typed.scope in TARGETS and (problem := target_problem(typed)):
        wrong[TARGETS[typed.scope]] = problem
    return wrong | check_until(fields, now, zone)


def check_until(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """The same of the last day alone."""
    today = now.astimezone(zone).date()
    latest = today + timedelta(days=MOST_DAYS)
    try:
        until = date.fromisoformat(fields.get(UNTIL, ""))
    except ValueError:
        return {UNTIL: "Choose the last day of the exemption."}
    if until <= today:
        return {UNTIL: "Choose a day after today."}
    if until > latest:
        return {UNTIL: f"One year at most: {plain_day(latest)} is the last day you can choose."}
    return {}


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the modal was last drawn for. It travels in the modal, where Slack shows it to nobody."""

    request: str
    seen: str = ""  # stands for exactly what the rule covered

    @classmethod
    def read(cls, metadata: str) -> "Drawn":
        try:
            row = json.loads(metadata)
        except ValueError:
            return cls(metadata)
        return cls(str(row.get("request")), str(row.get("seen"))) if isinstance(row, dict) else cls(metadata)

    def write(self) -> str:
        return json.dumps({"request": self.request, "seen": self.seen}) if self.seen else self.request


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    scope: ExemptScope = ExemptScope.FUNCTION
    target: str = ""
    everywhere: bool = False
    later: bool = False
    reason: str = ""
    ticket: str = ""
    until: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> "Typed":
        chosen = fields.get(views.SCOPE, "")
        scope = ExemptScope(chosen) if chosen in list(ExemptScope) else ExemptScope.FUNCTION
        return cls(
            scope,
            fields.get(TARGETS.get(scope, ""), "").strip(),
            bool(fields.get(views.EVERYWHERE)),
            bool(fields.get(views.LATER)),
            fields.get(REASON, "").strip(),
            fields.get(views.TICKET, "").strip(),
            fields.get(UNTIL, ""),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The untraced functions that a rule covers now."""

    functions: Sequence[Function] = ()
    others: int = 0  # of teams for which this person may not decide, or that were not asked for
    seen: str = ""


def find_covered(request: Request, context: Context, team: str | None, typed: Typed) -> Found:
    """A team's approver exempts that team's functions; who may approve for all, those of each team that they may."""
    matching = [one for one in context.store.functions.untraced() if matches(typed.scope, typed.target, one)]
    people, user, workspace = context.people, request.user, request.workspace
    allowed = {team}
    if typed.everywhere and people.may_approve(user, workspace, None).allowed:
        teams = {one.team for one in matching}
        allowed |= {one for one in teams if people.may_approve(user, workspace, one).allowed}
    mine = [one for one in matching if one.team in allowed]
    shown = [str(typed.scope), typed.target, str(typed.everywhere), *(one.arn for one in mine)]
    seen = hashlib.sha256("\n".join(shown).encode()).hexdigest()[:16]
    return Found(mine, len(matching) - len(mine), seen)


def not_as_shown(drawn: Drawn, typed: Typed, found: Found) -> str:
    """Why this is not what the person saw when they sent it; empty where it is."""
    if not drawn.seen:
        return NOT_LOOKED_AT
    if drawn.seen != found.seen:
        return CHANGED
    if not found.functions and not typed.later:
        return "No untraced function matches, so that there is nothing to exempt."
    return ""


def target_problem(typed: Typed) -> str:
    """Why no rule can go by that; empty where one can."""
    if typed.scope is ExemptScope.NAME:
        fits = 0 < len(typed.target) <= views.TARGET_LIMIT and set(typed.target) <= _OF_NAMES
        return "" if fits else "Write a name with * for any text, like ctl-*"
    key, equals, value = typed.target.partition("=")
    if not key.strip() or not equals or not value:
        return "Write it as key=value, like purpose=deployment"
    if not markable(typed.target):
        return "AWS's own tags, and tags with an address in them, cannot be used."
    return ""
