"""What a message about deployed functions shows, read from memory at the moment of drawing."""

from collections.abc import Callable
from dataclasses import replace

from commands._types import Context
from commands.views import deployed
from commands.views.blocks import Block
from commands.views.item import Item
from storage.fixes import FixRequest
from storage.models import Function, Post


def draw(context: Context, post: Post, item: Callable[[Context, FixRequest], Item]) -> tuple[str, list[Block]]:
    """`item` makes a row's nouns of a request. What went to another team is that team's to decide, and has no row."""
    store = context.store
    why = {arn: told.why for arn, told in store.deployments.of_post(post.id).items()}
    there = {one.arn: one for one in store.functions.of(list(why))}
    functions: dict[str, Function | None] = {arn: there.get(arn) for arn in why}
    functions = {arn: one for arn, one in functions.items() if one is None or one.team == post.team}
    # An earlier request of a function has no row where it has another one by now.
    newest = {asked.function_arn: asked for asked in map(store.requests.get, store.posts.requests_of(post.id))}
    ours = [asked for arn, asked in newest.items() if arn in functions]
    rows = [
        replace(item(context, asked), told=deployed.row_words(why[asked.function_arn]))
        for asked in ours[: deployed.shown_rows(len(functions))]
    ]
    several = store.batches.count(post.team, patch_only=context.policy.patch_only_functions) > 1
    made = deployed.deployed_blocks(
        post.team,
        rows,
        functions,
        why,
        approvers=context.people.approvers(post.team),
        tag_keys=context.teams.tag_keys,
        review=ours[0].id if several and ours else "",
        moved=len(why) - len(functions),
    )
    return deployed.deployed_text(post.team, functions, why, len(why) - len(functions)), made
