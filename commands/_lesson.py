"""What a team is told once: how to read what its first fix lets it see."""

from commands._types import Context
from commands.views.reading import lesson
from storage.fixes import FixRequest
from storage.models import PostKind


def teach(context: Context, asked: FixRequest) -> None:
    """After a fix, in the thread of the message that showed it. A team that was told is not told again, and one whose
    fix no message showed is told after its next one."""
    store = context.store
    function, shown = store.functions.get(asked.function_arn), store.posts.showing(asked.id)
    if function is None or not function.team or shown is None:
        return
    store.posts.create(
        f"lesson:reading:{function.team}",
        PostKind.NOTICE,
        shown.channel,
        context.clock(),
        team=function.team,
        text=lesson(function, store.forecasts.get(function.arn)),
        thread=shown.thread or shown.id,
    )
