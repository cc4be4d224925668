"""`/trace-owners`: teams, where they read, how their functions were found to be theirs, and functions of nobody."""

import difflib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from commands._types import Answer, Context, Replace, Request, Say
from commands.views import owners as views
from commands.views.owners import PAGE, Overview, Team
from commands.views.text import clip, code
from storage.models import TeamFrom
from storage.owners import Assignment

NEAREST = 3


def owners(request: Request, context: Context) -> Answer:
    """Answer `/trace-owners [team]`."""
    if request.text.strip():
        yield _one(request, context)
        return
    shown = _overview(request, context, 1)
    yield Say(views.overview_text(shown), tuple(views.overview_blocks(shown)))


def turn(request: Request, context: Context) -> Answer:
    """Answer *Previous* and *Next*."""
    shown = _overview(request, context, int(request.value) if request.value.isdecimal() else 1)
    yield Replace(views.overview_text(shown), tuple(views.overview_blocks(shown)))


def _one(request: Request, context: Context) -> Say:
    name = context.teams.named(request.text)
    counts = context.store.owners.counts()
    assignments = [pair for pair in _assignments(context) if pair[0].team == name]
    if name not in counts and not assignments:
        near = difflib.get_close_matches(name, [team for team in counts if team], NEAREST)
        meant = f" Did you mean {' or '.join(code(one) for one in near)}?" if near else ""
        return Say(f"No function is of a team {code(clip(request.text, 60))}.{meant} `/trace-owners` lists the teams.")
    team = _team(context, name, counts.get(name, {}))
    made = views.team_blocks(team, assignments, may_end=_may(request, context))
    return Say(views.team_text(team), tuple(made))


def _overview(request: Request, context: Context, page: int) -> Overview:
    store = context.store.owners
    counts = store.counts()
    shown = Overview(
        teams=[_team(context, team, found) for team, found in counts.items() if team],
        unowned=counts.get(None, {}),
        orphans=(),
        page=1,
        fallback=context.teams.fallback_channel,
        assignments=_assignments(context),
        may_assign=_may(request, context),
    )
    page = min(max(page, 1), shown.pages)
    return replace(shown, page=page, orphans=store.orphans((page - 1) * PAGE, PAGE))


def _team(context: Context, name: str, found: Mapping[TeamFrom | None, int]) -> Team:
    place, named_by = context.teams.place_of(name)
    aliases = sorted(other for other, team in context.teams.aliases.items() if team == name)
    return Team(
        name=name,
        found=found,
        channel=place,
        named_by=str(named_by),
        state=context.store.owners.channels().get(place),
        group=context.teams.group_of(name),
        tagged=context.store.owners.tagged_channels(name) if context.teams.channel_tag else (),
        aliases=aliases,
    )


def _assignments(context: Context) -> list[tuple[Assignment, int]]:
    """Those in force, the newest first, each with how many functions are a team's by it."""
    rules = context.store.owners.in_force()
    if not rules:
        return []
    assigned = [one for one in context.store.owners.functions() if one.team_from is TeamFrom.ASSIGNED]
    first = (next((rule.id for rule in rules if rule.covers(one.name, one.arn)), 0) for one in assigned)
    numbers = Counter(first)
    return [(rule, numbers[rule.id]) for rule in rules]


def _may(request: Request, context: Context) -> bool:
    """Whoever may approve for functions of no team: to give them away gives others the right to approve."""
    return context.people.may_approve(request.user, request.workspace, None).allowed
