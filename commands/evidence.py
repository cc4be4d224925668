"""`/trace-report evidence <from> <to> [team]` for approvers, and its button, which posts the page as a file."""

import re

from commands._evidence import NoEvidence, make_evidence, read_days
from commands._evidence_posts import FORGOTTEN, post_evidence
from commands._reports import UnknownTeam, known_teams, team_of
from commands._types import Answer, Context, Progress, Request, Say
from commands.views import evidence as view
from commands.views.evidence_blocks import SHARE, evidence_blocks
from commands.views.text import channel, escape, prose
from storage.proof import Range

__all__ = ["SHARE", "asks_for_it", "evidence", "share"]

WORD = "evidence"
USAGE = (
    "Write the first and the last day, as in `/trace-report evidence 2026-07-01 2026-09-30`, and a team if you like."
)
_LIKE_A_DAY = re.compile(r"\d[\d./-]*")


def asks_for_it(text: str, context: Context) -> bool:
    """A team may be called so: then it takes a day to tell the two apart."""
    first, _, rest = text.strip().partition(" ")
    if first.lower() != WORD:
        return False
    return bool(_LIKE_A_DAY.match(rest.strip())) or context.teams.named(WORD) not in known_teams(context)


def evidence(request: Request, context: Context) -> Answer:
    """Seen by whoever asked alone; from memory."""
    words = request.text.split()[1:]
    if len(words) < 2:
        yield Say(USAGE)
        return
    team = team_of(context, " ".join(words[2:])) if words[2:] else None
    if isinstance(team, UnknownTeam):
        yield Say(team.text)
        return
    permission = context.people.may_approve(request.user, request.workspace, team)
    if not permission.allowed:
        yield Say(f"Evidence is for approvers. {permission.why}")
        return
    days = _days(words[0], words[1], context)
    if isinstance(days, Say):
        yield days
        return
    yield Progress(f"Looking through the decisions from {days.since} to {days.until}…")
    made = make_evidence(context, days, team)
    report = context.store.evidence.ask(request.user, days.since, days.until, team, context.clock())
    yield Say(escape(view.summary(made)), tuple(evidence_blocks(made, report)))


def share(request: Request, context: Context) -> Answer:
    """Answer *Post the page here*: one HTML file in the channel, made when it is sent."""
    asked = context.store.evidence.asked(request.value)
    if asked is None:
        yield Say(FORGOTTEN)
        return
    permission = context.people.may_approve(request.user, request.workspace, asked.team)
    if not permission.allowed:
        yield Say(f"Evidence is for approvers. {permission.why}")
        return
    if request.channel.startswith("D"):
        yield Say("A file is posted in a channel, and this is a direct message. Ask again in a channel.")
        return
    if not post_evidence(context, asked, request.user, request.channel):
        yield Say("This page was posted here already.")
        return
    fallback = channel(context.teams.fallback_channel)
    yield Say(f"Posting it here. Where I am no member of this channel, it goes to {fallback}.")


def _days(since: str, until: str, context: Context) -> Range | Say:
    try:
        return read_days(since, until, context)
    except NoEvidence as problem:
        return Say(f"{prose(str(problem))} {USAGE}")
