"""`/trace-owners`: teams, where they read, how their functions were found to be theirs, and functions of nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.closed import CLOSED
from commands.views.text import channel, clip, code, count, day, escape, listing, mention
from storage.models import TeamFrom
from storage.owners import Assignment, ChannelState, Owned

ASSIGN = "assign-owner"
END = "end-assignment"
PREVIOUS, NEXT = "owners-previous", "owners-next"

# Of the 12,000 characters that Slack takes in all blocks together, lists take up to 9,500 here.
MOST_TEAMS = 20
TEAM_LIMIT = 240
PAGE = 15
ORPHAN_LIMIT = 200
MOST_ASSIGNMENTS = 5
ASSIGNMENT_LIMIT = 250
NAME_SHOWN = 80

FOUND = {
    TeamFrom.TAG: "by a tag of its own",
    TeamFrom.STACK: "by a tag of its stack",
    TeamFrom.ACCOUNT: "by a tag of its account",
    TeamFrom.ASSIGNED: "assigned here",
}


@dataclass(frozen=True, slots=True)
class Team:
    """A team, and what is known of where it reads."""

    name: str
    found: Mapping[TeamFrom | None, int]  # how many functions, by how that was found
    channel: str
    named_by: str  # what names the channel: "settings", "tag" or "pattern"
    state: ChannelState | None = None  # None: nothing was posted there yet
    group: str | None = None
    tagged: Sequence[tuple[str, int]] = ()  # channels that tags of its functions name, where these disagree
    aliases: Sequence[str] = ()

    @property
    def functions(self) -> int:
        return sum(self.found.values())

    @property
    def closed(self) -> bool:
        return bool(self.state and self.state.error)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the message shows."""

    teams: Sequence[Team]
    unowned: Mapping[TeamFrom | None, int]
    orphans: Sequence[Owned]  # of this page
    page: int
    fallback: str
    assignments: Sequence[tuple[Assignment, int]]  # the newest first, with how many functions are so assigned now
    may_assign: bool

    @property
    def pages(self) -> int:
        return max(1, -(-sum(self.unowned.values()) // PAGE))


def overview_text(shown: Overview) -> str:
    """For notifications and screen readers; stands alone."""
    return f"{_owned(shown)}; {_unowned(shown)}."


def overview_blocks(shown: Overview) -> list[Block]:
    made = [blocks.header("Who owns what"), blocks.section(f"{_owned(shown)}{_how(shown)}.\n{_unowned(shown)}.")]
    if shown.may_assign:
        made.append({"type": "actions", "block_id": ASSIGN, "elements": [_assign()]})
    ranked = sorted(shown.teams, key=lambda team: (not team.closed, -team.functions, team.name))
    made += _lines([team_line(team) for team in ranked[:MOST_TEAMS]])
    if len(ranked) > MOST_TEAMS:
        made.append(blocks.context(f"and {len(ranked) - MOST_TEAMS:,} more: `/trace-owners payments` shows one team"))
    return [*made, *_orphans(shown), *_assignments(shown.assignments, may_end=shown.may_assign)]


def team_text(team: Team) -> str:
    return f"Team {escape(clip(team.name, NAME_SHOWN))}: {count(team.functions, 'function')}, {_channel(team)}"


def team_blocks(team: Team, assignments: Sequence[tuple[Assignment, int]], *, may_end: bool) -> list[Block]:
    """All that is known of one team."""
    made = [
        blocks.header(clip(f"Team {team.name}", 140)),
        blocks.fields(
            ("Functions", _found(team.found)),
            ("Channel", f"{_channel(team)}\nnamed by {_NAMED[team.named_by]}"),
            ("People", f"<!subteam^{team.group}>" if team.group else "no user group in `[teams.groups]`"),
            ("Other names", clip(", ".join(code(name) for name in team.aliases) or "none", 500)),
        ),
    ]
    if len(team.tagged) > 1:
        made.append(blocks.context(f"{_disagree(team.tagged)}; the most used counts."))
    return [*made, *_assignments(assignments, may_end=may_end)]


_NAMED = {"settings": "`[teams.channels]`", "tag": "a tag of its functions", "pattern": "the pattern `[teams] channel`"}


def team_line(team: Team) -> str:
    # That posts arrive goes without saying in a list; that they do not is what one looks for.
    where = channel(team.channel) if team.state and not team.state.error else _channel(team)
    words = [f"• *{escape(clip(team.name, NAME_SHOWN))}*", count(team.functions, "function"), where]
    if team.group:
        words.append(f"<!subteam^{team.group}>")
    if len(team.tagged) > 1:
        words.append(_disagree(team.tagged))
    return clip(" · ".join(words), TEAM_LIMIT)


def _owned(shown: Overview) -> str:
    own = "owns" if len(shown.teams) == 1 else "own"
    total = sum(team.functions for team in shown.teams)
    return f"{count(len(shown.teams), 'team')} {own} {count(total, 'function')}"


def _how(shown: Overview) -> str:
    """In which ways, where there is more than one."""
    found: dict[TeamFrom | None, int] = {way: sum(team.found.get(way, 0) for team in shown.teams) for way in FOUND}
    return f": {_found(found)}" if sum(map(bool, found.values())) > 1 else ""


def _found(found: Mapping[TeamFrom | None, int]) -> str:
    return ", ".join(f"{found[way]:,} {words}" for way, words in FOUND.items() if found.get(way)) or "none"


def _unowned(shown: Overview) -> str:
    total, unknown = sum(shown.unowned.values()), shown.unowned.get(TeamFrom.UNKNOWN, 0)
    words = f"{count(total, 'function')} of no known team"
    return (
        f"{words}, {unknown:,} of them because AWS did not show the tags of their stack or account"
        if unknown
        else words
    )


def _channel(team: Team) -> str:
    where = channel(team.channel)
    if team.state is None:
        return f"{where}, nothing was posted there yet"
    if not team.state.error:
        return f"{where} takes posts"
    return (
        f"{where} *takes no posts* since {day(team.state.since)}: {CLOSED.get(team.state.error, 'Slack refuses them')}"
    )


def _disagree(tagged: Sequence[tuple[str, int]]) -> str:
    return f"tags name {listing([f'{channel(one)} ({number:,})' for one, number in tagged], 3)}"


def _orphans(shown: Overview) -> list[Block]:
    if not shown.orphans:
        return []
    title = "*Functions of no known team*"
    title += f", page {shown.page:,} of {shown.pages:,}" if shown.pages > 1 else ""
    lines = [f"{title}. Their digest goes to {channel(shown.fallback)}.", *map(_orphan, shown.orphans)]
    made = _lines(lines)
    turn = []
    if shown.page > 1:
        turn.append(blocks.button("Previous", PREVIOUS, str(shown.page - 1), described="Previous page of functions"))
    if shown.page < shown.pages:
        turn.append(blocks.button("Next", NEXT, str(shown.page + 1), described="Next page of functions"))
    return [*made, {"type": "actions", "block_id": "owners-pages", "elements": turn}] if turn else made


def _orphan(one: Owned) -> str:
    return clip(f"• {code(clip(one.name, 140))} · {one.account} · {one.region}", ORPHAN_LIMIT)


def _assignments(assignments: Sequence[tuple[Assignment, int]], *, may_end: bool) -> list[Block]:
    made: list[Block] = []
    for one, number in assignments[:MOST_ASSIGNMENTS]:
        by = f"by {mention(one.assigned_by)} on {day(one.assigned_at)}"
        what = f"Assigned: {code(clip(_named(one), 100))} to *{escape(clip(one.team, NAME_SHOWN))}*"
        row = blocks.section(clip(f"{what}, {count(number, 'function')}, {by}", ASSIGNMENT_LIMIT))
        made.append({**row, "accessory": _end(one)} if may_end else row)
    more = len(assignments) - MOST_ASSIGNMENTS
    if more > 0:
        made.append(blocks.context(f"and {more:,} older: `/trace-owners payments` shows those of one team"))
    return made


def _named(one: Assignment) -> str:
    return one.pattern.rsplit(":", 1)[-1]


def _assign() -> Block:
    return blocks.button("Assign owner…", ASSIGN, ASSIGN, described="Assign owner to functions of no team")


def _end(one: Assignment) -> Block:
    made = blocks.button("End", END, one.token, described=f"End the assignment of {_named(one)}")
    text = f"What is so assigned to {clip(one.team, 60)} goes to whom else it is assigned to, or to no known team."
    made["confirm"] = blocks.confirm("End this assignment?", text, "End it", "Cancel")
    return made


def _lines(lines: Sequence[str]) -> list[Block]:
    """A section for every ten."""
    return [blocks.section("\n".join(lines[start : start + 10])) for start in range(0, len(lines), 10)]
