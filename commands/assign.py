"""*Assign owner…*: an approver's word for what no tag gives to a team, and its end."""

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from commands import _decide
from commands._owners import rearrange
from commands._refused import OWNERS, Thing, keep, of_assignment
from commands._types import Answer, Context, OpenForm, Permission, Request, Say
from commands.owners import turn
from commands.views import assign as form
from commands.views.assign import PATTERN, TEAM, Preview
from commands.views.form import result_view
from commands.views.text import clip, code, count
from storage.models import DecisionKind
from storage.owners import Assignment

NEAREST = 3
MOST_KEPT = 300  # functions that are named in a decision's row
ENDED_BEFORE = "This assignment has ended already."


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the form was last drawn for. It travels in the form, where Slack shows it to nobody."""

    pattern: str = ""
    team: str = ""
    seen: str = ""

    @classmethod
    def read(cls, metadata: str) -> "_Drawn":
        return cls(**json.loads(metadata))

    def write(self) -> str:
        return json.dumps({"pattern": self.pattern, "team": self.team, "seen": self.seen}, ensure_ascii=False)


def open_form(request: Request, context: Context) -> Answer:
    """Answer *Assign owner…*."""
    yield OpenForm(form.loading())
    permission = _may(request, context, OWNERS)
    yield OpenForm(result_view(form.TITLE, permission.why)) if not permission.allowed else _form(context, "", "")


def look_again(request: Request, context: Context) -> Answer:
    """A field was changed: draw what matches now."""
    permission = _may(request, context, OWNERS)
    if not permission.allowed:
        yield OpenForm(result_view(form.TITLE, permission.why))
        return
    yield _form(context, *_typed(context, request.fields))


def check(fields: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is."""
    wrong = {}
    if not fields.get(PATTERN, "").strip():
        wrong[PATTERN] = "Say which functions: a name, with * for any text."
    team = fields.get(TEAM, "")
    if not team.replace("_", " ").strip():
        wrong[TEAM] = "Say which team."
    elif "@" in team:
        wrong[TEAM] = "Name a team, not a person's address."
    return wrong


def submit(request: Request, context: Context) -> Answer:
    """Record the assignment that the form asks for, if what it comes to was seen."""
    permission = _may(request, context, OWNERS)
    if not permission.allowed:
        yield Say(f"Nothing was assigned: {permission.why}")
        return
    pattern, team = _typed(context, request.fields)
    with context.store.transaction():
        said = _assigned(request, context, pattern, team, permission.why)
    yield said


def _may(request: Request, context: Context, thing: Thing) -> Permission:
    """Whoever may approve for functions of no team. Who may not and tries is kept in the history."""
    permission = context.people.may_approve(request.user, request.workspace, None)
    if not permission.allowed:
        keep(request, context, thing, permission.why)
    return permission


def _assigned(request: Request, context: Context, pattern: str, team: str, allowed_by: str) -> OpenForm | Say:
    """Looks at what matches once more, now that nothing else can change what is remembered."""
    preview = _preview(context, pattern, team)
    if _seen(preview) != _Drawn.read(request.value).seen:
        return _form(context, pattern, team, "This is what it comes to now. Look at it, then send it again.")
    if not preview.goes:
        return _form(context, pattern, team, "Nothing was assigned: no function that matches is without a team's tag.")
    made = context.store.owners.assign(pattern, team, request.user, context.clock())
    moved = [one.arn for one in rearrange(context, made)]
    before, after = _teams(one.team for one in preview.goes), team
    detail = {"matched": len(preview.goes) + sum(preview.keeps.values()), "allowed_by": allowed_by}
    _record(request, context, DecisionKind.OWNER_ASSIGNED, made, moved, before, after, detail)
    theirs = [one.arn for one in preview.goes]
    blocks = form.assigned_blocks(team, theirs, context.teams.channel_of(team), context.teams.tag_keys[0])
    return Say(f"{count(len(theirs), 'function')} given to team {code(team)}.", tuple(blocks))


def _record(
    request: Request,
    context: Context,
    kind: DecisionKind,
    assignment: Assignment,
    moved: list[str],
    before: str,
    after: str,
    detail: Mapping[str, object],
) -> None:
    _decide.record(
        context,
        kind,
        assignment.pattern if assignment.pattern.startswith("arn:") else "",
        actor=request.user,
        request=request,
        before=before,
        after=after,
        detail={
            "assignment": assignment.id,
            "pattern": assignment.pattern,
            "team": assignment.team,
            "moved": len(moved),
            "functions": moved[:MOST_KEPT],
            **detail,
        },
        team=assignment.team,
    )


def _teams(of: Iterable[str | None]) -> str:
    """Whose functions are, as "billing, no known team"."""
    return ", ".join(sorted({team or "no known team" for team in of}))


def _typed(context: Context, fields: Mapping[str, str]) -> tuple[str, str]:
    team = fields.get(TEAM, "")
    return fields.get(PATTERN, "").strip(), context.teams.named(team) if team.strip() else ""


def _form(context: Context, pattern: str, team: str, note: str = "") -> OpenForm:
    preview = _preview(context, pattern, team)
    metadata = _Drawn(pattern, team, _seen(preview)).write()
    return OpenForm(form.assign_form(replace(preview, note=note), metadata))


def _preview(context: Context, pattern: str, team: str) -> Preview:
    rule = Assignment(0, "", pattern, team, "", context.clock())
    functions = context.store.owners.functions()
    matching = [one for one in functions if pattern and rule.covers(one.name, one.arn)]
    size = sum(one.team == team for one in functions)
    teams = {one.team for one in functions if one.team}
    return Preview(
        pattern=pattern,
        team=team,
        goes=[one for one in matching if one.assignable],
        keeps=Counter(one.team for one in matching if one.team and not one.assignable),
        channel=context.teams.channel_of(team or None),
        size=size,
        nearest=() if size or not team else difflib.get_close_matches(team, teams, NEAREST),
    )


def _seen(preview: Preview) -> str:
    """Stands for exactly what is asked for and what it comes to."""
    lines = [preview.pattern, preview.team, *(f"{one.arn} {one.team or ''}" for one in preview.goes)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def end(request: Request, context: Context) -> Answer:
    """Answer *End*: what was so assigned moves at once."""
    assignment = context.store.owners.find(request.value)
    permission = _may(request, context, of_assignment(assignment) if assignment else OWNERS)
    if not permission.allowed:
        yield Say(f"Nothing was changed: {permission.why}")
        return
    with context.store.transaction():
        said = _ended(request, context, permission.why)
    yield Say(said)
    if request.private:
        yield from turn(replace(request, value="1"), context)


def _ended(request: Request, context: Context, allowed_by: str) -> str:
    store, assignment = context.store, context.store.owners.find(request.value)
    if assignment is None or not store.owners.end(request.value, request.user, context.clock()):
        return ENDED_BEFORE
    moved = rearrange(context, assignment)
    arns = [one.arn for one in moved]
    before, after = assignment.team if moved else "", _teams(one.team for one in moved)
    _record(request, context, DecisionKind.OWNER_ENDED, assignment, arns, before, after, {"allowed_by": allowed_by})
    left = sum(one.team is None for one in moved)
    what, whose = assignment.pattern.rsplit(":", 1)[-1], assignment.team
    return (
        f"The assignment of {code(clip(what, 100))} to {code(clip(whose, 80))} has ended: "
        f"{count(len(moved), 'function')} moved, {left:,} of them to no known team."
    )
