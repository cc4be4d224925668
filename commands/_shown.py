"""What a message shows, read from memory at the moment of drawing."""

from commands._coverage import coverage_of
from commands._types import Block, Context
from commands.views import digest, functions
from commands.views.blocks import context as context_block
from commands.views.functions import Item
from storage.models import FixRequest, Function, Post


def item(context: Context, request: FixRequest) -> Item:
    """A request with its function as it stands now."""
    return _item(context, request, context.store.functions.get(request.function_arn), request.function_arn)


def item_of(context: Context, function: Function) -> Item:
    """A function with its live request, if it has one."""
    return _item(context, context.store.requests.live(function.arn), function, function.arn)


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """A post's text and blocks, from memory alone: the same post drawn later shows what is true then."""
    items = [item(context, context.store.requests.get(number)) for number in context.store.posts.requests_of(post.id)]
    match post.kind:
        case "digest":
            return _digest(context, post, items)
        case "request":
            return _asked(post, items[0])
        case _:
            return post.text, []


def _item(context: Context, request: FixRequest | None, function: Function | None, arn: str) -> Item:
    store = context.store
    return Item(
        function=function,
        request=request,
        exemption=store.exemptions.covering(arn, context.clock()),
        sharing=store.functions.sharing(function.role, arn) if function and function.role else 0,
        since=store.functions.since(arn),
    )


def _digest(context: Context, post: Post, items: list[Item]) -> tuple[str, list[Block]]:
    store = context.store
    page = int(post.key.rsplit(":", 1)[-1])
    audit = store.audits.latest()
    members = store.functions.of_team_since(post.team, audit.started_at) if audit else []
    total = len(items) if post.thread or page > 1 else store.posts.total_under(post.id)
    made = digest.digest_blocks(
        post.team,
        items,
        total=total,
        page=page,
        audit=audit,
        coverage=coverage_of(members),
        approvers_known=context.people.somebody_may_approve(post.team),
    )
    return digest.digest_text(post.team, items, page), made


def _asked(post: Post, shown: Item) -> tuple[str, list[Block]]:
    return post.text, [context_block(post.text), *functions.item_blocks(shown)]
