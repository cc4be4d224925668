"""What changed since an audit before, and how old what is shown is, in words."""

from collections.abc import Sequence
from datetime import datetime

from commands.views.text import clip, code, count, day, day_and_time, listing, mention, plain_day_of_year, prose
from storage.digests import News, Why
from storage.models import Verdict
from storage.news import Change, ChangeKind, LastKnown, Since

# A digest's rows leave little of what Slack takes in one message.
NAMED = 3  # regressions
NAME_SHOWN = 60
_WHY = {
    Why.NEW: "new",
    Why.RETURNED: "came back",
    Why.EXEMPTION_ENDED: "exemption ended",
    Why.SNOOZE_ENDED: "snooze ended",
}


def counts(since: Since) -> str:
    """ "3 new, 1 regressed"; empty where nothing changed."""
    return ", ".join(f"{number:,} {kind}" for kind, number in since.counts().items() if number)


def since_line(since: Since) -> str:
    """For who asked for an audit; empty where nothing changed or nothing came before."""
    said = counts(since)
    return f"Since {day_and_time(since.at)}: {said}" if said and since.at else ""


def digest_line(changes: Sequence[Change], untraced: set[str]) -> str:
    """What changed for a team since it was last told; `untraced`: the functions that are so now, by ARN.

    Regressions are named, for somebody's work was undone. Empty where nothing changed.
    """
    said = counts(Since(changes=tuple(changes)))
    if not said:
        return ""
    lost = [one for one in changes if one.kind is ChangeKind.REGRESSED and one.function_arn in untraced]
    named = listing([f"{code(clip(one.function_name, NAME_SHOWN))}{_fix(one)}" for one in lost], NAMED)
    return f"Since the digest before: {said}" + (f". Untraced again: {named}" if named else "")


def told_words(news: News | None) -> str:
    """For a digest's row: why it is news, and since which day; a regression has its own line."""
    return f"*{_WHY[news.why]}* on {plain_day_of_year(news.on)}" if news and news.why in _WHY else ""


def _fix(change: Change) -> str:
    by, at = change.detail.get("fixed_by"), change.fixed_at
    return f" (fixed by {mention(by)} on {day(at)})" if by and at else ""


def row_line(change: Change | None, verdict: Verdict) -> str:
    """For a function's row: that its newest change is a regression, as long as it is untraced; else empty."""
    if change is None or change.kind is not ChangeKind.REGRESSED or verdict is not Verdict.UNTRACED:
        return ""
    return f"*Untraced again*{_when(change)}: it was traced before{_fix(change)}"


def card_line(change: Change | None, verdict: Verdict) -> str:
    """As `row_line`, and that it is not the function that bore its name before."""
    why = change.detail.get("made_anew") if change else None
    if change and why:
        return f"Another function of this name{_when(change)}: {prose(why)}"
    return row_line(change, verdict)


def _when(change: Change) -> str:
    return f" since {day(change.at)}" if change.at else ""


def age(seen_at: datetime | None) -> str:
    """For what this audit could not see; empty for None."""
    return f"as of {day_and_time(seen_at)}, not seen since" if seen_at else ""


def kept_line(kept: Sequence[LastKnown]) -> str:
    """How many functions are known from earlier only; empty where there are none."""
    if not kept:
        return ""
    times = sorted(one.seen_at for one in kept)
    same = times[0] == times[-1]
    when = f"at {day_and_time(times[0])}" if same else f"from {day_and_time(times[0])} to {day_and_time(times[-1])}"
    return f"Not counted: {count(len(kept), 'function')} last seen {when}, in places that were not seen this time"
