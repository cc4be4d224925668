"""What `/trace-history` and `python -m bot history` are asked for, in words: function, team, person and time."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from commands import _find
from commands._types import Context
from commands.views.history import FORMATS
from commands.views.text import clip, code
from storage.history import Search

COMMAND = "/trace-history"
USAGE = (
    f"Write a function, a team, a person and a start, in any order: `{COMMAND} payments since 2026-10-03` or "
    f"`{COMMAND} refund-worker 4w`."
)
UNOWNED = "unowned"
MOST_DAYS = 3660
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{2,})")
_WINDOW = re.compile(r"(\d{1,4})([dw])", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
_SINCE, _UNTIL = ("since", "from"), ("until", "till", "to")


class Unclear(Exception):
    """What was typed cannot be meant, or may mean several things; the message is mrkdwn and says how to mend it."""


@dataclass(slots=True)
class _Reading:
    """The words that are left, and what the others said."""

    search: Search
    format: str = ""
    rest: tuple[str, ...] = ()


def read(text: str, context: Context, me: str = "") -> tuple[Search, str]:
    """What is searched for, and the format of a file where one is asked for. `me`: who asks. Raises Unclear."""
    said = _Reading(Search())
    words = iter(text.replace("`", " ").split())
    for word in words:
        _take(said, word, words, context, me)
    search = _found(said.search, said.rest, context) if said.rest else said.search
    if search.since and search.until and search.since >= search.until:
        raise Unclear("It would end before it begins. " + USAGE)
    return search, said.format


def _take(said: _Reading, word: str, words: Iterator[str], context: Context, me: str) -> None:
    lower = word.lower()
    person = _PERSON.fullmatch(word)
    if lower in (*_SINCE, *_UNTIL):
        when = next(words, "")
        if not when:
            raise Unclear(f"There is no day after {code(word)}. {USAGE}")
        said.search = _since(said.search, when, context) if lower in _SINCE else _until(said.search, when, context)
    elif lower in FORMATS:
        said.format = lower
    elif _is_name(word, context):
        said.rest = (*said.rest, word)
    elif _DATE.fullmatch(word) or _WINDOW.fullmatch(word):
        said.search = _since(said.search, word, context)
    elif person or (lower == "me" and me):
        found = (person[1] or person[2]) if person else me
        if said.search.person not in ("", found):
            raise Unclear(f"There is more than one person in that. {USAGE}")
        said.search = replace(said.search, person=found)
    elif word.startswith("@"):
        name = code(clip(word, 60))
        raise Unclear(f"{name} is nobody that Slack knows: choose the person from the list that it offers. {USAGE}")
    else:
        said.rest = (*said.rest, word)


def _is_name(word: str, context: Context) -> bool:
    """Whether what looks like something else is a team's name, as 2fa or 10d may be."""
    return context.teams.named(word) in context.store.functions.teams()


def _since(search: Search, word: str, context: Context) -> Search:
    if search.since:
        raise Unclear(f"There is more than one start in that. {USAGE}")
    window = _WINDOW.fullmatch(word)
    if window:
        days = int(window[1]) * (7 if window[2].lower() == "w" else 1)
        if not 1 <= days <= MOST_DAYS:
            raise Unclear(f"{code(word)} is no window of time: write `1d` to `{MOST_DAYS}d`, or weeks. {USAGE}")
        return replace(search, since=context.clock() - timedelta(days=days))
    since = _day(word, context)
    if since > context.clock():
        raise Unclear(f"{code(word)} is still to come. {USAGE}")
    return replace(search, since=since)


def _until(search: Search, word: str, context: Context) -> Search:
    """That day and all of it."""
    if search.until:
        raise Unclear(f"There is more than one end in that. {USAGE}")
    return replace(search, until=_day(word, context, after=1))


def _day(word: str, context: Context, after: int = 0) -> datetime:
    """When it begins in the schedule's zone, or the day so many days later."""
    try:
        day = date.fromisoformat(word)
        return datetime.combine(day + timedelta(days=after), time(), context.zone)
    except (ValueError, OverflowError):
        raise Unclear(f"{code(clip(word, 60))} is no day: write one like `2026-10-03`. {USAGE}") from None


# ---- functions and teams


def _found(search: Search, words: Sequence[str], context: Context) -> Search:
    """A team, a function with its account and region, or both one after the other."""
    whole = " ".join(words)
    team = of_team(context, whole)
    if team:
        return replace(search, teams=team)
    if arns := of_function(context, whole):
        return replace(search, functions=arns)
    for cut in range(1, len(words)):
        sides = (" ".join(words[:cut]), " ".join(words[cut:]))
        for one, other in (sides, sides[::-1]):
            teams, arns = of_team(context, one), of_function(context, other)
            if teams and arns:
                return replace(search, teams=teams, functions=arns)
    raise Unclear(_unknown(context, whole))


def of_team(context: Context, said: str) -> tuple[str, ...]:
    """The team's name of now and all under which something was recorded; none where there is no such team."""
    if said.strip().lower() == UNOWNED:
        return ("",)
    recorded = context.store.history.teams()
    team = _find.team(context, _find.Wanted.read(said)) or context.teams.named(said)
    names = {name for name in recorded if context.teams.named(name) == team}
    known = team in context.store.functions.teams() or names
    return tuple(sorted(names | {team})) if known and team else ()


def of_function(context: Context, said: str) -> tuple[str, ...]:
    """Its ARN, also of one that is gone; none where there is no such function. Raises Unclear where there are many."""
    wanted = _find.Wanted.read(said)
    if not wanted.name or wanted.rest:
        return ()
    there = {one.arn for one in _find.functions(context.store, wanted)}
    once = {arn for arn in context.store.history.arns() if _is(arn, wanted)}
    if not there and not once:
        lower = replace(wanted, name=wanted.name.lower())
        once = {arn for arn in context.store.history.arns() if _is(arn.lower(), lower)}
    arns = sorted(there | once)
    if len(arns) > 1:
        lines = [f"`{COMMAND} {name} {account} {region}`" for name, account, region in map(_parts, arns[:20])]
        more = f"\nand {len(arns) - 20:,} more" if len(arns) > 20 else ""
        raise Unclear(f"{len(arns)} functions are called {code(wanted.name)}. Choose:\n" + "\n".join(lines) + more)
    return tuple(arns)


def _is(arn: str, wanted: _find.Wanted) -> bool:
    name, account, region = _parts(arn)
    return name == wanted.name and wanted.account in (None, account) and wanted.region in (None, region)


def _parts(arn: str) -> tuple[str, str, str]:
    """Name, account, region."""
    parts = [*arn.split(":"), *[""] * 7]
    return parts[6], parts[4], parts[3]


def _unknown(context: Context, said: str) -> str:
    store = context.store
    names = [*store.functions.names(), *store.functions.teams(), *store.history.teams()]
    near = _find.near(said, list(dict.fromkeys(names)))
    meant = f" Did you mean {' or '.join(code(name) for name in near)}?" if near else ""
    what = code(clip(said, _find.ECHO))
    return f"There is no function or team {what}, and nothing was ever decided about one.{meant} {USAGE}"
