"""The notice of what is fixed on a day where nobody objects, and the modal of whoever does."""

from collections.abc import Mapping, Sequence

from commands.views import blocks
from commands.views.actions import EXEMPT
from commands.views.blocks import Block
from commands.views.digest import REVIEW
from commands.views.form import reason_input
from commands.views.functions import ROW_LIMIT, item_lines
from commands.views.item import Item
from commands.views.money import total_line
from commands.views.standing import MOST_APPROVERS
from commands.views.text import channel, clip, clock_time, code, count, escape, listing, mention, plain_day, prose
from storage.fixes import GraceNotice, NoticeState, RequestState
from storage.totals import Total

PAGE = 15  # rows of one block and up to 500 characters each, of 50 and 12,000
NOT_THESE = "not-these"
CALLBACK = "not-these"
NAMED = 10


def notice_text(notice: GraceNotice, items: Sequence[Item], total: int, page: int) -> str:
    """For notifications and screen readers; stands alone."""
    names = listing([code(item.name) for item in items], PAGE)
    if page > 1:
        return clip(f"Part {page} of what Lamplighter fixes on {_day(notice)}: {names}", 2900)
    return clip(f"{_what_happens(notice, total)} {names}", 2900)


def notice_blocks(
    notice: GraceNotice,
    items: Sequence[Item],
    *,
    total: int,
    page: int,
    left: Mapping[str, str],
    approvers: Sequence[str],
    days: int,
    where: str,
    cost: Total,
) -> list[Block]:
    """`items` are this page's, `total` counts all pages'; `left` says by ARN why one was not fixed, `where` is the
    batch's channel, `cost` what tracing all of them takes."""
    rows = [_row(notice, item, left) for item in items]
    if page > 1:
        return [blocks.context(f"Part {page} of what is fixed on {_day(notice)}"), *rows]
    made = [blocks.header(_headline(notice, total, len([why for why in left.values() if why])))]
    made.append(blocks.context(f"Team *{escape(notice.team)}* · `[policy.grace]` in lamplighter.toml"))
    if notice.state is not NoticeState.ANNOUNCED:
        return [*made, blocks.section(_ended(notice, where)), *rows]
    made += [blocks.section(_what_it_means(notice, days)), blocks.context(total_line(cost))]
    made += [*rows, _actions(notice, items)]
    more = f"{total - len(items):,} more in this thread. " if total > len(items) else ""
    who = listing(approvers, MOST_APPROVERS)
    return [*made, blocks.context(f"{more}An approver has to click: {who}. Every decision is recorded.")]


def stop_form(notice: GraceNotice, names: Sequence[str]) -> Block:
    """`private_metadata` is the notice's token and nothing else."""
    text = (
        f"{count(len(names), 'function')} of *{escape(notice.team)}*: {listing([code(name) for name in names], NAMED)}"
    )
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": notice.token,
        "title": {"type": "plain_text", "text": "Not these"},
        "submit": {"type": "plain_text", "text": "Leave them alone"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [blocks.section(text), _reason()],
    }


def _what_happens(notice: GraceNotice, total: int) -> str:
    what = f"{count(total, 'Lambda function')} of {escape(notice.team)}"
    match notice.state:
        case NoticeState.ANNOUNCED:
            return f"Unless an approver objects, Lamplighter turns on active tracing on {_day(notice)} for {what}:"
        case NoticeState.TAKEN:
            return f"What was announced for {_day(notice)} was done, for {what}:"
        case _:
            return f"What was announced for {_day(notice)} is not done, for {what}:"


def _headline(notice: GraceNotice, total: int, left: int) -> str:
    functions = count(total, "Lambda function")
    match notice.state:
        case NoticeState.ANNOUNCED:
            return f"To be fixed on {_day(notice)}: {functions}"
        case NoticeState.TAKEN:
            return f"{total - left:,} of {functions} approved by the grace period"
        case _:
            return f"Not fixed by the grace period: {functions}"


def _what_it_means(notice: GraceNotice, days: int) -> str:
    return (
        f"Untraced for {count(days, 'day')} or more. *Unless an approver objects*, active tracing is turned on for "
        f"these on *{_day(notice)}*, no sooner than a whole day after this was posted, and an execution role that may "
        f"not write to X-Ray is given the permission. *Review and fix…* does it now, *Exempt…* keeps one out, "
        "*Not these…* all of them. What somebody has decided by then stands."
    )


def _ended(notice: GraceNotice, where: str) -> str:
    at = clock_time(notice.ended_at) if notice.ended_at else "now"
    match notice.state:
        case NoticeState.STOPPED:
            return f"*Stopped* by {mention(notice.ended_by)} at {at}: {escape(notice.reason)}"
        case NoticeState.TAKEN if notice.batch is not None:
            return f"Nobody had objected by {at}. Progress, results and *Stop* are in {channel(where)}."
        case NoticeState.TAKEN:
            return f"At {at} nothing was left that may be fixed without a click."
        case _:
            return f"*Nothing was changed.* {prose(notice.reason)}"


def _row(notice: GraceNotice, item: Item, left: Mapping[str, str]) -> Block:
    arn = item.request.function_arn if item.request else ""
    lines = item_lines(item)
    if left.get(arn):
        lines = [lines[0], f"*Left alone*: {prose(left[arn])}"]
    made = blocks.section(clip("\n".join(lines), ROW_LIMIT))
    request = item.request if item.function and notice.state is NoticeState.ANNOUNCED else None
    if request and request.state is RequestState.OPEN:
        made["accessory"] = blocks.button("Exempt…", EXEMPT, request.id, described=f"Exempt {item.name}")
    return made


def _actions(notice: GraceNotice, items: Sequence[Item]) -> Block:
    stop = blocks.button("Not these…", NOT_THESE, notice.token, described=f"Do not fix these of {notice.team}")
    asked = next((item.request.id for item in items if item.request), "")
    review = blocks.button("Review and fix…", REVIEW, asked, described=f"Review and fix functions of {notice.team}")
    return {"type": "actions", "block_id": notice.token, "elements": [review, stop] if asked else [stop]}


def _reason() -> Block:
    return reason_input(
        "Why are they not to be fixed?",
        hint="The team reads this, and so do auditors.",
        example="They are moved to another account this week",
    )


def _day(notice: GraceNotice) -> str:
    return f"{notice.fix_on:%A}, {plain_day(notice.fix_on)}"
