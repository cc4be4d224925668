"""How an audit looks in a terminal: a table, or one JSON object."""

import sys
from collections.abc import Sequence
from dataclasses import asdict

from bot import terminal_news, terminal_table
from commands.views.text import count
from storage.models import Audit, Coverage, Function, Verdict
from storage.news import LastKnown, Since

_AT_ONCE = 1000  # functions that are made into text together: 100,000 would take as much room again
ORDER = (Verdict.UNTRACED, Verdict.UNKNOWN, Verdict.EXEMPT, Verdict.NOT_APPLICABLE, Verdict.TRACED)


def print_table(
    audit: Audit, functions: Sequence[Function], everything: bool, since: Since, kept: Sequence[LastKnown]
) -> None:
    """`kept` are the functions in places that this audit could not see: shown with their age, and not counted."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False, markup=False)  # a reason may name [aws.exclude]
    shown = [one for one in functions if everything or one.verdict is not Verdict.TRACED]
    seen_at = {one.function.arn: one.seen_at for one in kept}
    shown += [one.function for one in kept if everything or one.function.verdict is not Verdict.TRACED]
    shown.sort(key=lambda one: (ORDER.index(one.verdict), one.team or "~", one.name, one.account, one.region))
    if shown:
        console.print(terminal_table.table(shown, seen_at, console.width))
    for place in audit.not_scanned:
        where = f"{place.account} {place.region}".strip()
        console.print(f"not fully seen: {where}: {place.reason}", style="red")
    for line in terminal_news.lines(since, kept):
        console.print(line)
    console.print(_summary(audit, Coverage.of(functions)))


def _summary(audit: Audit, coverage: Coverage) -> str:
    percent = "n/a" if coverage.percent is None else f"{coverage.percent:g} %"
    counts = (
        f"{coverage.traced} traced, {coverage.untraced} untraced, {coverage.exempt} exempt, "
        f"{coverage.not_applicable} not applicable, {coverage.unknown} unknown"
    )
    unseen = f", {count(len(audit.not_scanned), 'place')} not fully seen" if audit.not_scanned else ""
    where = f"{count(audit.accounts, 'account')}, {count(audit.regions, 'region')}"
    calls = count(audit.aws_calls, "AWS call")
    return f"coverage {percent}: {counts}{unseen} ({where}, {calls}, {audit.seconds:.1f} s, audit {audit.id})"


def print_json(audit: Audit, functions: Sequence[Function], since: Since, kept: Sequence[LastKnown]) -> None:
    """The object of the command line's contract, on one line; `kept` as in `print_table`."""
    import orjson

    coverage = Coverage.of(functions)
    about = {
        "id": audit.id,
        "started_at": audit.started_at,
        "finished_at": audit.finished_at,
        "accounts": audit.accounts,
        "regions": audit.regions,
        "functions": audit.functions,
        "aws_calls": audit.aws_calls,
    }
    unseen = [{"account": place.account, "region": place.region, "reason": place.reason} for place in audit.not_scanned]
    write = sys.stdout.buffer.write
    write(b'{"audit":' + orjson.dumps(about))
    write(b',"coverage":' + orjson.dumps({"percent": coverage.percent, **asdict(coverage)}))
    write(b',"functions":[')
    for start in range(0, len(functions), _AT_ONCE):
        part = [_function(one) for one in functions[start : start + _AT_ONCE]]
        write((b"," if start else b"") + orjson.dumps(part)[1:-1])
    write(b'],"not_scanned":' + orjson.dumps(unseen))
    write(b',"changes":' + orjson.dumps(terminal_news.changes(since)))
    if kept:
        aged = [{**_function(one.function), "seen_at": one.seen_at} for one in kept]
        write(b',"last_known":' + orjson.dumps(aged))
    write(b"}\n")
    sys.stdout.buffer.flush()


def _function(one: Function) -> dict[str, object]:
    return {
        "arn": one.arn,
        "account": one.account,
        "region": one.region,
        "name": one.name,
        "team": one.team,
        "mode": one.mode,
        "verdict": one.verdict,
        "findings": [{"check": finding.check, "text": finding.text} for finding in one.findings],
        "role": one.role,
        "role_may_write": one.role_may_write,
        "managed_by": one.managed_by,
        "stack": one.stack,
    }


def exit_code(audit: Audit, functions: Sequence[Function]) -> int:
    """1 where something is wanting: an untraced or unknown function, or a place that was not seen."""
    wanting = any(one.verdict in (Verdict.UNTRACED, Verdict.UNKNOWN) for one in functions)
    return 1 if wanting or audit.not_scanned else 0
