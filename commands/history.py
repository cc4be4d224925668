"""`/trace-history` and its buttons: who decided what, the newest first, and the same as a file."""

from commands import _refused
from commands._history import MOST_IN_A_FILE, page
from commands._history_words import Unclear, read
from commands._types import Answer, Context, Replace, Request, Say
from commands.views.history import CSV, FORMATS, NEWER, OLDER, POST, SHOW, file_text
from commands.views.text import channel, count
from storage.history import Search
from storage.models import PostKind

__all__ = ["NEWER", "OLDER", "POST", "SHOW", "history", "post", "show", "turn"]

FORGOTTEN = "This page is no longer kept. Ask again: `/trace-history`"


def history(request: Request, context: Context) -> Answer:
    """Answer `/trace-history [function | team | person] [since …] [csv | jsonl]`, from memory alone."""
    try:
        search, file_format = read(request.text, context, request.user)
    except Unclear as unclear:
        yield Say(str(unclear))
        return
    if file_format:
        yield _post(request, context, search, file_format)
        return
    text, blocks = page(context, search, 1)
    yield Say(text, tuple(blocks))


def show(request: Request, context: Context) -> Answer:
    """Answer *History* on a function's card: beside the card, not in its place."""
    return _found(request, context, Say)


def turn(request: Request, context: Context) -> Answer:
    """Answer *Older* and *Newer*."""
    return _found(request, context, Replace)


def _found(request: Request, context: Context, how: type[Say] | type[Replace]) -> Answer:
    found = context.store.history.find(request.value)
    if found is None:
        yield Say(FORGOTTEN)
        return
    text, blocks = page(context, *found)
    yield how(text, tuple(blocks))


def post(request: Request, context: Context) -> Answer:
    """Answer *Post as CSV…*: the decisions of all pages, in the channel."""
    found = context.store.history.find(request.value)
    yield _post(request, context, found[0], CSV, once=request.value) if found else Say(FORGOTTEN)


def _post(request: Request, context: Context, search: Search, file_format: str, once: str = "") -> Say:
    """Reading is for every full member, in private. A file is read by all who are in the channel, guests among them:
    that takes an approver. `once`: what was clicked; a second click posts no second file."""
    if request.channel.startswith("D"):
        return Say("A file is posted in a channel, and this is a direct message. Type it in a channel.")
    team = _team(context, search)
    permission = context.people.may_approve(request.user, request.workspace, team)
    if not permission.allowed:
        _refused.keep(request, context, _refused.HISTORY, permission.why)
        return Say(
            f"Nothing was posted. Everybody in a channel reads a file, so that an approver asks. {permission.why}"
        )
    store, now = context.store, context.clock()
    search = search if search.top is not None else store.history.now(search)
    total = store.history.count(search)
    if not total:
        return Say(page(context, search, 1)[0])
    if total > MOST_IN_A_FILE:
        most = f"{MOST_IN_A_FILE:,}"
        return Say(
            f"{count(total, 'decision')} are too many for a file in Slack, which takes {most}: name a team or a start, "
            "or have `python -m bot history --format csv --output decisions.csv` write them."
        )
    head = store.chain.head()
    text = file_text(search, total, file_format, request.user, str(head) if head else "", context.zone)
    with store.transaction():
        token = store.history.keep(search, 1, now)
        key = f"history:{once or token}:{request.channel}"
        made = store.posts.create(key, PostKind.HISTORY, request.channel, now, text=text)
        if made:
            store.history.bring(made.id, token, file_format)
    if made is None:
        return Say("This was posted here already.")
    what, fallback = count(total, "decision"), channel(context.teams.fallback_channel)
    come = "comes" if total == 1 else "come"
    return Say(f"{what} {come} here as {FORMATS[file_format]}, or to {fallback} where I am no member of this channel.")


def _team(context: Context, search: Search) -> str | None:
    """Whose approvers may publish it: the team's that is asked about, or the function's; else those of all."""
    if search.teams:
        return context.teams.named(search.teams[0]) or None
    teams = {context.store.functions.last_team(arn) or None for arn in search.functions}
    return teams.pop() if len(teams) == 1 else None
