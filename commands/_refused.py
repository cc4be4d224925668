"""Who tried to decide and may not: kept once for each person and thing, however often they click."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from commands import _decide
from commands._types import Context, Request
from commands.views.budget import OUR_BUDGET
from commands.views.owners import ASSIGN
from storage.fixes import Batch, FixRequest, GraceNotice
from storage.models import DecisionKind, Exemption, Function, Post, PostKind, Snooze
from storage.owners import Assignment


@dataclass(frozen=True, slots=True)
class Thing:
    """What they tried to decide on."""

    id: str  # what a button carries, or what it is about where there is but one of it
    function_arn: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)


BUDGET = Thing(OUR_BUDGET)
OWNERS = Thing("owners", detail={"tried": "to assign an owner"})
HISTORY = Thing("history", detail={"tried": "to post decisions as a file"})


def of_request(asked: FixRequest) -> Thing:
    return Thing(asked.id, asked.function_arn)


def of_function(context: Context, function: Function) -> Thing:
    """By its live request, where it has one."""
    live = context.store.requests.live(function.arn)
    return of_request(live) if live else Thing(function.arn, function.arn)


def of_exemption(exemption: Exemption) -> Thing:
    return Thing(exemption.token, exemption.function_arn, {"exemption": exemption.id})


def of_snooze(snooze: Snooze) -> Thing:
    return Thing(snooze.id, snooze.function_arn or "", {"snooze": snooze.id, "team": snooze.team or ""})


def of_notice(notice: GraceNotice) -> Thing:
    return Thing(notice.token, detail={"notice": notice.id, "team": notice.team})


def of_batch(batch: Batch) -> Thing:
    return Thing(batch.token, detail={"batch": batch.id, "team": batch.team or ""})


def of_assignment(assignment: Assignment) -> Thing:
    return Thing(assignment.token, detail={"assignment": assignment.id, "team": assignment.team})


def of_digest(post: Post) -> Thing:
    """Of its menu, and of the team's snooze that it leads to."""
    return Thing(f"digest:{post.id}", detail={"team": post.team or ""})


def of_team(team: str | None) -> Thing:
    """Of many of its functions at once."""
    return Thing(f"team:{team or ''}", detail={"team": team or ""})


def keep(request: Request, context: Context, thing: Thing, why: str) -> None:
    """That they tried, in the history."""
    with context.store.transaction():
        if not context.store.decisions.was_refused(thing.id, request.user):
            _decide.record(
                context,
                DecisionKind.REFUSED,
                thing.function_arn,
                actor=request.user,
                request=request,
                request_id=thing.id,
                reason=why,
                detail=thing.detail,
            )


def turned_away(request: Request, context: Context, why: str) -> str:
    """What to say to who may not even ask. That they tried is kept where that is this installation's."""
    thing = tried(request, context)
    if thing is None:
        return why
    keep(request, context, thing, why)
    return f"Nothing was changed: {why}"


def tried(request: Request, context: Context) -> Thing | None:
    """What the button or form is about; None for what was never given out here."""
    return (
        _by_token(context, request.value)
        or _by_form(context, request.value)
        or _by_message(context, request.channel, request.message)
    )


def _by_token(context: Context, value: str) -> Thing | None:
    """Tokens are made up by the same dice for all, so that none stands for two things."""
    store = context.store
    if value == ASSIGN:
        return OWNERS
    if value.startswith(OUR_BUDGET):
        return BUDGET
    if asked := store.requests.find(value):
        return of_request(asked)
    if exemption := store.exemptions.find(value):
        return of_exemption(exemption)
    if snooze := store.snoozes.find(value):
        return of_snooze(snooze)
    if notice := store.grace.with_token(value):
        return of_notice(notice)
    if batch := store.batches.with_token(value):
        return of_batch(batch)
    if assignment := store.owners.find(value):
        return of_assignment(assignment)
    return HISTORY if store.history.find(value) else None


def _by_form(context: Context, value: str) -> Thing | None:
    """What a form carries that is drawn again as it is filled in; of a snooze's, the digest's number."""
    try:
        carried = json.loads(value)
    except ValueError:
        return None
    if isinstance(carried, int) and carried < 2**63:  # as SQLite counts
        return _of_post(context.store.posts.numbered(carried))
    if not isinstance(carried, dict):
        return None
    if "request" in carried:
        return _by_token(context, str(carried["request"]))
    if "pattern" in carried:
        return OWNERS
    return of_team(carried["team"] and str(carried["team"])) if "team" in carried else None


def _by_message(context: Context, channel: str, message: str) -> Thing | None:
    """A digest's menu carries what is chosen in it."""
    return _of_post(context.store.posts.at(channel, message) if message else None)


def _of_post(post: Post | None) -> Thing | None:
    return of_digest(post) if post and post.kind is PostKind.DIGEST else None
