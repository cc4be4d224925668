"""How a fix request stands: who asked and until when, how it ended without a fix, and how its message reads."""

from collections.abc import Sequence

from commands.views.text import (
    channel,
    clip,
    clock_time,
    code,
    count,
    day_and_time,
    escape,
    listing,
    mention,
    prose,
    sentence,
)
from storage.fixes import FixRequest, RequestState

REASON_LIMIT = 500
REASON_SHOWN = 150
MOST_APPROVERS = 5
MOST_NAMED = 10
_ENDS = (".", "!", "?", "…")


def asked_line(request: FixRequest, two_people: bool) -> str:
    """Who asked, why, until when, and whose click counts; empty where nobody asked."""
    if not request.asked_by:
        return ""
    line = f"Asked for by {mention(request.asked_by)}{_because(request.reason)}"
    ahead = [f"waits until {day_and_time(request.expires_at)}"] if request.expires_at else []
    ahead += ["another approver has to click"] if two_people else []
    return f"{line} {sentence('; '.join(ahead))}".rstrip()


def ended_line(request: FixRequest) -> str:
    """One line: what came of it, who did that, and when."""
    by, when = mention(request.ended_by), clock_time(request.finished_at) if request.finished_at else ""
    match request.state:
        case RequestState.DENIED:
            return f"*Denied* by {by} at {when}{_because(request.outcome)}"
        case RequestState.CANCELLED:
            return f"*Cancelled* by {by} at {when}."
        case RequestState.EXPIRED:
            asked = f" {mention(request.asked_by)} had asked." if request.asked_by else ""
            return f"*Expired* at {when}: {prose(request.outcome)}{asked} {ask_anew(request)}"
        case RequestState.UNDOING:
            return f"*Taking it back…* {prose(request.step) or 'asking AWS'} · by {by}"
        case RequestState.UNDONE:
            said = " ".join(prose(sentence(one)) for one in (request.outcome, request.note) if one)
            approved = f"It had been approved by {mention(request.approved_by)}."
            return " ".join(filter(None, (f"*Taken back* by {by} at {when}.", said, approved)))
        case _:
            return prose(request.outcome) or "Nothing is left to do."


def ask_anew(request: FixRequest) -> str:
    """With account and region: a name alone may be that of several functions."""
    region, account = request.function_arn.split(":")[3:5]
    return f"Ask anew: {code(f'/trace-fix {request.function_name} {account} {region}')}"


def request_text(request: FixRequest, approvers: Sequence[str]) -> str:
    """For notifications and screen readers; stands alone."""
    asks = f"{mention(request.asked_by)} asks to turn on active tracing for {code(request.function_name)}"
    return f"{asks}{_because(request.reason)} {who_clicks(approvers)}"


def who_clicks(approvers: Sequence[str]) -> str:
    if not approvers:
        return "Nobody may approve yet: name approvers under [policy] in lamplighter.toml."
    return f"An approver has to click: {listing(approvers, MOST_APPROVERS)}"


def went_line(team: str | None, where: str) -> str:
    """Of a request whose function is another team's since it was asked for."""
    whose = f"team {escape(clip(team, 80))}" if team else "no known team"
    return f"It is of {whose} by now, and is decided on in {channel(where)}."


def reminder_text(request: FixRequest, approvers: Sequence[str]) -> str:
    """Said once, in the thread of the message that has the buttons."""
    until = f" until {day_and_time(request.expires_at)}" if request.expires_at else ""
    asked = f"{mention(request.asked_by)} asked for a fix of {code(request.function_name)}"
    return f"{asked}, and it waits{until}. {who_clicks(approvers)}"


def asked_together_text(asked: Sequence[FixRequest], approvers: Sequence[str], *, again: bool = False) -> str:
    """The same of several that one person asked for: said once when they ask, and once more as a reminder."""
    names = listing([code(one.function_name) for one in asked], MOST_NAMED)
    first = min((one.expires_at for one in asked if one.expires_at), default=None)
    until = f" They wait until {day_and_time(first)}." if first else ""
    verb = "asked" if again else "asks"
    who = f"{mention(asked[0].asked_by)} {verb} for fixes of {count(len(asked), 'function')}"
    return f"{who}: {names}.{until} {who_clicks(approvers)} *Review and fix…* takes them together."


def _because(text: str) -> str:
    """Somebody's words: in full up to a line or two, with nothing that Slack could take for its own, and an end."""
    shown = clip(" ".join(text.split()), REASON_SHOWN)
    return f": {escape(shown)}{'' if shown.endswith(_ENDS) else '.'}" if shown else "."
