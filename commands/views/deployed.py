"""The message about functions that are untraced since a deployment, and what *Not ours* answers."""

from collections.abc import Mapping, Sequence

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.digest import footer, review_button, team_name
from commands.views.functions import item_blocks
from commands.views.item import Item
from commands.views.living import who
from commands.views.owners import ASSIGN
from commands.views.text import clip, code, count, escape, listing
from storage.deployments import WhyDark
from storage.models import Function, TeamFrom, Verdict

NOT_OURS = "not-ours-function"
PAGE = 10  # rows; of more functions than that, the first few have one, and the others are named
FIRST_ROWS = 5
NAMES_SHOWN = 60
NAMES_LIMIT = 2500

# As a sentence goes on after a function's name, and as its row has it.
_SAID = {
    WhyDark.DEPLOYED: "was deployed without tracing",
    WhyDark.SWITCHED_OFF: "had its tracing switched off",
    WhyDark.ROLE: "lost its permission to write to X-Ray",
    WhyDark.ALIAS: "has an alias that was moved to an untraced version",
    WhyDark.OTHER: "is untraced since it was changed",
}
_OF_MANY = {
    WhyDark.DEPLOYED: "were deployed without tracing",
    WhyDark.SWITCHED_OFF: "had their tracing switched off",
    WhyDark.ROLE: "lost their permission to write to X-Ray",
    WhyDark.ALIAS: "have an alias that was moved to an untraced version",
    WhyDark.OTHER: "are untraced since they were changed",
}
_IN_A_ROW = {
    WhyDark.DEPLOYED: "deployed without tracing",
    WhyDark.SWITCHED_OFF: "its tracing was switched off",
    WhyDark.ROLE: "its role lost the permission",
    WhyDark.ALIAS: "an alias was moved to an untraced version",
    WhyDark.OTHER: "untraced since it was changed",
}


def row_words(why: WhyDark) -> str:
    """Why it is told of, behind its place."""
    return _IN_A_ROW[why]


def shown_rows(total: int) -> int:
    """How many of so many functions have a row."""
    return total if total <= PAGE else FIRST_ROWS


def deployed_text(
    team: str | None, functions: Mapping[str, Function | None], why: Mapping[str, WhyDark], moved: int = 0
) -> str:
    """For notifications and screen readers; stands alone. Both are by ARN; `moved` went to other teams."""
    dark = [one for one in functions.values() if one and one.verdict is Verdict.UNTRACED]
    whose = f" (team {escape(clip(team, 200))})" if team else " (no known team)"
    if not dark:
        return clip(f"{_over(functions, moved)}{whose}", 2900)
    if len(dark) == 1:
        only = dark[0]
        where = f", in {only.account} {only.region}"
        return clip(f"{code(only.name)} {_SAID[why[only.arn]]}{where}{whose}", 2900)
    names = listing([code(one.name) for one in dark], 10)
    return clip(f"{_many(dark, why)}{whose}: {names}", 2900)


def deployed_blocks(
    team: str | None,
    items: Sequence[Item],
    functions: Mapping[str, Function | None],
    why: Mapping[str, WhyDark],
    *,
    approvers: Sequence[str],
    tag_keys: Sequence[str],
    review: str = "",
    moved: int = 0,
) -> list[Block]:
    """`items` have rows; `functions` are all that it tells of, None where one is gone, and `why` says of each why.

    `review` is what the button carries by which several of the team's are fixed together; `moved` went to other teams.
    """
    dark = [one for one in functions.values() if one and one.verdict is Verdict.UNTRACED]
    if not dark:
        title = _over(functions, moved)
    elif len(dark) == 1:
        title = f"{clip(_plain(dark[0].name), 70)} {_SAID[why[dark[0].arn]]}"
    else:
        title = _many(dark, why)
    made = [blocks.header(title), blocks.context(_about(team, len(functions), moved))]
    if review and len(dark) > 1:
        made.append(review_button(team, review))
    for item in items:
        made += _row(item)
    rows = {one.function.arn for one in items if one.function}
    made += _others([one for one in dark if one.arn not in rows])
    if dark:
        made.append(blocks.context(footer(team, approvers, tag_keys)))
    if dark and team is None:
        assign = blocks.button("Assign owner…", ASSIGN, ASSIGN, described="Assign owner to functions of no team")
        made.append({"type": "actions", "block_id": ASSIGN, "elements": [assign]})
    return made


def not_ours_text(function: Function, tag_keys: Sequence[str]) -> str:
    """What says whose it is, and how that is mended."""
    name, keys = code(function.name), " or ".join(code(key) for key in tag_keys)
    if function.team is None:
        return f"{name} is of no known team. Set the tag {keys} on it, or have an approver assign it: `/trace-owners`."
    theirs = f"{name} is taken to be of {who(function.team)}"
    match function.team_from:
        case TeamFrom.ASSIGNED:
            return f"{theirs} because an approver assigned it here. Under `/trace-owners` an approver can change that."
        case TeamFrom.STACK:
            said = "a tag of its CloudFormation stack says so"
        case TeamFrom.ACCOUNT:
            said = "a tag of its account says so"
        case _:
            said = "its tag says so"
    return (
        f"{theirs} because {said}. Set the function's own tag {keys} to the right team in AWS, or in the code that "
        "deploys it: it goes to that team with the next audit. Until then it can be fixed or exempted here."
    )


def _row(item: Item) -> list[Block]:
    """As in a digest, with one button more as long as somebody has to decide."""
    made = item_blocks(item)
    waits = item.request is not None and item.request.waiting and item.function is not None
    if item.request and waits and item.function and item.function.team is not None and made[-1]["type"] == "actions":
        described = f"Not ours: {item.function.name}"
        made[-1]["elements"].append(blocks.button("Not ours", NOT_OURS, item.request.id, described=described))
    return made


def _others(functions: Sequence[Function]) -> list[Block]:
    """Those without a row, by name."""
    if not functions:
        return []
    names = [code(one.name) for one in functions[:NAMES_SHOWN]]
    while len(", ".join(names)) > NAMES_LIMIT:
        names.pop()
    more = len(functions) - len(names)
    rest = f" and {more:,} more" if more else ""
    return [blocks.section(f"And {count(len(functions), 'other')}: {', '.join(names)}{rest}")]


def _many(dark: Sequence[Function], why: Mapping[str, WhyDark]) -> str:
    kinds = {why[one.arn] for one in dark}
    said = _OF_MANY[kinds.pop()] if len(kinds) == 1 else "are untraced since they were deployed or changed"
    return f"{len(dark):,} Lambda functions {said}"


def _over(functions: Mapping[str, Function | None], moved: int) -> str:
    if not functions and not moved:
        return "Lambda functions were deployed: a newer message tells of them"
    if not functions:
        return f"{count(moved, 'Lambda function')} deployed: now of other teams"
    return f"{count(len(functions), 'Lambda function')} deployed: none is untraced any more"


def _plain(name: str) -> str:
    return " ".join(name.split())


def _about(team: str | None, total: int, moved: int) -> str:
    whose = f"Team *{escape(clip(team_name(team), 200))}*" if team else "No known team"
    gone = f" · {moved:,} went to other teams" if moved else ""
    return f"{whose} · {count(total, 'function')}{gone} · told by an AWS event, and read from AWS since"
