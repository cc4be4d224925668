"""App Home: one person's page, from how their teams stand down to what they can do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from commands.views import blocks, news
from commands.views.blocks import Block
from commands.views.digest import team_name
from commands.views.exemptions import asked_blocks, ending_buttons, row
from commands.views.functions import item_blocks
from commands.views.item import Item
from commands.views.living import END_SNOOZE, who
from commands.views.text import clip, code, count, coverage_line, day, day_and_time, escape, mention, not_scanned_line
from storage.models import Audit, Coverage, Exemption, Snooze
from storage.news import LastKnown
from storage.overview import Point

PAGE = 10  # functions; each takes two of the 100 blocks
MOST_TEAMS = 25
MOST_WAITING = 5
MOST_TO_CONFIRM = 3
MOST_ENDING = 4
MOST_QUIET = 4
MOST_UNSEEN = 5
FEWEST_BARS = 5
PREVIOUS, NEXT, ALL_TEAMS, MY_TEAMS = "home-previous", "home-next", "home-all-teams", "home-my-teams"
TURNS = (PREVIOUS, NEXT, ALL_TEAMS, MY_TEAMS)

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a new workspace does once."""

    what: str  # mrkdwn: what it is, and how it is done
    done: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """An exemption that ends soon."""

    exemption: Exemption
    covers: int  # functions


@dataclass(frozen=True, slots=True)
class Quiet:
    """A snooze."""

    snooze: Snooze
    name: str  # the function's; "" where a whole team sleeps


@dataclass(frozen=True, slots=True)
class Home:
    """What the page shows."""

    audit: Audit | None
    teams: Sequence[tuple[str | None, Coverage]] = ()  # the one with most untraced functions first
    mine: bool = False  # whether these are the person's own, and not simply all
    has_own: bool = False  # whether there is a choice between the two
    trend: Sequence[Point] = ()  # oldest first
    waiting: Sequence[Item] = ()  # for this person's approval
    waiting_in_all: int = 0
    to_confirm: Sequence[tuple[Exemption, Sequence[str]]] = ()  # exemptions that wait for this person, and names
    ending: Sequence[Ending] = ()  # the first to end first
    quiet: Sequence[Quiet] = ()  # the first to wake first
    rows: Sequence[Item] = ()  # untraced functions, of this page
    untraced: int = 0
    page: int = 1
    pages: int = 1
    steps: Sequence[Step] = ()
    tip: Sequence[Block] = ()
    kept: Sequence[LastKnown] = ()  # as they were when AWS last showed them


def home_view(home: Home, metadata: str = "") -> Block:
    """`metadata` is what the next click on the page is told: which page it is."""
    made = _first_run(home) if home.audit is None else _page(home, home.audit)
    return {"type": "home", "private_metadata": metadata, "blocks": made[:100]}


def notice_view(text: str) -> Block:
    """A page that only tells, as for a guest."""
    return {"type": "home", "blocks": [blocks.section(text)]}


def _first_run(home: Home) -> list[Block]:
    return [
        blocks.header("Welcome to Lamplighter"),
        blocks.section(
            "I look every day for AWS Lambda functions that run without X-Ray active tracing, and tell each owning "
            "team in its own channel. An approver turns tracing on there with one click, or grants an exemption with "
            "a reason and an end date. Everything that is decided is recorded."
        ),
        *_steps(home.steps),
        blocks.context("This page fills with the first audit."),
    ]


def _steps(steps: Sequence[Step]) -> list[Block]:
    lines = [f"{number}. {'*Done:*' if one.done else '*To do:*'} {one.what}" for number, one in enumerate(steps, 1)]
    return [blocks.section("\n".join(["*What to do next*", *lines]))] if lines else []


def _page(home: Home, audit: Audit) -> list[Block]:
    made = _head(home)
    made += _steps([step for step in home.steps if not step.done])
    made += _waiting(home)
    made += _to_confirm(home)
    made += _teams(home)
    made += _ending(home)
    made += _quiet(home)
    made += _rows(home)
    made += home.tip
    return [*made, *_health(home, audit)]


def _head(home: Home) -> list[Block]:
    total = Coverage.sum(counts for _, counts in home.teams)
    percent = "no function that can be traced" if total.percent is None else f"{total.percent:g}\N{NO-BREAK SPACE}%"
    made = [blocks.header(f"Tracing coverage of {_whose(home)}: {percent}"), blocks.section(coverage_line(total))]
    trend = trend_line(home.trend)
    if trend:
        made.append(blocks.context(trend))
    if home.has_own:
        label, turn = ("All teams", ALL_TEAMS) if home.mine else ("My teams only", MY_TEAMS)
        made.append(_turns([blocks.button(label, turn, turn, described=f"Show {label.lower()}")], "home-whose"))
    return made


def _whose(home: Home) -> str:
    if not home.mine:
        return "all teams"
    return clip(team_name(home.teams[0][0]), 60) if len(home.teams) == 1 else f"my {len(home.teams)} teams"


