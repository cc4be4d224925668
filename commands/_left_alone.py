"""Which functions the policy may fix though nobody clicked, and why all others are left to people.

Whatever is in doubt is left alone. The rules are the same when a notice names a function and when its day has come.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from commands._answers import patch_only
from commands._suggest import suggestion
from commands._types import Context
from commands.views.text import code, day
from storage.fixes import FixRequest, RequestState
from storage.models import THE_POLICY, Audit, CheckName, DecisionKind, Function, MayWrite, Verdict

LAST_MOMENT = timedelta(seconds=1)


def why_left_alone(context: Context, function: Function, team: str, audit: Audit) -> str:
    """A sentence; empty for a function that may be fixed. `team` was told, and `audit` is today's."""
    return (
        _of_the_team(context, function, team)
        or _of_the_audit(context, function, audit)
        or _of_its_making(context, function)
        or _of_people(context, function)
    )


def _of_the_team(context: Context, function: Function, team: str) -> str:
    if function.team != team:
        return "It went to another team."
    if not context.policy.grace.covers(team):
        return "lamplighter.toml does not ask for it any more."
    if not context.people.approvers(team):
        return "Nobody may approve for the team, so nobody could object either."
    if context.policy.needs_two_people(function):
        return "A fix of it takes two people."
    return ""


def _of_the_audit(context: Context, function: Function, audit: Audit) -> str:
    seen_at, since = context.store.functions.seen_at(function.arn), context.store.functions.since(function.arn)
    if seen_at is None or seen_at < audit.started_at:
        return "Today's audit did not see it."
    if any(row.account == function.account and row.region in ("", function.region) for row in audit.not_scanned):
        return "Today's audit did not see all of its account and region."
    if function.verdict is not Verdict.UNTRACED:
        exemption = context.store.exemptions.covering(function.arn, context.clock())
        return f"It is exempt until {day(exemption.last_moment)}." if exemption else f"It is {function.verdict} now."
    if since is None or since > context.clock() - context.policy.grace.time:
        return f"It has not been untraced for {context.policy.grace.days} days."
    return ""


def _of_its_making(context: Context, function: Function) -> str:
    """What a fix could not do, or would do to others."""
    if not function.fixable:
        return "It needs a deployment."
    if patch_only(function, context.policy):
        return "By policy, it is changed in the code that deploys it."
    if any(finding.check is CheckName.RUNTIME_BLOCKED for finding in function.findings):
        return "AWS blocks updates of its runtime."
    if function.role is None or function.role_may_write not in (MayWrite.YES, MayWrite.NO):
        return "It is not known whether its execution role may write to X-Ray."
    if function.role_may_write is MayWrite.NO and _others_role(context, context.store.functions.of_role(function.role)):
        return f"Its role {code(function.role_name)} is also used by functions that are left to people."
    return ""


def _others_role(context: Context, sharing: Collection[Function]) -> bool:
    policy = context.policy
    return any(not policy.grace.covers(one.team) or policy.needs_two_people(one) for one in sharing)


def _of_people(context: Context, function: Function) -> str:
    """What somebody has decided, or is about to."""
    live = context.store.requests.live(function.arn)
    if live and (why := _of_request(live)):
        return why
    if why := _of_other_wishes(context, function):
        return why
    last = context.store.decisions.last_turn(function.arn)
    if last and last.kind is DecisionKind.UNDONE:
        return "Its last fix was taken back."
    made_at, since = context.store.functions.made_at(function.arn), context.clock() - context.policy.grace.time
    for row in context.store.decisions.history(function.arn):
        if row.kind is DecisionKind.DENIED and row.at > since:
            return f"A fix of it was denied {_on(row.at)}."
        if row.kind is DecisionKind.APPROVED and row.actor == THE_POLICY and (made_at is None or row.at >= made_at):
            return f"The grace period was used for it {_on(row.at)}; once is enough."
    return ""


def _of_other_wishes(context: Context, function: Function) -> str:
    """Where somebody wants it left as it is for now, or may well want it."""
    now = context.clock()
    if context.store.exemptions.is_asked_for(function.arn, now):
        return "An exemption of it waits for a second person."
    nap = context.store.snoozes.of_function(function.arn, function.team, now)
    if nap:
        return f"It is snoozed until {day(nap.until - LAST_MOMENT)}."
    likely = suggestion(function)
    return f"It may well be exempt, which people decide: {likely}" if likely else ""


def _of_request(live: FixRequest) -> str:
    if live.plan and live.plan.blocked:
        return "A fix of it is blocked."
    if live.asked_by:
        return "Somebody has asked for a fix of it."
    match live.state:
        case RequestState.OPEN:
            return ""
        case RequestState.FAILED:
            return "The last try to fix it failed."
        case _:
            return "Somebody is at work on it."


def _on(at: datetime) -> str:
    return f"on {day(at)}"
