"""What a digest has beside its rows: the menu, what is snoozed, counts by account, and its last words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import clip, code, count, coverage_line, day, escape, mention
from storage.models import Coverage

MENU = "digest-menu"
SNOOZE = "snooze-some"
NOT_OURS = "not-ours"
CSV = "list-csv"
EXEMPT_SOME = "exempt-some"
END_SNOOZE = "end-snooze"
CHOICES = {EXEMPT_SOME: "Exempt some…", SNOOZE: "Snooze…", NOT_OURS: "Not our functions", CSV: "Download CSV"}

NAPS_SHOWN = 3
ACCOUNTS_SHOWN = 9
ROW = 400


def who(team: str | None) -> str:
    """A team in a sentence."""
    return f"*{escape(clip(team, 200))}*" if team else "no known team"


@dataclass(frozen=True, slots=True)
class Nap:
    """A snooze as it is shown: of a function, or of the whole team."""

    id: str
    name: str  # "" for the team
    by: str
    until: datetime  # the last moment of it


def menu(choices: Sequence[str], request_id: str) -> Block:
    """What is rarely wanted. Each choice carries its name and the request's id, with a space between."""
    options = [
        {"text": {"type": "plain_text", "text": CHOICES[one], "emoji": False}, "value": f"{one} {request_id}".strip()}
        for one in choices
    ]
    return {"type": "overflow", "action_id": MENU, "options": options}


def nap_blocks(naps: Sequence[Nap]) -> list[Block]:
    """Who sleeps and until when, each with the button that ends it; how many there are is said in any case."""
    if not naps:
        return []
    functions = [one for one in naps if one.name]
    made = []
    for one in naps[:NAPS_SHOWN]:
        what = code(clip(one.name, 140)) if one.name else "New messages for this team"
        section = blocks.section(f"{what}: snoozed until {day(one.until)} by {mention(one.by)}")
        described = f"End the snooze of {one.name or 'the team'}"
        section["accessory"] = blocks.button("End snooze", END_SNOOZE, one.id, described=described)
        made.append(section)
    more = len(naps) - NAPS_SHOWN
    rest = f" {more:,} more can be ended with *Snooze…* in the menu below." if more > 0 else ""
    if functions:
        said = f"{count(len(functions), 'function')} snoozed: untraced and counted, but no news."
        made.append(blocks.context(said + rest))
    return made


def places(others: Mapping[str, int]) -> list[Block]:
    """How many untraced functions without a row there are in each account, most first."""
    ranked = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [(account, f"{number:,} untraced") for account, number in ranked[:ACCOUNTS_SHOWN]]
    rest = ranked[ACCOUNTS_SHOWN:]
    if rest:
        shown.append((count(len(rest), "other account"), f"{sum(number for _, number in rest):,} untraced"))
    total = sum(others.values())
    if not ranked:
        return []
    return [blocks.context(f"{total:,} {'other' if total == 1 else 'others'}, by account:"), blocks.fields(*shown)]


def zero_text(team: str | None, coverage: Coverage, since: datetime) -> str:
    """The last word; "all are traced" only where that is so."""
    whole = coverage.traced + coverage.untraced + coverage.exempt + coverage.unknown
    if not whole:
        return f"No function of {who(team)} that could be traced is left since {day(since)}."
    if coverage.traced == whole:
        return f"All {count(whole, 'function')} of {who(team)} are traced since {day(since)}."
    return f"No function of {who(team)} is untraced since {day(since)}: {coverage_line(coverage)}."


def retired_text(team: str | None, at: datetime, permalink: str) -> str:
    where = f"<{permalink}|a newer one>" if permalink else "a newer one below"
    return f"The digest of {day(at)} for {who(team)} was replaced by {where}."


def retired_blocks(team: str | None, at: datetime, permalink: str, lines: Sequence[str]) -> list[Block]:
    """Without buttons: they are in the newer one. What became of its functions up to then stays readable."""
    made = [blocks.section(retired_text(team, at, permalink))]
    return [*made, *(blocks.context(clip(line, ROW)) for line in lines)]
