"""What `help` after any slash command says."""

from commands._types import Block, Say, Slash
from commands.views.blocks import section

ASKING = frozenset({"help", "?", "-h", "--help"})


def asks_for_help(text: str) -> bool:
    return text.strip().lower() in ASKING


def help_for(entry: Slash) -> Say:
    """What the command does, how it is typed, and examples that can be copied."""
    head = f"*{entry.command} {entry.usage}*\n{entry.summary}".replace("<", "&lt;").replace(">", "&gt;")
    examples = "\n".join(f"`{example}`" for example in entry.examples)
    blocks: tuple[Block, ...] = (section(head), section(examples))
    return Say(f"{entry.command} {entry.usage}: {entry.summary}".replace("<", "&lt;").replace(">", "&gt;"), blocks)
