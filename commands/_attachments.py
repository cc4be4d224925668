"""The files of a post, made from memory at the moment of sending."""

from commands import _digest, _evidence_posts, _history, _map_posts, _report_posts
from commands._digest import Attachment
from commands._types import Context
from storage.models import Post, PostKind


def attachments(context: Context, post: Post) -> list[Attachment]:
    """In the order in which they are shown."""
    if post.kind is PostKind.REPORT_FILES:
        return _report_posts.attachments(context, post)
    if post.kind is PostKind.MAP_FILES:
        return _map_posts.attachments(context, post)
    if post.kind is PostKind.HISTORY:
        return [_history.attachment(context, post)]
    if post.kind is PostKind.EVIDENCE:
        return _evidence_posts.attachments(context, post)
    return [_digest.attachment(context, post)]