def trend_line(trend: Sequence[Point]) -> str:
    """What it was and what it is, with a sparkline where there are days enough for one; empty where there is nothing to
    compare."""
    known = [(point.at, point.coverage.percent) for point in trend if point.coverage.percent is not None]
    if len(known) < 2:
        return ""
    drawn = "".join(_BARS[min(7, int(percent / 12.5))] for _, percent in known)
    bars = f"{drawn} " if len(known) >= FEWEST_BARS else ""  # of fewer, nobody sees a trend
    (since, first), (until, last) = known[0], known[-1]
    then = f"{first:g}\N{NO-BREAK SPACE}% at the audit of {day(since)}"
    return f"{bars}{then}, {last:g}\N{NO-BREAK SPACE}% at that of {day(until)}"


def _waiting(home: Home) -> list[Block]:
    if not home.waiting:
        return []
    made = [blocks.header(f"{count(home.waiting_in_all, 'request')} {_wait(home.waiting_in_all)} for your approval")]
    for item in home.waiting:
        made += item_blocks(item)
    left = home.waiting_in_all - len(home.waiting)
    return [*made, blocks.context(f"and {left:,} more, in their teams' channels")] if left else made


def _to_confirm(home: Home) -> list[Block]:
    if not home.to_confirm:
        return []
    number = len(home.to_confirm)
    made = [blocks.header(f"{count(number, 'exemption')} {_wait(number)} for a second person: you may confirm")]
    for exemption, names in home.to_confirm[:MOST_TO_CONFIRM]:
        made += asked_blocks(exemption, names, ())
    left = number - MOST_TO_CONFIRM
    return [*made, blocks.context(f"and {left:,} more, in their teams' channels")] if left > 0 else made


def _ending(home: Home) -> list[Block]:
    if not home.ending:
        return []
    number = len(home.ending)
    made = [blocks.header(f"{count(number, 'exemption')} {'ends' if number == 1 else 'end'} within 30 days")]
    for one in home.ending[:MOST_ENDING]:
        made += [blocks.section(row(one.exemption, one.covers)), ending_buttons(one.exemption)]
    left = number - MOST_ENDING
    return [*made, blocks.context(f"and {left:,} more: `/trace-exempt list`")] if left > 0 else made


def _quiet(home: Home) -> list[Block]:
    if not home.quiet:
        return []
    made = [blocks.header(f"{len(home.quiet):,} snoozed: untraced and counted, but no news")]
    for one in home.quiet[:MOST_QUIET]:
        what = code(clip(one.name, 140)) if one.name else f"New messages for {who(one.snooze.team)}"
        section = blocks.section(f"{what}: until {day(one.snooze.until)} by {mention(one.snooze.by)}")
        described = f"End the snooze of {one.name or team_name(one.snooze.team)}"
        section["accessory"] = blocks.button("End snooze", END_SNOOZE, one.snooze.id, described=described)
        made.append(section)
    left = len(home.quiet) - MOST_QUIET
    return [*made, blocks.context(f"and {left:,} more, in their teams' digests")] if left > 0 else made


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _teams(home: Home) -> list[Block]:
    if len(home.teams) < 2:
        return []
    lines = [
        f"• *{escape(clip(team_name(team), 80))}*: {counts.untraced:,} untraced · {coverage_line(counts)}"
        for team, counts in home.teams[:MOST_TEAMS]
    ]
    left = len(home.teams) - MOST_TEAMS
    made = [blocks.header("By team"), *(blocks.section("\n".join(part)) for part in _parts(lines))]
    return [*made, blocks.context(f"and {count(left, 'more team')}")] if left > 0 else made


def _parts(lines: Sequence[str]) -> list[list[str]]:
    """As many lines together as a section takes."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if sum(map(len, parts[-1])) + len(parts[-1]) + len(line) > 2900:
            parts.append([])
        parts[-1].append(line)
    return parts


def _rows(home: Home) -> list[Block]:
    if not home.untraced:
        return [blocks.section(f"No function of {_whose(home)} is untraced.")]
    made = [blocks.header(f"{count(home.untraced, 'function')} without active tracing")]
    for team, items in groupby(home.rows, key=lambda item: item.function.team if item.function else None):
        made += [blocks.context(f"*{escape(clip(team_name(team), 80))}*")] if len(home.teams) > 1 else []
        for item in items:
            made += item_blocks(item)
    if home.pages == 1:
        return made
    turns = []
    if home.page > 1:
        turns.append(blocks.button("Previous", PREVIOUS, PREVIOUS, described="Previous page of functions"))
    if home.page < home.pages:
        turns.append(blocks.button("Next", NEXT, NEXT, described="Next page of functions"))
    return [*made, blocks.context(f"Page {home.page:,} of {home.pages:,}"), _turns(turns, "home-turns")]


def _turns(buttons: Sequence[Block], block_id: str) -> dict[str, Any]:
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)}


def _health(home: Home, audit: Audit) -> list[Block]:
    about = (
        f"Last audit: {day_and_time(audit.finished_at)} · {count(audit.functions, 'function')} in "
        f"{count(audit.accounts, 'account')} and {count(audit.regions, 'region')} · {audit.seconds:.1f} s · "
        f"{count(audit.aws_calls, 'AWS call')}"
    )
    made = [{"type": "divider"}, blocks.context(about)]
    unseen = [not_scanned_line([row]) for row in audit.not_scanned[:MOST_UNSEEN]]
    if len(audit.not_scanned) > MOST_UNSEEN:
        unseen.append(f"and {len(audit.not_scanned) - MOST_UNSEEN:,} places more that were not fully seen")
    kept = news.kept_line(home.kept)
    return [*made, *(blocks.context(line) for line in [*unseen, kept] if line)]
