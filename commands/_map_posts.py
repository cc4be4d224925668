"""A trace map in a channel: its words, and its picture in the thread and then among the words."""

from commands._digest import Attachment
from commands._types import Context
from commands.views import charts
from commands.views.blocks import Block
from commands.views.map import WITHOUT_PICTURE, Extras, alt_text, file_text, map_blocks, map_text
from storage.models import Post, PostKind, PostState

FORGOTTEN = "This map is no longer kept."


def post_map(context: Context, map_id: str, key: str, channel: str, *, shared_by: str = "") -> bool:
    """False where one with this key was posted before. `shared_by`: a mention."""
    store, now = context.store, context.clock()
    with store.transaction():
        post = store.posts.create(key, PostKind.MAP, channel, now, text=shared_by)
        if post is None:
            return False
        store.maps.show(post.id, map_id)
        if charts.can_draw():
            files = store.posts.create(f"{key}:files", PostKind.MAP_FILES, channel, now, thread=post.id)
            if files is None:
                raise AssertionError("a post and its files are made in one transaction")
            store.maps.show(files.id, map_id)
    return True


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """Its picture is among the blocks as soon as it is in the thread."""
    made = context.store.maps.of_post(post.id)
    if made is None:
        return FORGOTTEN, []
    replies = [one for one in context.store.posts.replies(post.id) if one.kind is PostKind.MAP_FILES]
    picture = next((one.file for one in replies if one.state is PostState.SENT and one.file), "")
    why = next((f"No picture: {one.error}" for one in replies if one.state is PostState.ABANDONED), "")
    no_picture = "" if picture else why or ("" if replies else WITHOUT_PICTURE)
    return map_text(made), map_blocks(made, Extras(shared_by=post.text, picture=picture, no_picture=no_picture))


def draw_files(context: Context, post: Post) -> tuple[str, list[Block]]:
    """The words that go with the picture."""
    made = context.store.maps.of_post(post.id)
    return (file_text(made) if made else FORGOTTEN), []


def attachments(context: Context, post: Post) -> list[Attachment]:
    made = context.store.maps.of_post(post.id)
    if made is None:
        return [Attachment("map.txt", FORGOTTEN.encode(), "Trace map")]
    from commands.views.map_picture import picture

    name = f"trace-map-{made.name}-{made.around.until:%Y-%m-%d-%H%M}.png"
    return [Attachment(name, picture(made), f"Trace map of {made.name}", alt_text(made))]
