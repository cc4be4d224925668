"""`/trace-fix` and the *Approve fix* button: who asks for a fix, and whose approval counts."""

from commands import _decide, _find
from commands._answers import UNKNOWN_BUTTON, ask_now, nothing_to_do, patch_only
from commands._approvals import WAITING, claim, too_late
from commands._carry_out import carry_out
from commands._drawing import item
from commands._types import Answer, Context, Progress, Replace, Request, Say
from commands.views.functions import card_blocks, item_lines
from commands.views.text import channel, code, mention, prose
from storage.models import DecisionKind, Function, PostKind, PostState


def fix(request: Request, context: Context) -> Answer:
    """Answer `/trace-fix <function>`: ask the team's approvers for it, in the team's channel."""
    function = _find.one(context.store, _find.Wanted.read(request.text), "/trace-fix")
    if isinstance(function, Say):
        yield function
        return
    yield Progress(f"Looking at {code(function.name)}…")
    current = ask_now(context, function)
    yield current if isinstance(current, Say) else _ask(request, context, current)


def approve(request: Request, context: Context) -> Answer:
    """Answer *Approve fix*: the first approver's click counts, every other one is told who was first."""
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield Say(UNKNOWN_BUTTON)
        return
    if asked.state not in WAITING:
        yield Say(too_late(context, asked))
        return
    function = context.store.functions.get(asked.function_arn)
    permission = context.people.may_approve(request.user, request.workspace, function.team if function else asked.team)
    if not permission.allowed:
        yield Say(f"Nothing was changed: {permission.why}")
        return
    refusal = claim(request, context, asked, permission.why)
    if refusal:
        yield Say(refusal)
        return
    if request.private:
        yield _redrawn(context, asked.id)
    yield from carry_out(context, asked.id)
    if request.private:
        yield _redrawn(context, asked.id)
    elif context.store.posts.at(request.channel, request.message) is None:
        # The message that was clicked cannot be drawn again: Slack lost track of it, or will not have it changed.
        yield Say("\n".join(item_lines(item(context, context.store.requests.get(asked.id)))))


def _ask(request: Request, context: Context, function: Function) -> Say:
    """Put the request where the team's approvers see it."""
    needless = nothing_to_do(context, function)
    if needless:
        return Say(needless)
    name = code(function.name)
    if not function.fixable:
        findings = " ".join(prose(finding.text) for finding in function.findings)
        return Say(f"{name} needs a deployment, not a fix of its configuration. {findings}")
    if patch_only(function, context.policy):
        asked = context.store.requests.open_for(function, context.clock())
        shown = item(context, asked)
        return Say("\n".join(item_lines(shown)), tuple(card_blocks(shown)))
    wanted = context.teams.channel_of(function.team)
    where = context.store.posts.channel_of(function.team) or wanted  # where its digests really go
    if _post_request(request, context, function, wanted):
        return Say(
            f"Asked in {channel(where)} to turn on tracing for {name}. It happens when an approver clicks there."
        )
    return Say(f"A fix of {name} was asked for already and waits for an approver in {channel(where)}.")


def _post_request(request: Request, context: Context, function: Function, where: str) -> bool:
    """False where one was posted today and still waits."""
    store, now = context.store, context.clock()
    approvers = context.people.approvers(function.team)[:5]
    for_whom = f"An approver has to click: {', '.join(approvers)}" if approvers else "Nobody may approve yet."
    with store.transaction():
        asked = store.requests.open_for(function, now)
        post = store.posts.create(
            _free_key(context, f"request:{asked.id}:{now.astimezone(context.zone).date()}"),
            PostKind.REQUEST,
            where,
            now,
            team=function.team,
            requests=[asked.id],
            text=f"{mention(request.user)} asks to turn on active tracing for {code(function.name)}. {for_whom}",
        )
        if post:
            _decide.record(
                context,
                DecisionKind.REQUESTED,
                function.arn,
                actor=request.user,
                request=request,
                request_id=asked.id,
            )
    return post is not None


def _free_key(context: Context, key: str) -> str:
    """A message that was deleted in Slack does not keep a new one from being posted."""
    number, free = 1, key
    while (post := context.store.posts.find(free)) and post.state is PostState.ABANDONED:
        number += 1
        free = f"{key}:{number}"
    return free


def _redrawn(context: Context, request_id: str) -> Replace:
    shown = item(context, context.store.requests.get(request_id))
    return Replace(shown.name, tuple(card_blocks(shown)))
