"""What a terminal says of what changed since the audit before, and of what this one could not see."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from commands.views.text import count
from storage.models import Function
from storage.news import ChangeKind, LastKnown, Since


def lines(since: Since, kept: Sequence[LastKnown]) -> Iterator[str]:
    """For the end of the table. A first audit has nothing to compare with and says nothing of it."""
    if kept:
        oldest = _time(min(one.seen_at for one in kept))
        yield f"not counted: {count(len(kept), 'function')} last seen {oldest} or later, and not this time"
    for change in since.of(ChangeKind.REGRESSED):
        by, at = change.detail.get("fixed_by"), change.fixed_at
        fixed = f", fixed by {by} {_time(at)}" if by and at else ""
        yield f"untraced again: {change.function_arn}{fixed}"
    if since.audit_id is not None:
        counts = ", ".join(f"{number} {kind}" for kind, number in since.counts().items())
        yield f"since audit {since.audit_id}: {counts}"


def findings(function: Function, seen_at: datetime | None) -> str:
    """A row's last column; `seen_at` is given where this audit did not see the function."""
    aged = f"as of {_time(seen_at)}, not seen since: " if seen_at else ""
    return aged + ", ".join(str(finding.check) for finding in function.findings)


def changes(since: Since) -> dict[str, object]:
    """For --json: the audit that this one is compared with, and ARNs by kind of change."""
    arns = {str(kind): [change.function_arn for change in since.of(kind)] for kind in ChangeKind}
    return {"since": since.audit_id, **arns}


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
