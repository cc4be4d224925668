"""How far a batch is, in one message that is edited, and what came of each function."""

from collections import Counter
from collections.abc import Sequence

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.digest import team_name
from commands.views.left import left_words
from commands.views.money import sum_of
from commands.views.text import clip, clock_time, code, count, escape, mention, prose, sentence
from storage.fixes import Batch, FixRequest, RequestState
from storage.totals import Total

STOP = "stop-batch"
LINE = 300
AT_WORK_SHOWN = 5
FAILED_SHOWN = 20
BAR = 20


def batch_text(batch: Batch, members: Sequence[FixRequest]) -> str:
    """For notifications and screen readers; stands alone."""
    what = f"Fixing {count(len(members), 'function')} of {escape(team_name(batch.team))}"
    return f"{what}, approved by {mention(batch.approved_by)}: {_counts(members, batch)}"


def batch_blocks(batch: Batch, members: Sequence[FixRequest], *, threaded: bool) -> list[Block]:
    """`members` in their order; `threaded` where the results of each stand, or will stand, in the thread."""
    made = [blocks.header(_headline(batch, members)), blocks.context(_about(batch, members))]
    made.append(blocks.section(f"{_bar(members)}\n{_counts(members, batch)}"))
    made += _lines(_at_work(members))
    if threaded:
        failed = [one for one in members if one.state is RequestState.FAILED]
        made += _lines([result(one) for one in failed[:FAILED_SHOWN]])
        more = f"and {len(failed) - FAILED_SHOWN:,} more that were not fixed. " if len(failed) > FAILED_SHOWN else ""
        made.append(
            blocks.context(
                f"{more}{'Each' if batch.finished_at else 'At the end, each'} function's result is in the thread."
            )
        )
    else:
        made += _lines([result(one) for one in members if not _left(one) and not _running(one)])
    if batch.finished_at is None and not batch.stopped_at and any(_left(one) for one in members):
        made.append(_stop(batch, members))
    return made


def page_blocks(members: Sequence[FixRequest], page: int) -> list[Block]:
    """A part of the results, in the thread."""
    return [blocks.context(f"Results, part {page}"), *_lines([result(one) for one in members])]


def result(one: FixRequest) -> str:
    """What came of one function."""
    region, account = one.function_arn.split(":")[3:5]
    left = left_words(one)
    came = clip(f"• {code(one.function_name)} {account} {region}: {_came(one)}", LINE - len(left) - bool(left))
    return f"{came} {left}".rstrip()


def _came(one: FixRequest) -> str:
    at = clock_time(one.finished_at) if one.finished_at else "now"
    match one.state:
        case RequestState.APPLIED:
            note = f" {prose(sentence(one.note))}" if one.note else ""
            return f"Active since {at} :white_check_mark:{note}"
        case RequestState.FAILED:
            return f"*not fixed*: {prose(one.outcome)}"
        case RequestState.RUNNING:
            return f"turning on… {prose(one.step)}"
        case RequestState.OPEN:
            return "not begun, and open again"
        case RequestState.UNDOING | RequestState.UNDONE:
            return "was fixed, and taken back"
        case _:
            return prose(one.outcome) or str(one.state)


def _headline(batch: Batch, members: Sequence[FixRequest]) -> str:
    done, total = _number(members, RequestState.APPLIED), len(members)
    if batch.finished_at is None:
        return "Stopping…" if batch.stopped_at else f"Fixing {count(total, 'Lambda function')}"
    return f"{done:,} of {count(total, 'Lambda function')} fixed{', then stopped' if batch.stopped_at else ''}"


def _about(batch: Batch, members: Sequence[FixRequest]) -> str:
    words = [f"Team *{escape(clip(team_name(batch.team), 200))}*"]
    words.append(f"approved by {mention(batch.approved_by)} at {clock_time(batch.created_at)}")
    if batch.stopped_at:
        words.append(f"stopped by {mention(batch.stopped_by)} at {clock_time(batch.stopped_at)}")
    elif batch.finished_at:
        words.append(f"ended at {clock_time(batch.finished_at)}")
    words.append(_cost(members))
    return " · ".join(words)


def _cost(members: Sequence[FixRequest]) -> str:
    """By the forecasts that were shown when it was approved."""
    return f"tracing them: {sum_of(Total.of(one.plan.forecast if one.plan else None for one in members))}"


def _bar(members: Sequence[FixRequest]) -> str:
    ended = sum(one.state not in (RequestState.RUNNING, RequestState.OPEN) for one in members)
    full = BAR * ended // max(1, len(members))
    return f"`{'█' * full}{'░' * (BAR - full)}` {ended:,} of {len(members):,}"


def _counts(members: Sequence[FixRequest], batch: Batch) -> str:
    states = Counter(one.state for one in members)
    left = sum(_left(one) for one in members)
    words = [f"{states[RequestState.APPLIED]:,} done", f"{states[RequestState.FAILED]:,} failed"]
    if at_work := sum(_running(one) for one in members):
        words.append(f"{at_work:,} at work")
    if needless := states[RequestState.RESOLVED]:
        words.append(f"{needless:,} needed nothing more")
    if opened := states[RequestState.OPEN]:
        words.append(f"{opened:,} not begun and open again")
    if left or batch.finished_at is None:
        words.append(f"{left:,} left")
    return " · ".join(words)


def _at_work(members: Sequence[FixRequest]) -> list[str]:
    running = [result(one) for one in members if _running(one)]
    return running[:AT_WORK_SHOWN]


def _left(one: FixRequest) -> bool:
    return one.state is RequestState.RUNNING and one.queued


def _running(one: FixRequest) -> bool:
    return one.state is RequestState.RUNNING and not one.queued


def _number(members: Sequence[FixRequest], state: RequestState) -> int:
    return sum(one.state is state for one in members)


def _stop(batch: Batch, members: Sequence[FixRequest]) -> Block:
    left = sum(_left(one) for one in members)
    stop = blocks.button("Stop", STOP, batch.token, described=f"Stop this batch: {left} are left")
    text = "Fixes that have begun are carried through. All others are open again, and their approval is taken back."
    stop["confirm"] = blocks.confirm("Stop this batch?", text, "Stop", "Go on")
    return {"type": "actions", "block_id": batch.token, "elements": [stop]}


def _lines(lines: Sequence[str]) -> list[Block]:
    """In sections of nine lines, so that none is cut."""
    return [blocks.section("\n".join(lines[start : start + 9])) for start in range(0, len(lines), 9)]
