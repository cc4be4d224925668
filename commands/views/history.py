"""How decisions look: a page of them in Slack, and what was searched for in words."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import clip, code, count, escape, mention, plain_day, prose
from storage.history import Search
from storage.models import THE_CLOCK, Decision
from storage.models import DecisionKind as Kind

OLDER, NEWER = "history-older", "history-newer"
SHOW, POST = "show-history", "post-history"
ROWS = 10  # of a page; Slack takes some 12,000 characters in all
ROW_LIMIT = 600  # of each of its two parts
REASON_SHOWN = 160
NOT_RECORDED = "not recorded"
EVERYTHING = "everything"
CSV, JSONL = "csv", "jsonl"
FORMATS = {CSV: "CSV", JSONL: "JSON Lines"}

WORDS = {
    Kind.REQUESTED: "asked for a fix of",
    Kind.APPROVED: "approved the fix of",
    Kind.APPLIED: "had tracing turned on for",
    Kind.FAILED: "approved a fix that failed, of",
    Kind.EXEMPTED: "exempted",
    Kind.RESOLVED: "ended a request that nobody needs any more, for",
    Kind.LAPSED: "ended the exemption of a function that was made anew,",
    Kind.DENIED: "denied the fix of",
    Kind.CANCELLED: "withdrew the request for",
    Kind.EXPIRED: "ended a request that nobody decided on in time, for",
    Kind.UNDO: "decided to undo the fix of",
    Kind.UNDONE: "had the fix undone of",
    Kind.UNDO_FAILED: "decided on an undo that failed, of",
    Kind.BATCH: "approved fixes at once, of",
    Kind.STOPPED: "stopped a batch of fixes, of",
    Kind.OWNER_ASSIGNED: "assigned an owner to",
    Kind.OWNER_ENDED: "ended the assignment of",
    Kind.EXEMPTION_ASKED: "asked a second person for an exemption of",
    Kind.EXEMPTION_DENIED: "denied the exemption of",
    Kind.EXEMPTION_EXPIRED: "ended the wish for an exemption that nobody confirmed in time, of",
    Kind.EXEMPTION_EXTENDED: "extended the exemption of",
    Kind.EXEMPTION_LEFT: "lets the exemption end, of",
    Kind.EXEMPTION_REVOKED: "revoked the exemption of",
    Kind.EXEMPTION_ENDED: "ended the exemption of",
    Kind.SNOOZED: "snoozed",
    Kind.SNOOZE_ENDED: "ended the snooze of",
    Kind.BUDGET_APPROVED: "decided to set the AWS budget of X-Ray",
    Kind.BUDGET_SET: "had the AWS budget of X-Ray set",
    Kind.BUDGET_FAILED: "decided to set the AWS budget of X-Ray, which failed",
    Kind.REFUSED: "tried and may not:",
}
_NAMED = re.compile(r"(\[policy[^\]]*\] approvers): ([UWS][A-Z0-9]+)")  # who is named, or whose group
_WROTE = (Kind.APPLIED, Kind.UNDONE, Kind.BUDGET_SET)


def who(actor: str) -> str:
    return "Lamplighter" if actor == THE_CLOCK else mention(actor)


def about(one: Decision, name: Callable[[str], str]) -> str:
    """What it is about, where its kind does not say so by itself; `name` writes a name."""
    if one.function_arn:
        return name(one.function_arn.rsplit(":", 1)[-1])
    detail = one.detail
    target = detail.get("target") or detail.get("pattern")
    if target:
        return f"functions {name(str(target))}"
    if detail.get("tried"):
        return str(detail["tried"])
    if one.kind is Kind.BATCH:
        listed = detail.get("requests")
        return count(len(listed), "function") if isinstance(listed, list) else ""
    return f"team {name(one.team)}" if one.team else ""


def did(one: Decision, name: Callable[[str], str]) -> str:
    """What was done, and to what."""
    said, of = WORDS[one.kind], about(one, name)
    return f"{said} {of}" if of else re.sub(r"([,:]| (of|for|to))$", "", said)


def row(one: Decision, zone: ZoneInfo) -> list[Block]:
    """One decision: when, who, what and of which function; below it, small, what an auditor asks for."""
    owner = f" · {escape(clip(one.team, 80))}" if one.team and one.function_arn else ""
    what = did(one, lambda text: code(clip(text, 140)))
    head = f"*{when(one.at, zone)}* · {who(one.actor)} {what}{owner}"
    return [blocks.section(clip(head, ROW_LIMIT)), blocks.context(clip(" · ".join(_facts(one, zone)), ROW_LIMIT))]


def _facts(one: Decision, zone: ZoneInfo) -> list[str]:
    parts = one.function_arn.split(":")
    said = [_change(one)]
    if one.until and one.kind is not Kind.EXEMPTION_EXTENDED:
        said.append(f"until {_end(one.until, zone)}")
    if one.reason:
        said.append(f"“{prose(clip(one.reason, REASON_SHOWN))}”")
    said.append(_rule(one))
    if one.kind in _WROTE and "aws_requests" not in one.detail:
        said.append(f"AWS's request ids {NOT_RECORDED}")
    elif one.aws_requests:
        more = f" and {len(one.aws_requests) - 1} more" if len(one.aws_requests) > 1 else ""
        said.append(f"AWS request {code(one.aws_requests[0])}{more}")
    if len(parts) > 6:
        said.append(f"{escape(parts[4])} {escape(parts[3])}")
    batch = one.detail.get("batch")
    said.append(f"no. {one.id:,}{f', batch {batch}' if batch else ''}{_request(one)}")
    return [part for part in said if part]


def _change(one: Decision) -> str:
    if one.after:
        return f"{escape(clip(one.before, 120)) or NOT_RECORDED} → {escape(clip(one.after, 120))}"
    return f"stays {escape(one.before)}" if one.kind in (Kind.DENIED, Kind.CANCELLED) and one.before else ""


def _rule(one: Decision) -> str:
    if one.kind is Kind.REFUSED:
        return ""
    if not one.allowed_by:
        return f"allowed by: {NOT_RECORDED}"
    named = _NAMED.fullmatch(one.allowed_by)
    if not named:
        return f"allowed by {code(clip(one.allowed_by, 160))}"
    if named[2] == one.actor:
        return f"allowed by {code(named[1])}"
    whom = f"<!subteam^{named[2]}>" if named[2].startswith("S") else mention(named[2])
    return f"allowed by {code(named[1])} {whom}"


def _request(one: Decision) -> str:
    """Tokens are opaque and long; the beginning is enough to find one again."""
    return f", request {code(one.request_id[:8])}" if one.request_id else ""


def when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{plain_day(local)} {local:%H:%M}"


def _end(until: datetime, zone: ZoneInfo) -> str:
    """What ends with a day, by its last one."""
    local = until.astimezone(zone)
    return when(until, zone) if local.time() != time() else plain_day(local - timedelta(days=1))


def searched(search: Search, zone: ZoneInfo, *, plain: bool = False) -> str:
    """What was searched for; `plain`: for a terminal, without markup."""
    name = (lambda text: text) if plain else code
    said = [name(arn.rsplit(":", 1)[-1]) for arn in search.functions[:3]]
    said += [f"team {name(one)}" if one else "functions of no known team" for one in search.teams[:1]]
    others = [name(one) for one in search.teams[1:4]]
    if others:
        said[-1] += f" (also as {', '.join(others)})"
    if search.person:
        said.append(f"by {search.person if plain else mention(search.person)}")
    if search.since:
        said.append(f"since {when(search.since, zone)}")
    if search.until:
        said.append(f"until {plain_day((search.until - timedelta(seconds=1)).astimezone(zone))}")
    return ", ".join(said) or EVERYTHING


def page_text(search: Search, total: int, zone: ZoneInfo) -> str:
    """For notifications and screen readers; stands alone."""
    if not total:
        return f"No decision was found. Searched for: {searched(search, zone)}."
    said = searched(search, zone)
    return count(total, "decision") + (f": {said}" if said != EVERYTHING else "")


def page_blocks(
    search: Search,
    rows: Sequence[Decision],
    *,
    zone: ZoneInfo,
    page: int,
    total: int,
    tokens: dict[str, str],
) -> list[Block]:
    """`tokens`: what each button carries, by its action; one that is not there is not shown."""
    head = page_text(search, total, zone)
    if not total:
        hint = "Fewer words find more: `/trace-history` alone shows the newest decisions of all."
        return [blocks.section(head), blocks.context(hint)]
    first = (page - 1) * ROWS + 1
    shown = f"{first:,} to {first + len(rows) - 1:,} of {total:,}, the newest first. Times are {escape(zone.key)}."
    made = [blocks.section(f"*{head}*"), *(block for one in rows for block in row(one, zone)), blocks.context(shown)]
    labels = {
        NEWER: ("Newer", "Newer decisions"),
        OLDER: ("Older", "Older decisions"),
        POST: ("Post as CSV…", "Post these decisions here as a CSV file"),
    }
    buttons = [
        blocks.button(label, action, tokens[action], described=described)
        for action, (label, described) in labels.items()
        if action in tokens
    ]
    for one in buttons:
        if one["action_id"] == POST:
            text = f"Everybody in this channel can read the file: {count(total, 'decision')}."
            one["confirm"] = blocks.confirm("Post the decisions here?", text, "Post", "Cancel")
    return [*made, {"type": "actions", "elements": buttons}] if buttons else made


def file_text(search: Search, total: int, file_format: str, by: str, head: str, zone: ZoneInfo) -> str:
    """The words that go with a file, or stand alone where there are none. `head`: the newest decision's number:hash."""
    newest = f" The newest decision of all was {code(head)} then." if head else ""
    return (
        f"{mention(by)} asked for {count(total, 'decision')} as {FORMATS[file_format]}: "
        f"{searched(search, zone)}.{newest} `python -m bot history` writes the same."
    )
