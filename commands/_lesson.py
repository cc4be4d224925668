"""What a team is told once: how to read what its first fix lets it see."""

from commands._types import Context
from commands.views.reading import lesson
from storage.fixes import FixRequest
from storage.models import PostKind

_KEY = "lesson:reading:"


def teach(context: Context, asked: FixRequest) -> None:
    """After a fix, in the thread of the message that showed it. A team that was told is not told again, and one whose
    fix no message showed is told after its next one."""
    store = context.store
    with store.transaction():  # two fixes of a team may end at once
        function, shown = store.functions.get(asked.function_arn), store.posts.showing(asked.id)
        if function is None or not function.team or shown is None or store.posts.has(_KEY, function.team):
            return
        store.posts.create(
            f"{_KEY}{asked.id}",  # and not its name, which may become another
            PostKind.NOTICE,
            shown.channel,
            context.clock(),
            team=function.team,
            text=lesson(function, store.forecasts.get(function.arn)),
            thread=shown.thread or shown.id,
        )
