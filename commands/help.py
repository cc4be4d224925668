"""What `help` after any slash command says: how the command is typed, or what there is to know of a topic."""

from collections.abc import Callable, Mapping

from commands._types import Say, Slash
from commands.views import depth, reading
from commands.views.blocks import Block, context, section
from commands.views.text import entities

ASKING = frozenset({"help", "?", "-h", "--help"})
TOPICS: Mapping[str, tuple[str, Callable[[], list[Block]]]] = {
    "reading": ("How to read a trace map and traces", reading.guide),
    "instrument": ("How to see what a function calls", depth.guide),
}


def asks_for_help(text: str) -> bool:
    return next(iter(text.lower().split()), "") in ASKING


def help_for(entry: Slash, text: str = "") -> Say:
    """What the command does, how it is typed, and examples that can be copied; `help <topic>` tells of the topic."""
    about = text.lower().split()[1:2]
    if about and about[0] in TOPICS:
        title, made = TOPICS[about[0]]
        return Say(title, tuple(made()))
    typed = f"{entry.command} {entry.usage}".strip()
    head = f"*{entities(typed)}*\n{entities(entry.summary)}"
    examples = "\n".join(f"`{example}`" for example in entry.examples)
    topics = " · ".join(f"{title}: `{entry.command} help {topic}`" for topic, (title, _) in TOPICS.items())
    blocks: tuple[Block, ...] = (section(head), section(examples), context(topics))
    return Say(entities(f"{typed}: {entry.summary}"), blocks)
