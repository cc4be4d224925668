"""Approving many requests at once: each by the rules of a single approval, all of them in one transaction."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands import _decide
from commands._answers import UNKNOWN_BUTTON, no_longer_exists
from commands._approvals import claim, refuse
from commands._order import roots_first
from commands._requests import who_may_click
from commands._types import Context, Permission, Request
from commands.views.standing import asked_together_text
from commands.views.text import code
from storage.fixes import Batch, FixRequest
from storage.models import DecisionKind, PostKind

TURN = "its turn comes in a batch"


@dataclass(frozen=True, slots=True)
class Together:
    """What came of it: a batch of those that were taken, and a sentence for each that was not."""

    batch: Batch | None  # None: nothing was taken
    taken: int
    refusals: tuple[str, ...]
    asked: int = 0  # where it takes two people: of these this approver has asked, and another one has to click


def approve_together(request: Request, context: Context, team: str | None, request_ids: Sequence[str]) -> Together:
    """Authority is asked for each function's team of now, before memory is held; what another claimed is refused."""
    store, permissions = context.store, _permissions(request, context, request_ids)
    taken, refusals, begun = [], [], []
    with store.transaction():
        for request_id in request_ids:
            asked = store.requests.find(request_id)
            refusal = _claimed(request, context, asked, permissions) if asked else UNKNOWN_BUTTON
            if asked is None:
                refusals.append(refusal)
            elif not refusal:
                taken.append(asked)
            elif not asked.asked_by and (now := store.requests.get(asked.id)).asked_by == request.user:
                begun.append(now)
            else:
                refusals.append(refusal)
        if begun:
            _call_for_another(context, team, begun)
        rules = {permissions[_team(context, one)].why: None for one in taken}
        batch = batch_of(request, context, team, taken, "; ".join(rules)) if taken else None
        return Together(batch, len(taken), tuple(refusals), len(begun))


def _call_for_another(context: Context, team: str | None, asked: Sequence[FixRequest]) -> None:
    """One message for all of them, in the team's channel; each row that shows one of them says so too."""
    function = context.store.functions.get(asked[0].function_arn)
    context.store.posts.create(
        f"asked:{secrets.token_urlsafe(8)}",
        PostKind.NOTICE,
        context.teams.channel_of(team),
        context.clock(),
        team=team,
        text=asked_together_text(asked, who_may_click(context, asked[0], function)),
    )


def _permissions(request: Request, context: Context, request_ids: Sequence[str]) -> Mapping[str | None, Permission]:
    functions = [
        context.store.functions.get(asked.function_arn)
        for one in request_ids
        if (asked := context.store.requests.find(one))
    ]
    teams = {function.team for function in functions if function}
    return {team: context.people.may_approve(request.user, request.workspace, team) for team in teams}


def _claimed(
    request: Request, context: Context, asked: FixRequest, permissions: Mapping[str | None, Permission]
) -> str:
    """Empty where this click is the one that counts."""
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        return no_longer_exists(asked.function_name)
    permission = permissions.get(function.team)
    if permission is None:
        return f"{code(function.name)} went to another team just now. Look at it again."
    if not permission.allowed:
        return f"{code(function.name)}: {refuse(request, context, asked, permission.why)}"
    return claim(request, context, asked, permission.why)


def _team(context: Context, asked: FixRequest) -> str | None:
    function = context.store.functions.get(asked.function_arn)
    return function.team if function else asked.team


def batch_of(
    request: Request, context: Context, team: str | None, taken: Sequence[FixRequest], allowed_by: str
) -> Batch:
    """Of requests that were claimed in the same transaction: `request.user` approved them, by that rule."""
    store, now, where = context.store, context.clock(), context.teams.channel_of(team)
    ids = [one.id for one in in_turn(context, taken)]
    post = store.posts.create(f"batch:{secrets.token_urlsafe(8)}", PostKind.BATCH, where, now, team=team, requests=ids)
    if post is None:
        raise AssertionError("a key that was made up just now")
    batch = store.batches.create(team, where, request.user, post.id, now)
    for request_id in ids:
        store.batches.put(batch.id, request_id)
        store.requests.at_step(request_id, TURN)
    detail = {"batch": batch.id, "requests": ids, "allowed_by": allowed_by}
    _decide.record(context, DecisionKind.BATCH, "", actor=request.user, request=request, detail=detail, team=team)
    return batch


def in_turn(context: Context, requests: Sequence[FixRequest]) -> list[FixRequest]:
    """Callers before the called."""
    by_arn = {one.function_arn: one for one in requests}
    functions = {arn: context.store.functions.get(arn) for arn in by_arn}
    callers = {arn: one.untraced_callers if one else () for arn, one in functions.items()}
    return [by_arn[arn] for arn in roots_first(callers)]
