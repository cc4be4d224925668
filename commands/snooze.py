"""*Snooze…* in a digest's menu: a function, or a whole team, makes no new message for 1, 7 or 30 days.

What is snoozed stays untraced, in the coverage and in the digest's counts. A function may be snoozed by any full member
of the workspace, for it hides nothing and changes nothing at AWS; a whole team by its approvers only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from commands import _decide, _refused
from commands._answers import UNKNOWN_BUTTON
from commands._types import Answer, Context, OpenForm, Request, Say
from commands.views.living import who
from commands.views.snooze import DAYS, END_NOW, FOR, MOST_LISTED, TEAM, WHAT, snooze_form
from commands.views.text import code, count, day, listing
from storage.models import DecisionKind, Post, Snooze, Verdict

NAMED = 5
LAST_MOMENT = timedelta(seconds=1)


def open_form(_request: Request, context: Context, post: Post) -> Answer:
    """From memory alone: Slack wants the form within three seconds."""
    store, now = context.store, context.clock()
    untraced = store.functions.of_team(post.team, Verdict.UNTRACED)
    with store.transaction():
        listed = [(store.requests.open_for(one, now).id, one) for one in untraced[:MOST_LISTED]]
    yield OpenForm(snooze_form(post.team, str(post.id), listed, len(untraced)))


def check(fields: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is."""
    wrong = {}
    if not _chosen(fields):
        wrong[WHAT] = "Choose functions, or the whole team."
    if fields.get(FOR) not in (*map(str, DAYS), END_NOW):
        wrong[FOR] = "Choose for how long."
    return wrong


def snooze(request: Request, context: Context) -> Answer:
    """Record what the form says, or end what it says is to be ended."""
    post = context.store.posts.get(int(request.value)) if request.value.isdecimal() else None
    wrong = check(request.fields, context.clock(), context.zone)
    if post is None or wrong:
        yield Say(f"Nothing was changed: {' '.join(wrong.values()) or UNKNOWN_BUTTON}")
        return
    chosen, allowed_by = _chosen(request.fields), ""
    if TEAM in chosen:
        permission = context.people.may_approve(request.user, request.workspace, post.team)
        if not permission.allowed:
            _refused.keep(request, context, _refused.of_digest(post), permission.why)
            yield Say(f"Nothing was changed. A whole team is snoozed by an approver: {permission.why}")
            return
        allowed_by = permission.why
    arns = _functions(context, chosen)
    with context.store.transaction():
        said = _end(request, context, post, chosen, arns, allowed_by) if request.fields[FOR] == END_NOW else ""
        said = said or _begin(request, context, post, chosen, arns, allowed_by)
        context.store.posts.redraw(post.id)
        _redraw(context, {post.team, *_teams(context, arns)})
    yield Say(said)


def end(request: Request, context: Context) -> Answer:
    """Answer *End snooze*."""
    found = context.store.snoozes.find(request.value)
    if found is None:
        yield Say(UNKNOWN_BUTTON)
        return
    allowed_by = ""
    if found.function_arn is None:
        permission = context.people.may_approve(request.user, request.workspace, found.team)
        if not permission.allowed:
            _refused.keep(request, context, _refused.of_snooze(found), permission.why)
            yield Say(f"Nothing was changed. An approver ends a team's snooze: {permission.why}")
            return
        allowed_by = permission.why
    with context.store.transaction():
        ended = _ended(request, context, found, allowed_by)
        _redraw(context, _teams(context, [found.function_arn]) if found.function_arn else {found.team})
    yield Say(
        f"The snooze of {_what(found)} has ended." if ended else f"The snooze of {_what(found)} was over already."
    )


def _begin(
    request: Request, context: Context, post: Post, chosen: Sequence[str], arns: Sequence[str], allowed_by: str
) -> str:
    now = context.clock()
    # By the team's clock: a day of 25 hours would end before the digest that it is about.
    until = now.astimezone(context.schedule.of_team(post.team).slot.zone) + timedelta(days=int(request.fields[FOR]))
    targets: list[str | None] = [*([None] if TEAM in chosen else []), *arns]
    for arn in targets:
        begun = context.store.snoozes.begin(arn, post.team, request.user, now, until)
        _record(request, context, DecisionKind.SNOOZED, begun, allowed_by)
    return f"Snoozed until {day(until - LAST_MOMENT)}: {_names(post, targets)}. Untraced and counted all the same."


def _end(
    request: Request, context: Context, post: Post, chosen: Sequence[str], arns: Sequence[str], allowed_by: str
) -> str:
    in_force = context.store.snoozes.in_force(context.clock())
    meant = [one for one in in_force if one.function_arn in arns]
    if TEAM in chosen:
        meant += [one for one in in_force if one.function_arn is None and one.team == post.team]
    ended = [one.function_arn for one in meant if _ended(request, context, one, allowed_by)]
    return f"The snooze has ended: {_names(post, ended)}." if ended else "None of these was snoozed."


def _ended(request: Request, context: Context, one: Snooze, allowed_by: str) -> bool:
    if not context.store.snoozes.end(one.id, context.clock()):
        return False
    _record(request, context, DecisionKind.SNOOZE_ENDED, one, allowed_by)
    return True


def _record(request: Request, context: Context, kind: DecisionKind, one: Snooze, allowed_by: str) -> None:
    """Of a team's snooze, the row names no function. `allowed_by`: the rule for a team; a function is anybody's."""
    rule = {"allowed_by": allowed_by} if one.function_arn is None else {}
    _decide.record(
        context,
        kind,
        one.function_arn or "",
        actor=request.user,
        request=request,
        until=one.until,
        detail={"snooze": one.id, "team": one.team or "", **rule},
    )


def _redraw(context: Context, teams: Collection[str | None]) -> None:
    for team in teams:
        context.store.posts.redraw_digest(team)


def _teams(context: Context, arns: Iterable[str]) -> set[str | None]:
    """Whose these functions are now."""
    return {one.team for arn in arns if (one := context.store.functions.get(arn))}


def _chosen(fields: Mapping[str, str]) -> list[str]:
    return [one for one in fields.get(WHAT, "").split(",") if one]


def _functions(context: Context, chosen: Sequence[str]) -> list[str]:
    found = (context.store.requests.find(one) for one in chosen if one != TEAM)
    return list(dict.fromkeys(one.function_arn for one in found if one))


def _names(post: Post, targets: Sequence[str | None]) -> str:
    names = [who(post.team)] if None in targets else []
    functions = [code(arn.rsplit(":", 1)[-1]) for arn in targets if arn]
    if functions:
        names.append(f"{count(len(functions), 'function')} ({listing(functions, NAMED)})")
    return " and ".join(names)


def _what(one: Snooze) -> str:
    return code(one.function_arn.rsplit(":", 1)[-1]) if one.function_arn else who(one.team)
