"""A trace map in a channel: a picture with its words above it; words alone where there can be no picture."""

from commands._digest import Attachment
from commands._types import Context
from commands.views import charts
from commands.views.blocks import Block
from commands.views.map import Extras, alt_text, comment, map_blocks
from storage.models import Post, PostKind

FORGOTTEN = "This map is no longer kept."


def post_map(context: Context, map_id: str, key: str, channel: str, *, shared_by: str = "") -> bool:
    """False where one with this key was posted before. `shared_by`: a mention."""
    with context.store.transaction():
        post = context.store.posts.create(key, PostKind.MAP, channel, context.clock(), text=shared_by)
        if post is None:
            return False
        context.store.maps.show(post.id, map_id)
    return True


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """The words that go with the picture, and blocks for where there is none."""
    made = context.store.maps.of_post(post.id)
    if made is None:
        return FORGOTTEN, []
    extras = Extras(shared_by=post.text, can_draw=charts.can_draw())
    return comment(made, post.text), map_blocks(made, extras)


def attachments(context: Context, post: Post) -> list[Attachment]:
    """The picture; nothing where there is nothing to draw, or to draw with."""
    made = context.store.maps.of_post(post.id)
    if made is None or not charts.can_draw():
        return []
    from commands.views.map_picture import picture

    name = f"trace-map-{made.name}-{made.around.until:%Y-%m-%d-%H%M}.png"
    return [Attachment(name, picture(made), f"Trace map of {made.name}", alt_text(made))]
