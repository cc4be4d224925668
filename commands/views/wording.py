"""What a function is, in words: its mode, role, team, aliases, and what deploys it."""

from datetime import datetime

from commands.views import tools
from commands.views.exemptions import ticket_link, what
from commands.views.text import clip, code, day, day_and_time, escape, mention
from storage.models import Exemption, Function, MayWrite, TeamFrom, TracingMode

REASON_SHOWN = 150


def mode(function: Function) -> str:
    match function.mode:
        case TracingMode.ACTIVE:
            return "$LATEST is Active"
        case TracingMode.PASS_THROUGH:
            return "tracing off (PassThrough)"
        case None:
            return "no tracing mode given"


def role(function: Function) -> str:
    return code(function.role_name) if function.role_name else "none given"


def may_write(function: Function, role: str) -> str:
    match function.role_may_write:
        case MayWrite.YES:
            return f"{role} may write to X-Ray"
        case MayWrite.NO:
            return f"{role} may not write to X-Ray"
        case MayWrite.CONDITIONAL:
            return f"whether {role} may write depends on a condition"
        case _:
            return f"{role} could not be read"


def verdict(function: Function, since: datetime | None) -> str:
    words = str(function.verdict).replace("_", " ")
    return f"{words} since {day_and_time(since)}" if since else words


def exemption(exemption: Exemption) -> str:
    until, by = day(exemption.last_moment), mention(exemption.granted_by)
    rule = f" as one of the {what(exemption)[:1].lower()}{what(exemption)[1:]}" if exemption.by_rule else ""
    link = f" · {ticket_link(exemption.ticket)}" if exemption.ticket else ""
    why = escape(clip(exemption.reason, REASON_SHOWN))
    return f"*Exempt until {until}*{rule}, granted by {by}: {why}{link}"


def owner(function: Function) -> str:
    """Why it is its team's, where no tag of its own says so."""
    match function.team_from:
        case TeamFrom.STACK:
            return "its team's by a tag of its stack"
        case TeamFrom.ACCOUNT:
            return "its team's by a tag of its account"
        case TeamFrom.ASSIGNED:
            return f"assigned to {escape(clip(function.team or '', 100))}"
        case _:
            return ""


def team(function: Function) -> str:
    if function.team is None:
        unknown = function.team_from is TeamFrom.UNKNOWN
        return "not known: AWS did not show its stack's or account's tags" if unknown else "none: no tag names one"
    how = "assigned here" if function.team_from is TeamFrom.ASSIGNED else owner(function)
    return ", ".join(filter(None, [escape(function.team), how]))


def deployed(function: Function) -> str:
    if function.managed_by is None:
        return "not known" if function.team_known else "not known: its tags could not be read"
    stack = f", stack {code(function.stack)}" if function.stack else ""
    resource = f", resource {code(function.logical_id)}" if function.logical_id else ""
    return f"{tools.NAMES[function.managed_by]}{stack}{resource}"


def aliases(function: Function) -> str:
    if function.aliases is None:
        return "could not be read"
    names = [
        f"{code(alias.name)} serves {', '.join(f'version {escape(served.version)}' for served in alias.versions)}"
        for alias in function.aliases
    ]
    return "\n".join(names) or "none in use"
