"""The id under which Slack is to take a message once: the same at each attempt, and another once Slack has lost it.

UNCONFIRMED: that Slack takes a message once for each `client_msg_id`. What keeps one from being sent twice is that its
place is recorded; the id is for the process that is killed in between.
"""

import uuid

from storage.models import Post

# Slack has seen the message's id, and has no message to show for it.
LOST = {"duplicate_message_not_found", "duplicate_channel_not_found"}
LOST_BEFORE = "lost "


def message_id(post: Post, *, plain: bool) -> str:
    """`plain`: without its blocks, which makes it another message.

    It goes by the channel as the row names it: by which id or name Slack is asked may change between two attempts.
    """
    lost = _lost(post)
    anew = f" {lost}" if lost else ""  # an id that Slack knows is not taken again
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{post.key} {post.channel} {plain}{anew}"))


def what_to_keep(post: Post, error: str) -> str:
    """Of an error: over another failure it is not forgotten how often Slack has lost the message."""
    lost = _lost(post) + (error in LOST)
    return f"{LOST_BEFORE}{lost}: {error}" if lost else error


def _lost(post: Post) -> int:
    """How often Slack knew its id and had lost the message."""
    number = post.error.removeprefix(LOST_BEFORE).partition(":")[0]
    return int(number) if post.error.startswith(LOST_BEFORE) else 0
