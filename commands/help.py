"""What `help` after any slash command says."""

from commands._types import Say, Slash
from commands.views.blocks import Block, section
from commands.views.text import entities

ASKING = frozenset({"help", "?", "-h", "--help"})


def asks_for_help(text: str) -> bool:
    return next(iter(text.lower().split()), "") in ASKING


def help_for(entry: Slash) -> Say:
    """What the command does, how it is typed, and examples that can be copied."""
    typed = f"{entry.command} {entry.usage}".strip()
    head = f"*{entities(typed)}*\n{entities(entry.summary)}"
    examples = "\n".join(f"`{example}`" for example in entry.examples)
    blocks: tuple[Block, ...] = (section(head), section(examples))
    return Say(entities(f"{typed}: {entry.summary}"), blocks)
