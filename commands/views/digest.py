"""The daily message of a team, and what `/trace-audit` answers for a team or for everything."""

from collections.abc import Mapping, Sequence

from commands.views import blocks, living
from commands.views.blocks import Block
from commands.views.functions import ROW_LIMIT, item_blocks, line
from commands.views.item import Item
from commands.views.living import Nap
from commands.views.money import NOT_KNOWN, amount, high_volume_named, total_line, whole_line
from commands.views.text import (
    CONTEXT_LIMIT,
    SECTION_LIMIT,
    clip,
    code,
    count,
    coverage_line,
    day_and_time,
    escape,
    not_scanned_line,
)
from storage.forecasts import Forecast, Range
from storage.models import Audit, Coverage, Function, Verdict
from storage.news import LastKnown
from storage.totals import NOTHING, Total

# A row is two blocks of 50, and up to 900 characters, its confirm dialog included, of 12,000.
PAGE = 12
# Of the 12,000 characters that Slack takes in all blocks together, the rest is for what stands around a list.
TEXT_LIMIT = 10_000
MOST_LINES = 200


REVIEW = "review-fixes"


def team_name(team: str | None) -> str:
    return team or "no known team"


def digest_text(team: str | None, items: Sequence[Item], untraced: int) -> str:
    """For notifications and screen readers; stands alone."""
    whose = escape(clip(team_name(team), 200))
    if not untraced:
        return f"No Lambda function of {whose} is without active tracing by now."
    named = [item.name for item in items if item.function and item.function.verdict is Verdict.UNTRACED]
    more = untraced - len(named[:10])
    names = escape(", ".join(named[:10])) + (f" and {more:,} more" if more > 0 and named else "")
    said = f"{count(untraced, 'Lambda function')} of {whose} without active tracing"
    return clip(f"{said}: {names}" if names else said, 2900)


def digest_blocks(
    team: str | None,
    items: Sequence[Item],
    *,
    untraced: int,
    audit: Audit | None,
    coverage: Coverage,
    approvers: Sequence[str],
    tag_keys: Sequence[str],
    news: Sequence[str] = (),
    review: str = "",
    choices: Sequence[str] = (),
    others: Mapping[str, int] | None = None,
    listed: bool = True,
    naps: Sequence[Nap] = (),
    zero: str = "",
    total: Total | None = None,
    loud: Sequence[str] = (),
) -> list[Block]:
    """`items` have rows; `untraced` counts all that are so, and `others` those without a row or a snooze, by account;
    `listed`: all of them are in the thread. `total` is what tracing all untraced would cost, and `loud` names those of
    high volume.

    `news` are lines of what changed, and of what is known from earlier only; `review` is what the button carries by
    which several are fixed together, "" where there are not several; `choices` are the menu's; `zero` is said where
    nothing is left.
    """
    made = [blocks.header(_headline(items, untraced, zero)), _about(team, audit, coverage)]
    costs = (total_line(total) if total and total.functions > 1 else "", high_volume_named(loud))
    made += [blocks.context("\n".join(filter(None, costs)))] if any(costs) else []
    if zero:
        made.append(blocks.section(zero))
    if audit:
        made += _lines(not_scanned_line(audit.not_scanned), *news)
    made += living.nap_blocks(naps)
    request_id = next((one.request.id for one in items if one.request), "")
    elements = [*([_review(team, review)] if review else []), *([living.menu(choices, request_id)] if choices else [])]
    if elements:
        made.append({"type": "actions", "block_id": REVIEW, "elements": elements})
    for item in items:
        made += item_blocks(item)
    if others:
        made += living.places(others)
    if untraced or items:
        made.append(blocks.context(footer(team, approvers, tag_keys, listed=bool(others) and listed)))
    return made


def review_button(team: str | None, value: str) -> Block:
    """Several of a team's functions, chosen and approved together."""
    return {"type": "actions", "block_id": REVIEW, "elements": [_review(team, value)]}


def _review(team: str | None, value: str) -> Block:
    return blocks.button("Review and fix…", REVIEW, value, described=f"Review and fix functions of {team_name(team)}")


def _lines(*lines: str) -> list[Block]:
    return [blocks.context(clip(text, CONTEXT_LIMIT)) for text in lines if text]


def _headline(items: Sequence[Item], untraced: int, zero: str) -> str:
    if untraced:
        return f"{count(untraced, 'Lambda function')} without active tracing"
    if zero or not items:
        return "No Lambda function without active tracing"
    return f"{count(len(items), 'Lambda function')}: all traced or exempt by now"


def _about(team: str | None, audit: Audit | None, coverage: Coverage) -> Block:
    who = f"Team *{escape(team)}*" if team else "No team: none of these functions has a team tag"
    when = f" · audited {day_and_time(audit.finished_at)}" if audit else ""
    return blocks.context(f"{who} · {coverage_line(coverage)}{when}")


