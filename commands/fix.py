"""`/trace-fix` and the *Approve fix* button: who asks for a fix, and whose approval counts."""

from dataclasses import replace

from commands import _find, _requests
from commands._answers import UNKNOWN_BUTTON, ask_now, no_longer_exists, nothing_to_do, patch_only
from commands._approvals import claim, current, refuse, too_late
from commands._carry_out import carry_out
from commands._clicks import carried, redrawn
from commands._drawing import item
from commands._one_forecast import look_up
from commands._plans import plan_now
from commands._types import Answer, Context, Progress, Request, Say
from commands.aws.errors import AwsProblem
from commands.aws.fixing import FunctionGone
from commands.aws.once import Once
from commands.views.functions import card_blocks
from commands.views.standing import REASON_LIMIT, request_text
from commands.views.text import channel, code, day_and_time, mention, prose, sentence
from storage.fixes import FixPlan, FixRequest
from storage.models import Function, PostKind, PostState


def fix(request: Request, context: Context) -> Answer:
    """Answer `/trace-fix <function> [reason]`: ask the team's approvers for it, in the team's channel."""
    wanted, reason = _find.Wanted.with_reason(request.text)
    if len(reason) > REASON_LIMIT:
        yield Say(f"That reason has {len(reason):,} characters. Say it in {REASON_LIMIT} at most.")
        return
    function = _find.one(context.store, wanted, "/trace-fix")
    if isinstance(function, Say):
        yield function
        return
    yield Progress(f"Looking at {code(function.name)}…")
    with Once().remembering():
        now = ask_now(context, function)
        answer = now if isinstance(now, Say) else _ask(request, context, now, reason)
    yield answer


def approve(request: Request, context: Context) -> Answer:
    """Answer *Approve fix*: the first approver's click counts, every other one is told who was first."""
    if context.store.requests.find(request.value) is None:
        yield Say(UNKNOWN_BUTTON)
        return
    asked = current(context, request.value)
    if not asked.waiting:
        yield Say(too_late(context, asked))
        return
    team = _requests.team_of(context, asked)
    permission = _requests.may_decide(request, context, asked)
    if not permission.allowed:
        yield Say(refuse(request, context, asked, permission.why))
        return
    with context.store.transaction():
        refusal = _requests.went(context, asked, team) or claim(request, context, asked, permission.why)
    if refusal:
        yield Say(refusal)
        if request.private:
            yield redrawn(context, asked.id)  # who asked may be another now
        return
    yield from carried(request, context, asked, carry_out(context, asked.id))


def _ask(request: Request, context: Context, function: Function, reason: str) -> Say:
    """Put the request where the team's approvers see it."""
    needless = nothing_to_do(context, function)
    if needless:
        return Say(needless)
    plan = _plan(context, function)
    if isinstance(plan, Say):
        return plan
    if plan.blocked or not plan.changes_something:
        return _blocked(context, function, plan)
    name = code(function.name)
    wanted = context.teams.channel_of(function.team)
    where = channel(context.store.posts.channel_of(function.team) or wanted)  # where its digests really go
    asked, is_first = _post_request(request, context, function, reason, wanted, plan)
    if not asked.waiting:
        return Say(too_late(context, asked))
    until = f" until {day_and_time(asked.expires_at)}" if asked.expires_at else ""
    if is_first:
        who = "another approver than you" if context.policy.needs_two_people(function) else "an approver"
        return Say(
            f"Asked in {where} to turn on tracing for {name}. It happens when {who} clicks there; it waits{until}."
        )
    by = mention(asked.asked_by)
    return Say(f"A fix of {name} was asked for already by {by} and waits for an approver in {where}{until}.")


def _plan(context: Context, function: Function) -> FixPlan | Say:
    """What a fix would do, as AWS stands now; or why that cannot be said."""
    name, why = code(function.name), look_up(context, function)
    try:
        return replace(plan_now(context, function), no_forecast=why)
    except FunctionGone:
        return Say(no_longer_exists(function.name))
    except AwsProblem as problem:
        return Say(f"AWS did not say what a fix of {name} would take: {prose(sentence(str(problem)))} Ask again later.")


def _blocked(context: Context, function: Function, plan: FixPlan) -> Say:
    """Why a fix may not or need not be, with the patch that does it in code."""
    findings = " ".join(finding.text for finding in function.findings)
    why = plan.blocked or f"It needs a deployment, not a fix of its configuration. {findings}"
    with context.store.transaction():
        asked = context.store.requests.open_for(function, context.clock())
        context.store.requests.keep_plan(asked.id, replace(plan, blocked=why))
    shown = item(context, context.store.requests.get(asked.id))
    said = patch_only(function, context.policy) or prose(why)
    return Say(f"{code(function.name)} cannot be fixed from here. {said}", tuple(card_blocks(shown)))


def _post_request(
    request: Request, context: Context, function: Function, reason: str, where: str, plan: FixPlan
) -> tuple[FixRequest, bool]:
    """The function's request, and whether it was asked for, or shown again, just now."""
    store = context.store
    with store.transaction():
        asked = store.requests.open_for(function, context.clock())
        if not current(context, asked.id).waiting:
            asked = store.requests.open_for(function, context.clock())  # that one's time was over
        store.requests.keep_plan(asked.id, plan)
        store.posts.redraw_showing(asked.id)  # what is approved is the newest plan, and no other may be shown
        is_first = _requests.ask(request, context, asked, reason)
        asked = store.requests.get(asked.id)
        if not asked.waiting or (not is_first and store.posts.showing(asked.id)):
            return asked, False
        store.posts.create(
            _free_key(context, f"request:{asked.id}"),
            PostKind.REQUEST,
            where,
            context.clock(),
            team=function.team,
            requests=[asked.id],
            text=request_text(asked, _requests.who_may_click(context, asked, function)),
        )
    return asked, True


def _free_key(context: Context, key: str) -> str:
    """A message that was deleted in Slack does not keep a new one from being posted."""
    number, free = 1, key
    while (post := context.store.posts.find(free)) and post.state is PostState.ABANDONED:
        number += 1
        free = f"{key}:{number}"
    return free
