"""The modal that gives functions without a team's tag to a team, and the lines that tag them in AWS."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import channel, clip, code, count, escape, listing
from storage.owners import Owned

CALLBACK = "assign-owner-form"
TITLE = "Assign an owner"
PATTERN, TEAM = "assign-pattern", "assign-team"
FIELDS = (PATTERN, TEAM)
PATTERN_LIMIT, TEAM_LIMIT = 250, 100
SHOWN = 10
NAMES = 140
LINES_LIMIT = 2800
_PLAIN = re.compile(r"[\w .:/+@-]+")


@dataclass(frozen=True, slots=True)
class Preview:
    """What the form asks for by now, and what it would come to."""

    pattern: str
    team: str  # "": none was put in yet
    goes: Sequence[Owned]  # what matches and no tag gives to a team
    keeps: Mapping[str, int]  # of what matches, how many a tag gives to which team
    channel: str
    size: int  # functions of that team now
    nearest: Sequence[str] = ()  # teams that may be meant, where no function is of this one
    note: str = ""  # what the person has to know first


def loading() -> Block:
    """Shown within Slack's three seconds."""
    return _modal([blocks.section("Looking for functions without a team…")])


def assign_form(shown: Preview, metadata: str) -> Block:
    """`metadata` is what a change in it, or its submission, is to be held against."""
    made = [blocks.section(f":warning: {shown.note}")] if shown.note else []
    made += [_pattern(shown), _team(shown), {**blocks.section("\n".join(_matches(shown))), "block_id": "assign-sum"}]
    if shown.team:
        made.append(blocks.section(_of_team(shown)))
    made.append(blocks.context(_WHAT_HAPPENS))
    submit = {"type": "plain_text", "text": "Assign"}
    return {**_modal(made), "callback_id": CALLBACK, "private_metadata": metadata, "submit": submit}


_WHAT_HAPPENS = (
    "*Assign* gives what matches to the team at once, and what comes to match later. A tag of a function, its stack or "
    "its account that names a team always wins, and the newest assignment wins over older ones. It is recorded who "
    "assigned what; AWS is not changed. `/trace-owners` ends an assignment."
)


def _modal(made: list[Block]) -> Block:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": TITLE},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": made,
    }


def _pattern(shown: Preview) -> Block:
    hint = "A name with * for any text, or an ARN; case counts. Press Enter to see what matches."
    return _input(PATTERN, "Function or name pattern", shown.pattern, PATTERN_LIMIT, "batch-*", hint)


def _team(shown: Preview) -> Block:
    return _input(TEAM, "Team", shown.team, TEAM_LIMIT, "payments", "Press Enter to see its channel.")


def _matches(shown: Preview) -> list[str]:
    if not shown.pattern:
        return ["*Nothing is chosen yet.*"]
    keeps, goes = sum(shown.keeps.values()), len(shown.goes)
    if not keeps and not goes:
        return ["*Nothing matches.* Change the name."]
    whom = f"*{escape(clip(shown.team, NAMES))}*" if shown.team else "the team"
    lines = [f"*{count(keeps + goes, 'function')} {'matches' if keeps + goes == 1 else 'match'}*, {goes:,} to {whom}"]
    lines += [_line(one) for one in shown.goes[:SHOWN]]
    if goes > SHOWN:
        lines.append(f"and {goes - SHOWN:,} more")
    if keeps:
        ranked = sorted(shown.keeps.items(), key=lambda pair: (-pair[1], pair[0]))
        teams = listing([f"{escape(clip(team, 60))} ({number:,})" for team, number in ranked], 5)
        lines.append(f"{keeps:,} stay where a tag says that they belong: {teams}.")
    return lines


def _line(one: Owned) -> str:
    now = f" · assigned to {escape(clip(one.team, 40))} now" if one.team else ""
    return f"• {code(clip(one.name, NAMES))} · {one.account} · {one.region}{now}"


def _of_team(shown: Preview) -> str:
    name = f"Team *{escape(clip(shown.team, NAMES))}*"
    if shown.size:
        return f"{name} has {count(shown.size, 'function')}; its channel is {channel(shown.channel)}."
    meant = f" Did you mean {' or '.join(code(clip(one, 60)) for one in shown.nearest)}?" if shown.nearest else ""
    return f":warning: {name} has no function yet.{meant} Its channel would be {channel(shown.channel)}."


def _input(name: str, label: str, value: str, limit: int, example: str, hint: str) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": name,
        "max_length": limit,
        "placeholder": {"type": "plain_text", "text": example},
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    if value:
        element["initial_value"] = value[:limit]
    return {
        "type": "input",
        "block_id": name,
        "label": {"type": "plain_text", "text": label},
        "hint": {"type": "plain_text", "text": hint},
        "element": element,
        "dispatch_action": True,
    }


def assigned_blocks(team: str, moved: Sequence[str], where: str, tag_key: str) -> list[Block]:
    """What came of it. `moved` are ARNs."""
    whose = f"*{escape(clip(team, NAMES))}*"
    are = "is" if len(moved) == 1 else "are"
    lines, left = tag_lines(moved, tag_key, team)
    made = [
        blocks.section(f"{count(len(moved), 'function')} {are} of team {whose} now; its channel is {channel(where)}."),
        blocks.section(f"Tag {'it' if len(moved) == 1 else 'them'} in AWS too, where everybody sees it:"),
        blocks.preformatted("\n".join(lines)),
    ]
    if left:
        made.append(blocks.context(f"and {left:,} more, each in the same way"))
    return made


def tag_lines(arns: Sequence[str], key: str, team: str) -> tuple[list[str], int]:
    """A line for a shell for each function, as many as there is room for, and how many are left out."""
    plain = _PLAIN.fullmatch(key) and _PLAIN.fullmatch(team)
    tags = shlex.quote(f"{key}={team}" if plain else json.dumps({key: team}, ensure_ascii=False))
    lines: list[str] = []
    room = LINES_LIMIT
    for arn in arns:
        region = shlex.quote(arn.split(":")[3])
        made = f"aws lambda tag-resource --region {region} --resource {shlex.quote(arn)} --tags {tags}"
        room -= len(made) + 1
        if room < 0 and lines:
            break
        lines.append(made)
    return lines, len(arns) - len(lines)
