"""The digest's menu: what is rarely wanted, each choice handed to the command that does it."""

from collections.abc import Callable
from dataclasses import replace

from commands import snooze
from commands._answers import UNKNOWN_BUTTON
from commands._types import Answer, Button, Context, Request, Say
from commands.views.living import CSV, EXEMPT_SOME, NOT_OURS, SNOOZE, who
from commands.views.text import code
from storage.models import Post, PostKind

NOT_THE_NEWEST = "This digest was replaced by a newer one: use the menu there."


def choose(request: Request, context: Context) -> Answer:
    """Answer a choice of the menu. The message that was clicked says of which team it is."""
    choice, _, rest = request.value.partition(" ")
    post = context.store.posts.at(request.channel, request.message)
    if post is None or post.kind is not PostKind.DIGEST:
        yield Say(UNKNOWN_BUTTON)
    elif post.newer is not None and choice != NOT_OURS:
        yield Say(NOT_THE_NEWEST)
    elif choice == EXEMPT_SOME:
        yield from _elsewhere(choice, replace(request, value=rest), context)
    else:
        does: dict[str, Callable[[Request, Context, Post], Answer]]
        does = {SNOOZE: snooze.open_form, CSV: _as_csv, NOT_OURS: _not_ours}
        yield from does[choice](request, context, post) if choice in does else [Say(UNKNOWN_BUTTON)]


def _elsewhere(action_id: str, request: Request, context: Context) -> Answer:
    """As if a button of that id had been clicked."""
    from commands import COMMANDS  # the table that this command stands in

    entry = next((one for one in COMMANDS if isinstance(one, Button) and one.action_id == action_id), None)
    return entry.run(request, context) if entry else [Say(UNKNOWN_BUTTON)]


def _as_csv(_request: Request, context: Context, post: Post) -> Answer:
    """Once for what the digest shows now: the file is in the thread, where all who read the digest find it."""
    version = context.store.posts.get(post.id).wanted_version
    made = context.store.posts.create(
        f"csv:{post.id}:{version}",
        PostKind.FILE,
        post.channel,
        context.clock(),
        team=post.team,
        thread=post.id,
    )
    said = "The list comes as a CSV file" if made else "The list of what this digest shows is"
    yield Say(f"{said} in the thread of this message.")


def _not_ours(_request: Request, context: Context, post: Post) -> Answer:
    keys = " or ".join(code(key) for key in context.teams.tag_keys)
    yield Say(
        f"Whose a function is, its tags say. These were found to be of {who(post.team)}: set the tag {keys} to the "
        "right team in AWS (or in the code that deploys them), and the next audit tells that team. "
        "Where no tag says whose it is, an approver assigns it under `/trace-owners`."
    )
