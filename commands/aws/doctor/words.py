"""What AWS's answers mean for whoever sets the bot up. Asks nobody anything."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from commands.aws.errors import AwsProblem, BadAnswer, Denied, NotAccepted, Throttled, Unreachable
from commands.aws.simulation import Simulated
from storage.diagnosis import Diagnosis, Outcome

AWS, AUDIT, FIX, EVENTS, BILLS = "AWS", "Audit role", "Fix role", "Events", "Bills and prices"
_SKEWED_SECONDS, _REFUSED_SECONDS = 60.0, 240.0  # AWS takes no signature that is five minutes off
TEMPLATES = "python -m bot templates"

_ACCOUNT = re.compile(r"\b\d{12}\b")
# Who forbids it, by AWS's own words.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_BY = (
    ("service control policy", "a service control policy of the organization forbids it"),
    ("resource control policy", "a resource control policy of the organization forbids it"),
    ("permissions boundary", "a permissions boundary forbids it"),
    ("session policy", "a session policy forbids it"),
    ("explicit deny", "an explicit deny forbids it"),
    ("no identity-based policy allows", "no policy of the role allows it"),
)


@dataclass(frozen=True, slots=True)
class Uses:
    """Which features the settings turn on. What none of them needs is not looked at."""

    forecasts: bool = True
    spend: bool = True
    budget: bool = False
    queue_url: str = ""  # "": no events are listened to
    queue_region: str = ""
    custom_metrics: bool = False
    approver: str = ""  # the Slack user id in whose name the fix role is tried; "": it is done in a terminal
    paid: bool = False  # whether what AWS bills may be asked too


def is_refusal(problem: AwsProblem) -> bool:
    return isinstance(problem, Denied) and not isinstance(problem, NotAccepted)


def is_of_organization(problem: AwsProblem) -> bool:
    return is_refusal(problem) and "control policy" in problem.message


def outcome(problem: AwsProblem, lacking: Outcome = Outcome.FAIL) -> Outcome:
    """`lacking`: how bad a refusal is. No answer is none, and never a pass."""
    silent = isinstance(problem, Throttled | Unreachable | BadAnswer) or problem.status >= 500
    return Outcome.UNKNOWN if silent else lacking


def reason(problem: AwsProblem) -> str:
    """Without the place, so that what is said of many places is said once."""
    if isinstance(problem, Throttled):
        return "AWS throttles it"
    if is_refusal(problem):
        said = next((ours for theirs, ours in _BY if theirs in problem.message), "")
        return f"refused ({problem.code}){f': {said}' if said else ''}"
    if isinstance(problem, Unreachable):
        return re.sub(r" after \d+ (ms|milliseconds)\b[^)]*", "", problem.message)
    if problem.own_words or isinstance(problem, BadAnswer):
        return problem.message
    return f"{problem.code}: {_ACCOUNT.sub('…', problem.message)}".removesuffix(": ")


def by_simulator(found: Simulated) -> tuple[Outcome, str]:
    """What AWS's policy simulator says, as far as it can be believed: see `simulation`."""
    if found.decision not in ("allowed", "implicitDeny", "explicitDeny"):
        return Outcome.UNKNOWN, "IAM's policy simulator gave no answer that is known"
    if found.by_organization is False:
        return Outcome.FAIL, "IAM's policy simulator says that a policy of the organization forbids it"
    if found.missing:
        keys = ", ".join(sorted(set(found.missing))[:4])
        return Outcome.UNKNOWN, f"IAM's policy simulator says that it hangs on {keys}"
    if found.decision == "allowed":
        return Outcome.OK, "allowed, by IAM's policy simulator"
    if found.by_boundary is False:
        return Outcome.FAIL, "IAM's policy simulator says that a permissions boundary forbids it"
    return Outcome.FAIL, "IAM's policy simulator says that no policy of it allows it, or one denies it"


def not_asked(area: str, what: str, why: str, mend: str = "", *, places: tuple[str, ...] = ()) -> Diagnosis:
    """Unknown, because it cannot be asked without changing something or paying for it."""
    return Diagnosis(area, Outcome.UNKNOWN, what, why, mend, places=places, asked=False)


def skew(area: str, what: str, date: str, before: datetime, after: datetime) -> Diagnosis:
    """How far our clock is off the one that wrote `date`, an HTTP header, between `before` and `after`."""
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return not_asked(area, what, "the answer bears no date")
    ours = before + (after - before) / 2
    off = (ours - theirs).total_seconds()
    said = f"{abs(off):,.0f} s {'ahead' if off > 0 else 'behind'}" if abs(off) >= 2 else "less than 2 s off"
    if abs(off) < _SKEWED_SECONDS:
        return Diagnosis(area, Outcome.OK, what, said)
    found = Outcome.FAIL if abs(off) >= _REFUSED_SECONDS else Outcome.WARN
    how = "set this machine's clock (chrony or systemd-timesyncd keeps it right)"
    return Diagnosis(area, found, what, f"{said}: AWS refuses what is signed five minutes off", how)
