"""What a digest, its list and its file show, read from memory at the moment of drawing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from commands import _exemption_posts
from commands._changes import last_known, was_undone
from commands._costs import forecasts_of, in_order
from commands._types import Button, Context
from commands.views import digest, living, news
from commands.views.blocks import Block
from commands.views.functions import item_lines
from commands.views.item import Item
from commands.views.listing import list_blocks, list_csv, list_text
from commands.views.living import Nap
from storage.digests import Told
from storage.forecasts import Forecast
from storage.models import Audit, Coverage, Function, Post, PostKind, PostState, Snooze, Verdict
from storage.totals import Total


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to be shared in a thread."""

    name: str
    content: bytes
    title: str = "Functions without active tracing"
    alt: str = ""  # of a picture


def draw(context: Context, post: Post, items: Sequence[Item]) -> tuple[str, list[Block]]:
    """`items` are those with a row."""
    newer = context.store.posts.get(post.newer) if post.newer else None
    if newer and newer.state is PostState.SENT:
        return _retired(post, newer, items)
    told = context.store.digests.of_team(post.team)
    own = told if told and told.post == post.id else None
    naps = _naps(context, post.team)
    asleep = {one.function_arn for one in naps if one.function_arn}
    items = [_with_news(one, own) for one in items if one.function is None or one.function.arn not in asleep]
    items = [one for one in items if not _went_elsewhere(one, post.team)]
    functions = context.store.functions
    untraced = functions.of_team(post.team, Verdict.UNTRACED)
    forecasts, audit = forecasts_of(context, untraced), context.store.audits.latest()
    coverage = functions.coverage_of_team_since(post.team, audit.started_at) if audit else Coverage()
    shown = {one.function.arn for one in items if one.function} | asleep
    zero = living.zero_text(post.team, coverage, own.zero_since) if own and own.zero_told and own.zero_since else ""
    zero = "" if untraced else zero
    made = digest.digest_blocks(
        post.team,
        items,
        untraced=len(untraced),
        audit=audit,
        coverage=coverage,
        approvers=context.people.approvers(post.team),
        tag_keys=context.teams.tag_keys,
        news=_news(context, own, post, audit, untraced) if audit else (),
        review=_review(context, post, items),
        choices=_choices(items, len(untraced)),
        others=Counter(one.account for one in untraced if one.arn not in shown),
        listed=any(one.kind in (PostKind.LIST, PostKind.FILE) for one in context.store.posts.replies(post.id)),
        naps=[_nap(one) for one in naps],
        zero=zero,
        total=Total.of(forecasts.get(one.arn) for one in untraced),
        loud=[one.name for one in in_order(context, untraced, {}, forecasts) if _is_busy(forecasts.get(one.arn))],
    )
    return zero or digest.digest_text(post.team, items, len(untraced)), made


def draw_list(context: Context, post: Post) -> tuple[str, list[Block]]:
    """A table in the thread; of a file, the words that go with it or stand alone."""
    functions, forecasts = _listed(context, post.team)
    text = list_text(post.team, functions)
    if post.kind is PostKind.FILE:
        return text, []
    return text, list_blocks(functions, _asleep(context, post.team), forecasts)


def attachment(context: Context, post: Post) -> Attachment:
    functions, forecasts = _listed(context, post.team)
    content = list_csv(functions, _asleep(context, post.team), forecasts).encode()
    return Attachment(f"{post.team or 'no-team'}-{post.created_at:%Y-%m-%d}.csv", content)


def _is_busy(forecast: Forecast | None) -> bool:
    return forecast is not None and forecast.busy


def _listed(context: Context, team: str | None) -> tuple[list[Function], Mapping[str, Forecast]]:
    """A team's untraced functions in the order of its digest, and what is known of their traffic."""
    functions = context.store.functions.of_team(team, Verdict.UNTRACED)
    forecasts, told = forecasts_of(context, functions), context.store.digests.of_team(team)
    return in_order(context, functions, told.news if told else {}, forecasts), forecasts


def _retired(post: Post, newer: Post, items: Sequence[Item]) -> tuple[str, list[Block]]:
    lines = [" · ".join(item_lines(one)) for one in items]
    text = living.retired_text(post.team, post.created_at, newer.permalink)
    return text, living.retired_blocks(post.team, post.created_at, newer.permalink, lines)


def _with_news(item: Item, told: Told | None) -> Item:
    known = told.news.get(item.function.arn) if told and item.function else None
    return replace(item, told=news.told_words(known)) if known else item


def _went_elsewhere(item: Item, team: str | None) -> bool:
    """Whether it is another team's to decide by now; what is at work, or can be undone, keeps its row."""
    moved = item.function is not None and item.function.team != team
    return moved and (item.request is None or item.request.waiting)


def _naps(context: Context, team: str | None) -> list[Snooze]:
    """The team's own first, then those of its functions that are untraced."""
    found = context.store.snoozes.in_force(context.clock())
    functions = context.store.functions
    sleeping = [
        one
        for one in found
        if one.function_arn
        and (known := functions.get(one.function_arn))
        and known.verdict is Verdict.UNTRACED
        and known.team == team
    ]
    return [*(one for one in found if one.function_arn is None and one.team == team), *sleeping]


def _asleep(context: Context, team: str | None) -> set[str]:
    return {one.function_arn for one in _naps(context, team) if one.function_arn}


def _nap(one: Snooze) -> Nap:
    name = one.function_arn.rpartition(":")[2] if one.function_arn else ""
    return Nap(one.id, name, one.by, one.until)


def _review(context: Context, post: Post, items: Sequence[Item]) -> str:
    """Any of its requests: the button asks for the functions of the post's team."""
    asked = next((one.request.id for one in items if one.request), "")
    several = context.store.batches.count(post.team, patch_only=context.policy.patch_only_functions) > 1
    return asked if several else ""


def _choices(items: Sequence[Item], untraced: int) -> list[str]:
    """What the menu offers; nothing where nothing is untraced."""
    if not untraced:
        return []
    from commands import COMMANDS  # the table knows of all commands, and they of what is drawn

    known = {entry.action_id for entry in COMMANDS if isinstance(entry, Button)}
    offered = any(one.request for one in items) and living.EXEMPT_SOME in known
    return [one for one in living.CHOICES if one != living.EXEMPT_SOME or offered]


def _news(
    context: Context, told: Told | None, post: Post, audit: Audit, untraced: Sequence[Function]
) -> tuple[str, ...]:
    """What audits told of the team between what it was told before and now."""
    kept = [one for one in last_known(context, audit) if one.function.team == post.team]
    if told is None or told.news_after is None:
        return ("", news.kept_line(kept))
    changes = context.store.changes.of_team(post.team, told.news_after, told.looked_at)
    # Somebody's own decision is not held against anybody.
    undone = {one.function_arn for one in changes if was_undone(context, one)}
    exempt = _exemption_posts.news_lines(context, post.team, told.news_after, told.looked_at)
    return news.digest_line(changes, {one.arn for one in untraced} - undone), *exempt, news.kept_line(kept)
