"""What App Home tells a person once: one thing at a time, until they have dismissed it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import clip, code

DISMISS = "tip-dismiss"
NAME_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Known:
    """What makes a tip worth telling, and its examples this person's own."""

    traced: bool = False  # whether one of the functions shown is
    untraced: str = ""  # one of the functions shown that is not
    team: str = ""  # one of this person's
    day: date | None = None  # a day before today that memory knows


def tips(known: Known) -> dict[str, str]:
    """Those worth telling, by id, in the order of telling."""
    made: dict[str, str] = {}
    if known.traced:
        made["reading"] = "`/trace-audit help reading` says how to read a trace map, and a trace, in a minute."
    if known.untraced:
        typed = code(clip(f"/trace-audit {known.untraced}", NAME_SHOWN))
        made["one-function"] = f"{typed} asks AWS now about that one function, and shows its plan, cost and buttons."
        made["snooze"] = "A digest that comes at a bad time can be snoozed for 1, 7 or 30 days: the menu at its head."
    if known.team:
        made["report"] = (
            f"{code(clip(f'/trace-report {known.team} 30d', NAME_SHOWN))} shows its coverage, repair times and cost."
        )
    if known.day:
        typed = code(f"{clip(f'/trace-audit {known.team}'.rstrip(), NAME_SHOWN)} on {known.day:%Y-%m-%d}")
        made["past"] = f"{typed} shows how things stood at the end of that day."
    return made


def tip_blocks(known: Known, dismissed: Collection[str]) -> list[Block]:
    """The first that this person has not dismissed; none once all are."""
    for tip, text in tips(known).items():
        if tip not in dismissed:
            section = blocks.section(f"*Tip:* {text}")
            section["accessory"] = blocks.button("Dismiss", DISMISS, tip, described="Dismiss this tip")
            return [section]
    return []
