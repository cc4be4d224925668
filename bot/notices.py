"""What whoever runs Lamplighter has to know: said once in the log and once in the fallback channel."""

import logging

from commands._types import Context
from storage.models import PostKind

log = logging.getLogger(__name__)


def notify(context: Context, key: str, text: str) -> None:
    """`key` is what makes it once; `text` is mrkdwn and says how to mend it."""
    channel = context.teams.fallback_channel
    if context.store.posts.create(f"notice:{key}", PostKind.NOTICE, channel, context.clock(), text=text):
        log.warning("%s", text)
