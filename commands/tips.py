"""App Home's tips: a person who has dismissed one does not see it again."""

from commands._types import Answer, Context, Request

LONGEST = 40  # characters of a tip's id; what a button brings back is kept


def dismiss(request: Request, context: Context) -> Answer:
    """Answer the button beside a tip; the page is drawn again after each click."""
    context.store.tips.dismiss(request.value[:LONGEST], request.user, request.workspace, context.clock())
    return []