def footer(team: str | None, approvers: Sequence[str], tag_keys: Sequence[str], *, listed: bool = False) -> str:
    """What has to happen with the rows above. `listed`: all of them are in the thread."""
    words = []
    if listed:
        words.append("The full list is in this thread.")
    if team is None:
        keys = " or ".join(code(key) for key in tag_keys)
        words.append(f"Tag them {keys} in AWS, and they go to their team's channel.")
    if approvers:
        words.append("An approver has to click. Every decision is recorded.")
    else:
        words.append("Nobody may approve yet: name approvers under [policy] in lamplighter.toml.")
    return " ".join(words)


def everything_text(audit: Audit, coverage: Coverage) -> str:
    return f"Tracing coverage: {coverage_line(coverage)}; {count(audit.functions, 'function')}{_unseen(audit)}"


def everything_blocks(
    audit: Audit,
    coverage: Coverage,
    teams: Mapping[str | None, Coverage],
    news: Sequence[str] = (),
    costs: Mapping[str | None, Total] | None = None,
    recorded: Range = NOTHING,
) -> list[Block]:
    """The whole organisation, a line for each team, the one with most untraced functions first.

    `costs` are of the untraced functions by team; `recorded` are the traces a month of the traced ones.
    """
    about = (
        f"{count(audit.functions, 'function')} in {count(audit.accounts, 'account')} and "
        f"{count(audit.regions, 'region')}, audited in {audit.seconds:.1f} s"
    )
    made = [blocks.header("Tracing coverage"), blocks.section(f"*{coverage_line(coverage)}*"), blocks.context(about)]
    costs = costs or {}
    cost = whole_line(Total.sum(costs.values()), recorded)
    made += _lines(cost, not_scanned_line(audit.not_scanned), *news)
    ranked = sorted(teams.items(), key=lambda pair: (-pair[1].untraced, pair[0] or "~"))
    lines = [
        f"*{escape(team_name(team))}*: {counts.untraced:,} untraced · {coverage_line(counts)}{_cost(costs.get(team))}"
        for team, counts in ranked
    ]
    made += sections(lines, "teams")
    made.append(
        blocks.context(
            "Look closer: `/trace-audit &lt;team&gt;`, `/trace-audit &lt;function&gt;` or `/trace-audit unowned`"
        )
    )
    return made


def _cost(total: Total | None) -> str:
    """Behind a team's coverage; nothing where nothing is untraced."""
    if total is None or not total.functions:
        return ""
    return f" · {amount(total.usd)} to trace" if total.priced else f" · cost {NOT_KNOWN}"


def team_text(team: str | None, functions: Sequence[Function], audit: Audit, coverage: Coverage) -> str:
    return f"{escape(team_name(team))}: {len(functions):,} untraced, {coverage_line(coverage)}{_unseen(audit)}"


def _unseen(audit: Audit) -> str:
    """Behind a coverage, where a text has to stand alone."""
    return f". {not_scanned_line(audit.not_scanned)}" if audit.not_scanned else ""


def team_blocks(
    team: str | None,
    functions: Sequence[Function],
    *,
    audit: Audit,
    coverage: Coverage,
    channel: str,
    kept: Sequence[LastKnown] = (),
    news: Sequence[str] = (),
    review: str = "",
    forecasts: Mapping[str, Forecast] | None = None,
) -> list[Block]:
    """A team's untraced functions as lines, and where their buttons are; `kept` are those of earlier audits only.

    `forecasts` are by ARN, of `functions`.

    `review` is what the button carries by which several are fixed together.
    """
    if functions:
        title = f"{count(len(functions), 'Lambda function')} without active tracing"
    else:
        title = "No function without active tracing"
    known = forecasts or {}
    total = total_line(Total.of(known.get(one.arn) for one in functions))
    made = [blocks.header(title), _about(team, audit, coverage)]
    made += _lines(total, not_scanned_line(audit.not_scanned), *news)
    if review:
        made.append(review_button(team, review))
    rows = [line(function, forecast=known.get(function.arn)) for function in functions]
    rows += [line(one.function, one.seen_at) for one in kept]
    made += sections(rows, "functions")
    if rows:
        made.append(
            blocks.context(
                f"Approve or exempt in the digest in {channel}, or type `/trace-audit &lt;function&gt;` for its buttons"
            )
        )
    return made


def sections(lines: Sequence[str], noun: str) -> list[Block]:
    """The lines in sections, as many as a message takes; then how many were left out."""
    parts: list[list[str]] = []
    room, total = 0, TEXT_LIMIT
    shown = 0
    for one in lines:
        text = clip(one, ROW_LIMIT)
        if len(text) + 1 > total or shown == MOST_LINES:
            break
        if len(text) + 1 > room:
            parts.append([])
            room = SECTION_LIMIT - 100
        parts[-1].append(text)
        room -= len(text) + 1
        total -= len(text) + 1
        shown += 1
    made = [blocks.section("\n".join(part)) for part in parts]
    if shown < len(lines):
        made.append(blocks.context(f"and {len(lines) - shown:,} more {noun}"))
    return made
