"""Making a trace map: X-Ray's graph around a function, who may call it unseen, and why there is nothing to show."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from commands._purse import Purse
from commands._types import Context
from commands.aws.around import around
from commands.aws.checks import untraced_sources
from commands.aws.errors import AwsProblem, Denied, NotAccepted
from commands.aws.metric_data import OVER_CAP
from commands.aws.trace_destination import TraceDestination, trace_destination
from commands.aws.traffic import FIVE_MINUTES, Window, traffic
from commands.views.map import not_read
from commands.views.map_data import hours
from commands.views.text import count, plain_day_of_year, sentence
from storage.maps import LAMBDA, Around, SilentCaller, TraceMap
from storage.metrics_asked import Purpose
from storage.models import CheckName, Function, MayWrite, TracingMode, Verdict

LONGEST_SECONDS = 60.0  # after which no further six hours are asked for
SOURCE = "event source"
_TOLD = (CheckName.ALIAS_UNTRACED, CheckName.ALIASES_UNREADABLE, CheckName.STARVED, CheckName.ROLE_CONDITIONAL)


@dataclass(frozen=True, slots=True)
class Unseen:
    """There is no map, and this is why: sentences in which names stand in backticks."""

    why: str


def make_map(
    context: Context, function: Function, length: timedelta, elapsed: Callable[[], float] = time.monotonic
) -> TraceMap | Unseen:
    """Asks X-Ray with the account's audit role, and where it knows nothing, CloudWatch whether there was anything.

    `elapsed`: seconds on a clock that only goes forward. Raises nothing of AWS's.
    """
    until = context.clock().replace(second=0, microsecond=0)
    deadline = elapsed() + LONGEST_SECONDS
    place = (context.cloud, function.account, function.region)
    try:
        with context.cloud.acting_as(function.account):
            destination = trace_destination(*place)
            found = around(*place, function.name, until - length, until, go_on=lambda: elapsed() < deadline)
    except AwsProblem as problem:
        return Unseen(_refused(problem))
    if not found.seen:
        return Unseen(_nothing(context, function, found, destination))
    made = TraceMap(function.arn, function.account, function.region, function.name, found)
    notes = (not_read(made), _searched(destination) if destination.searched else "", _untraced_now(function))
    return replace(made, silent=tuple(_silent(function, found)), notes=tuple(filter(None, notes)))


def _silent(function: Function, found: Around) -> Iterator[SilentCaller]:
    """Functions that memory knows to be untraced, and sources that X-Ray does not work for; none that the graph shows
    all the same."""
    seen = {(edge.name, edge.account) for edge in found.callers}
    for arn in function.untraced_callers:
        parts = arn.split(":")
        account = "" if parts[4] == function.account else parts[4]
        if (parts[6], account) not in seen:
            yield SilentCaller(parts[6], LAMBDA, "may call it, and sends no traces", account)
    for name in untraced_sources(function):
        yield SilentCaller(name, SOURCE, "feeds it, and Lambda does not trace that")


def _refused(problem: AwsProblem) -> str:
    said = f"X-Ray did not show its graph: {str(problem).rstrip('.')}."
    if isinstance(problem, Denied) and not isinstance(problem, NotAccepted):
        return f"{said} Allow `xray:GetServiceGraph` to the audit role, then ask again."
    return f"{said} Ask again in a few minutes." if problem.transient else said


def _nothing(context: Context, function: Function, found: Around, destination: TraceDestination) -> str:
    """The first reason that holds, and what to do."""
    name = f"`{function.name}`"
    asked = hours(found.until - found.since + found.not_read)
    head = f"X-Ray's graph has nothing of {name} in the last {asked}."
    untraced = _untraced(function)
    if untraced:
        return f"{head} {untraced}"
    if destination.searched:
        return f"{head} {_searched(destination)}"
    invoked = _invoked(context, function, found)
    told = " ".join(finding.text for finding in function.findings if finding.check in _TOLD)
    if isinstance(invoked, str):
        why = f"Either it was not invoked, or no invocation was sampled: {invoked}."
    elif invoked == 0:
        since = f"{plain_day_of_year(found.since)} {found.since:%H:%M} UTC"
        why = f"It is traced, and CloudWatch counts no invocation since {since}."
        return f"{head} {why} `/trace-map {function.name} 7d` looks further back."
    else:
        why = (
            f"It is traced, and CloudWatch counts {count(invoked, 'invocation')}: what calls it may have decided that "
            "they are not sampled, or they are too recent to be in the graph."
        )
    doubt = f" {sentence(destination.doubt)}" if destination.doubt else ""
    return " ".join(filter(None, [head, why, told])) + doubt


def _untraced(function: Function) -> str:
    """Why it can have sent nothing; "" where it can."""
    ask = f"`/trace-fix {function.name}` asks for it to be turned on."
    if function.verdict is Verdict.NOT_APPLICABLE:
        return " ".join(finding.text for finding in function.findings if finding.check is CheckName.NOT_APPLICABLE)
    if function.mode is not TracingMode.ACTIVE:
        return f"It is not traced: its tracing mode is {function.mode or 'not given'}. {ask}"
    if function.role_may_write is MayWrite.NO:
        return f"It is Active, but its role `{function.role_name}` may not write to X-Ray: its traces are lost. {ask}"
    return ""


def _untraced_now(function: Function) -> str:
    """Beside what the graph shows of earlier."""
    untraced = _untraced(function)
    return f"No new traces come in. {untraced}" if untraced else ""


def _searched(destination: TraceDestination) -> str:
    return (
        "Transaction Search is on in this account and region: spans go to CloudWatch, of which X-Ray indexes "
        f"{destination.indexed_percent:g} %: this graph may lack most of them. CloudWatch's own trace map has more."
    )


def _invoked(context: Context, function: Function, found: Around) -> int | str:
    """By CloudWatch's count, in the whole window that was asked for; or why that is not known. One metric, $0.00001."""
    begin, end = (_five_minutes(moment) for moment in (found.since - found.not_read, found.until))
    try:
        with context.cloud.acting_as(function.account):
            told = [
                one
                for batch in traffic(
                    context.cloud,
                    function.account,
                    function.region,
                    [function.name],
                    Window(begin, end + timedelta(seconds=FIVE_MINUTES)),
                    FIVE_MINUTES,
                    Purse(context, Purpose.MAPS).take,
                )
                for one in batch
            ]
    except AwsProblem as problem:
        return str(problem)
    return next((one.unknown or round(sum(one.bins)) for one in told), OVER_CAP)


def _five_minutes(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 5 * 5, second=0, microsecond=0)
