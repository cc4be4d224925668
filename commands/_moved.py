"""Functions that have gone to another team: their requests go with them, and what shows either side says so at once."""

from collections.abc import Collection

from commands._renamed import follow_names
from commands._types import Context
from commands.views.digest import PAGE
from storage.fixes import FixRequest
from storage.models import PostKind, PostState


def follow(context: Context, teams: Collection[str | None]) -> None:
    """`teams`: those that functions have left or come to. To be called in the transaction in which they did."""
    store = context.store
    follow_names(context)  # a new name for a team moves its functions too
    for asked in store.requests.follow_teams():
        if asked.waiting and asked.asked_by:
            _ask_there(context, asked)
        elif asked.waiting:
            give_a_row(context, asked)
        store.posts.redraw_showing(asked.id)
    for team in teams:
        store.posts.redraw_digest(team)


def _ask_there(context: Context, asked: FixRequest) -> None:
    """In the new team's channel, once: who decides on it by now has not heard of it."""
    posts, now = context.store.posts, context.clock()
    if any(one.kind is PostKind.REQUEST and one.team == asked.team for one in posts.that_show(asked.id)):
        return
    posts.create(
        f"request:{asked.id}:{now.isoformat()}",
        PostKind.REQUEST,
        context.teams.channel_of(asked.team),
        now,
        team=asked.team,
        requests=[asked.id],
    )


def give_a_row(context: Context, asked: FixRequest) -> None:
    """In the digest of its team, where there is room; tomorrow's puts it in its place."""
    store = context.store
    told = store.digests.of_team(asked.team)
    post = store.posts.get(told.post) if told and told.post is not None else None
    if post is None or post.state is PostState.ABANDONED:
        return
    shown = store.posts.requests_of(post.id)
    if asked.id not in shown and len(shown) < PAGE:
        store.posts.show(post.id, [*shown, asked.id])
