"""What a message shows, read from memory at the moment of drawing."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from commands import _deployed, _digest, _evidence_posts, _exemption_posts, _map_posts, _report_posts, _requests
from commands._answers import patch_only
from commands._audits import OVERTAKEN
from commands._batch import RESULTS
from commands._changes import was_undone
from commands._costs import is_old
from commands._suggest import suggestion
from commands._types import Context
from commands.views import batch, functions, grace, standing
from commands.views.blocks import Block
from commands.views.blocks import context as context_block
from commands.views.item import Item
from commands.views.text import clip
from storage.fixes import FixRequest, RequestState
from storage.models import Function, Post, PostKind, Verdict
from storage.news import Change
from storage.totals import Total

TEXT_SHOWN = 2900


def item(context: Context, request: FixRequest) -> Item:
    """A request with its function as it stands now."""
    return _item(context, request, context.store.functions.get(request.function_arn), request.function_arn)


def item_of(context: Context, function: Function, no_forecast: str = "") -> Item:
    """A function with its live request, if it has one; `no_forecast`: why there is none."""
    return _item(context, context.store.requests.live(function.arn), function, function.arn, no_forecast)


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """A post's text and blocks, from memory alone: the same post drawn later shows what is true then."""
    if post.kind in _OF_NO_REQUEST:
        return _OF_NO_REQUEST[post.kind](context, post)
    if post.kind is PostKind.DEPLOYED:
        return _deployed.draw(context, post, item)
    items = [item(context, context.store.requests.get(number)) for number in context.store.posts.requests_of(post.id)]
    match post.kind:
        case PostKind.DIGEST:
            return _digest.draw(context, post, items)
        case PostKind.LIST | PostKind.FILE:
            return _digest.draw_list(context, post)
        case PostKind.REQUEST:
            return _asked(context, post, items[0])
        case PostKind.GRACE:
            return _announced(context, post, items)
        case PostKind.NOTICE | PostKind.HISTORY:
            return post.text, []
    raise AssertionError(f"nothing draws a post of kind {post.kind}")


def _announced(context: Context, post: Post, items: list[Item]) -> tuple[str, list[Block]]:
    notice = context.store.grace.of_post(post.id)
    if notice is None:
        raise AssertionError("a notice is kept in the same transaction as its posts")
    store, left = context.store, context.store.grace.functions(notice.id)
    made = grace.notice_blocks(
        notice,
        items,
        total=len(left),
        page=post.page,
        left=left,
        approvers=context.people.approvers(notice.team),
        days=context.policy.grace.days,
        where=notice.channel,
        cost=Total.of(map(store.forecasts.of(list(left)).get, left)),
    )
    return grace.notice_text(notice, items, len(left), post.page), made


def _batch(context: Context, post: Post) -> tuple[str, list[Block]]:
    members = context.store.batches.members(post.id)
    run = context.store.batches.of_post(post.id)
    if run is None or run.post != post.id:
        return f"Results, part {post.page}", batch.page_blocks(members, post.page)
    return batch.batch_text(run, members), batch.batch_blocks(run, members, threaded=len(members) > RESULTS)


_OF_NO_REQUEST: Mapping[PostKind, Callable[[Context, Post], tuple[str, list[Block]]]] = {
    PostKind.BATCH: _batch,
    PostKind.EXEMPTION: _exemption_posts.draw,
    PostKind.REPORT: _report_posts.draw,
    PostKind.REPORT_FILES: _report_posts.draw_files,
    PostKind.MAP: _map_posts.draw,
    PostKind.MAP_FILES: _map_posts.draw_files,
    PostKind.EVIDENCE: _evidence_posts.draw,
}


def _item(
    context: Context, request: FixRequest | None, function: Function | None, arn: str, no_forecast: str = ""
) -> Item:
    store, plan = context.store, request.plan if request and request.waiting else None
    forecast = (plan.forecast if plan else None) or store.forecasts.get(arn)
    return Item(
        function=function,
        request=replace(request, plan=replace(plan, forecast=forecast)) if request and plan else request,
        exemption=store.exemptions.covering(arn, context.clock()),
        not_exempt=_not_exempt(context, request, function),
        suggestion=suggestion(function) if function else "",
        sharing=store.functions.sharing(function.role, arn) if function and function.role else 0,
        since=store.functions.since(arn),
        change=_newest_change(context, arn),
        as_of=_as_of(context, arn),
        patch_only=patch_only(function, context.policy) if function else "",
        undo_hours=context.policy.undo_hours,
        two_people=function is not None and context.policy.needs_two_people(function),
        forecast=forecast,
        forecast_is_old=is_old(context, forecast),
        no_forecast=no_forecast,
    )


def _not_exempt(context: Context, request: FixRequest | None, function: Function | None) -> str:
    """For what a message showed as exempt and is so no more, and for what nobody knows whether it is."""
    if function is None or function.verdict is not Verdict.UNTRACED:
        return ""
    unsure = _exemption_posts.unsure_line(context, function.arn)
    if unsure or request is None:
        return unsure
    was_exempt = request.state is RequestState.RESOLVED and request.outcome == OVERTAKEN[Verdict.EXEMPT]
    return _exemption_posts.left_line(context, function.arn) if was_exempt else ""


def _newest_change(context: Context, arn: str) -> Change | None:
    """The newest that an audit told of it; a regression that was mended and undone since is told no more."""
    newest = context.store.changes.last_of(arn)
    return None if newest and was_undone(context, newest) else newest


def _as_of(context: Context, arn: str) -> datetime | None:
    """When AWS last showed it, where the latest audit did not see it."""
    seen_at, audited_at = context.store.functions.seen_at(arn), context.store.audits.latest_start()
    return seen_at if seen_at and audited_at and seen_at < audited_at else None


def _asked(context: Context, post: Post, shown: Item) -> tuple[str, list[Block]]:
    """While it waits, who has to click, or to which team it went; after that, what came of it."""
    lines = clip(" ".join(functions.item_lines(shown)), TEXT_SHOWN)
    if not shown.request or not shown.request.waiting:
        return lines, functions.request_blocks(shown)
    if shown.function and shown.function.team != post.team:
        team = shown.function.team
        where = context.store.posts.channel_of(team) or context.teams.channel_of(team)
        return lines, [functions.item_blocks(shown)[0], context_block(standing.went_line(team, where))]
    whom = _requests.who_may_click(context, shown.request, shown.function)
    text = standing.request_text(shown.request, whom)
    return text, [*functions.request_blocks(shown), context_block(standing.who_clicks(whom))]
