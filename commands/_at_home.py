"""What exemptions, snoozes and tips have to say in App Home."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from commands import _exempting
from commands._types import Context, Request
from commands.views.blocks import Block
from commands.views.home import Ending, Quiet
from commands.views.tips import Known, tip_blocks
from storage.models import Coverage, Exemption, Function, Verdict

SOON = timedelta(days=30)
A_WEEK = timedelta(days=7)


def for_confirmation(request: Request, context: Context) -> list[tuple[Exemption, list[str]]]:
    """Exemptions that wait for this person's word, with the names of what each covers; not what they asked for."""
    store, now = context.store, context.clock()
    return [
        (one, [member.name for member in store.exempted.of(one.id)])
        for one in store.exemptions.waiting()
        if one.asked_by != request.user
        and (one.ask_until is None or one.ask_until > now)
        and _exempting.may_decide(request, context, one).allowed
    ]


def ending(context: Context, teams: Collection[str] | None) -> list[Ending]:
    """Exemptions of these teams that end within a month, the first to end first; all teams' for None."""
    now, counts = context.clock(), context.store.exempted.counts()
    soon = context.store.exemptions.ending_before(now, now + SOON)
    if teams is not None:
        soon = _exempting.of_teams(context, soon, {team or None for team in teams})
    return [Ending(one, counts.get(one.id, 0)) for one in soon]


def quiet(context: Context, teams: Collection[str] | None) -> list[Quiet]:
    """What is snoozed of these teams, the first to wake first; of functions, those that are untraced."""
    found = []
    for one in sorted(context.store.snoozes.in_force(context.clock()), key=lambda one: one.until):
        function = context.store.functions.get(one.function_arn) if one.function_arn else None
        if one.function_arn and (function is None or function.verdict is not Verdict.UNTRACED):
            continue
        team = function.team if function else one.team
        if teams is None or (team or "") in teams:
            found.append(Quiet(one, function.name if function else ""))
    return found


def tip(
    request: Request, context: Context, teams: Mapping[str | None, Coverage], untraced: Sequence[Function]
) -> list[Block]:
    """One that this person has not dismissed, with examples from what the page shows."""
    today, begins = context.clock().astimezone(context.zone).date(), context.store.past.begins()
    first = begins.astimezone(context.zone).date() if begins else today
    known = Known(
        traced=any(counts.traced for counts in teams.values()),
        untraced=untraced[0].name if untraced else "",
        team=min((team for team in teams if team), default=""),
        day=max(first, today - A_WEEK) if first < today else None,
    )
    return tip_blocks(known, context.store.tips.dismissed(request.user, request.workspace))
