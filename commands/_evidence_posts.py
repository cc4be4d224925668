"""An evidence report in a channel: a file with a sentence above it. It is made when it is sent, from memory of then."""

from commands._digest import Attachment
from commands._evidence import NoEvidence, make_evidence, read_days
from commands._types import Context
from commands.views import evidence as view
from commands.views.blocks import Block
from commands.views.text import escape, mention
from storage.evidence import AskedFor
from storage.models import Post, PostKind
from storage.proof import Evidence

FORGOTTEN = "This report is not kept here. Ask anew: `/trace-report evidence 2026-07-01 2026-09-30`"


def post_evidence(context: Context, asked: AskedFor, by: str, channel: str) -> bool:
    """False where it was posted there before."""
    key = f"evidence:{asked.id}:{channel}"
    with context.store.transaction():
        post = context.store.posts.create(key, PostKind.EVIDENCE, channel, context.clock(), text=mention(by))
        if post is None:
            return False
        context.store.evidence.show(post.id, asked.id)
    return True


def draw(context: Context, post: Post) -> tuple[str, list[Block]]:
    """The words that go with the file, or stand alone where Slack takes none."""
    made = _made(context, post)
    return (f"{escape(view.summary(made))} Posted by {post.text}." if made else FORGOTTEN), []


def attachments(context: Context, post: Post) -> list[Attachment]:
    """One page of HTML, to be opened in a browser and printed."""
    made = _made(context, post)
    if made is None:
        return [Attachment("evidence.html", FORGOTTEN.encode(), "Evidence")]
    days = f"{made.range.since} to {made.range.until}"
    return [Attachment(f"{name_of(made)}.html", view.as_html(made).encode(), f"Evidence of tracing, {days}")]


def name_of(made: Evidence) -> str:
    """Of a file, without its ending."""
    return f"evidence-{made.team or 'all-teams'}-{made.range.since}-{made.range.until}".replace("/", "-")


def _made(context: Context, post: Post) -> Evidence | None:
    asked = context.store.evidence.of_post(post.id)
    if asked is None:
        return None
    try:
        days = read_days(f"{asked.since}", f"{asked.until}", context)
    except NoEvidence:
        return None
    return make_evidence(context, days, asked.team)
