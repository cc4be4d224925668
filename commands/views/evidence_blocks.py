"""An evidence report in Slack: what an approver looks at before the page is posted."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.evidence_page import SUPPORTS
from commands.views.evidence_words import measured_words, people, spans
from commands.views.text import clip, count, escape
from storage.proof import Evidence

SHARE = "share-evidence"
LINE_LIMIT = 1000


def evidence_blocks(made: Evidence, report: str) -> list[Block]:
    """`report`: what the button carries."""
    whose = f"team {escape(clip(made.team, 60))}" if made.team else "all teams"
    button = blocks.button("Post the page here", SHARE, report, described="Post the page in the channel, as a file")
    head = f"{made.head.number}:{made.head.hash}" if made.head else "none"
    return [
        blocks.header("Evidence for auditors"),
        blocks.context(f"{made.range.since} to {made.range.until} ({escape(made.range.zone)}) · {whose}"),
        blocks.section("\n".join(f"*{label}* {escape(clip(text, LINE_LIMIT))}" for label, text in _lines(made))),
        blocks.context(f"Chain's head `{head}`"),
        blocks.context(f"PCI DSS v4.0.1 and HIPAA. {SUPPORTS}"),
        {"type": "actions", "elements": [button]},
    ]


def _lines(made: Evidence) -> Iterator[tuple[str, str]]:
    zone, fixes = ZoneInfo(made.range.zone), made.fixes
    then = made.approvers
    if made.broken or then.broken:
        yield ":warning: The record is broken:", f"{made.broken or then.broken}"
    known = (
        "not recorded yet"
        if then.recorded_since is None
        else f"recorded since {then.recorded_since.astimezone(zone):%Y-%m-%d}"
    )
    able = people(len(then.at_end.rules.everybody())) if then.at_end else "not known"
    yield "Could approve at the end:", f"{able} ({known})"
    selves = f", {len(made.self_approved):,} asked for and approved by one person" if made.self_approved else ""
    yield "Decided:", f"{people(len(made.people))}; {made.decisions:,} rows of the history{selves}"
    yield (
        "Fixes:",
        (f"{fixes.get('applied', 0):,} applied, {fixes.get('failed', 0):,} failed, {fixes.get('undone', 0):,} undone"),
    )
    yield "Refused attempts:", f"{len(made.refused):,}"
    yield "Coverage at the start:", measured_words(made.start, zone)
    yield "At the end:", measured_words(made.end, zone)
    yield "On the lowest day:", measured_words(made.lowest, zone)
    yield "Exceptions in force:", f"{len(made.exceptions):,}"
    yield "Changed elsewhere:", count(len(made.outside), "function")
    yield "Days without an audit:", f"{len(made.no_audit):,}: {spans(made.no_audit, 3)}" if made.no_audit else "none"
    unseen = ", ".join(f"{one.account} ({count(len(one.days), 'day')})" for one in made.unseen[:5])
    more = f" and {len(made.unseen) - 5:,} more" if len(made.unseen) > 5 else ""
    yield "Accounts not fully seen:", f"{unseen}{more}" if unseen else "none"
