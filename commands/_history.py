"""What the history shows: a page of what was searched for, and the file that a post brings."""

from commands._digest import Attachment
from commands._types import Context
from commands.views import history as views
from commands.views.blocks import Block
from commands.views.history import NEWER, OLDER, POST, ROWS
from commands.views.history_export import lines
from storage.history import File, Search
from storage.models import Post

MOST_IN_A_FILE = 50_000  # decisions, in Slack; the command line writes any number


def token_of(context: Context, function_arn: str) -> str:
    """What a button carries that shows what was decided about a function."""
    return context.store.history.keep(Search(functions=(function_arn,)), 1, context.clock())


def page(context: Context, search: Search, number: int) -> tuple[str, list[Block]]:
    """Text and blocks. What is decided from now on is on none of its pages, so that none moves."""
    history, now = context.store.history, context.clock()
    search = search if search.top is not None else history.now(search)
    total = history.count(search)
    number = min(max(1, number), max(1, -(-total // ROWS)))
    shown = history.page(search, (number - 1) * ROWS, ROWS)
    turns = {NEWER: number - 1, OLDER: number + 1 if number * ROWS < total else 0, POST: 1 if total else 0}
    with context.store.transaction():
        tokens = {action: history.keep(search, to, now) for action, to in turns.items() if to}
    made = views.page_blocks(search, shown, zone=context.zone, page=number, total=total, tokens=tokens)
    return views.page_text(search, total, context.zone), made


def attachment(context: Context, post: Post) -> Attachment:
    file = _file(context, post)
    content = "".join(lines(context.store.history.each(file.search), file.format)).encode()
    name = f"decisions-{post.created_at.astimezone(context.zone):%Y-%m-%d-%H%M}.{file.format}"
    return Attachment(name, content, "Decisions")


def _file(context: Context, post: Post) -> File:
    file = context.store.history.of_post(post.id)
    if file is None:
        raise AssertionError("a post and what it brings are kept in one transaction")
    return file
