"""What a trace map shows: which services have room in it, what each is called, and which edges stand out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from commands.views.text import count
from storage.maps import CLIENT, LAMBDA, REMOTE, Edge, SilentCaller, Statistics, TraceMap

MOST = 12  # services beside the function
MOST_SILENT = 3
ENOUGH = 10  # calls: of fewer, one slow or failed call would make an edge stand out

# Where AWS's type is not read as words. https://docs.aws.amazon.com/xray/latest/devguide/xray-services.html
_KINDS = {
    CLIENT: "outside X-Ray",
    REMOTE: "remote service",
    "": "unknown kind",
    "AWS::ApiGateway::Stage": "API Gateway stage",
    "AWS::StepFunctions::StateMachine": "Step Functions state machine",
    "AWS::stepfunctions": "Step Functions",
    "AWS::SecretsManager": "Secrets Manager",
    "AWS::SSM": "Systems Manager",
    "AWS::Events": "EventBridge",
    "AWS::CognitoIdentityProvider": "Cognito",
    "Database::SQL": "SQL database",
}
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|.")


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a map has room."""

    callers: Sequence[Edge]
    silent: Sequence[SilentCaller]
    callees: Sequence[Edge]
    more_callers: str = ""  # "and 3 more callers with 120 calls"
    more_callees: str = ""


def shown(made: TraceMap, most: int = MOST) -> Shown:
    """Those with most calls, and always what stands out; a side may use the room that the other one leaves."""
    around, silent = made.around, made.silent[:MOST_SILENT]
    callers, callees = list(around.callers), list(around.callees)
    half, taken = most // 2, len(silent)
    room_above = max(half, most - len(callees)) - taken
    above = _first(callers, room_above, _standing_out(callers))
    below = _first(callees, most - len(above) - taken, _standing_out(callees))
    return Shown(
        above,
        silent,
        below,
        _more(callers, above, "caller", len(made.silent) - taken),
        _more(callees, below, "service"),
    )


def slowest(edges: Sequence[Edge]) -> Edge | None:
    """On average; one with few calls only where there is no other."""
    timed = [one for one in edges if one.statistics.average is not None]
    return max(_enough(timed), key=lambda one: one.statistics.average or 0.0, default=None)


def most_failing(edges: Sequence[Edge]) -> Edge | None:
    """By the share of its calls; None where no call failed."""
    failing = [one for one in edges if one.statistics.failed]
    return max(_enough(failing), key=lambda one: (one.statistics.failed_share, one.statistics.failed), default=None)


def _enough(edges: Sequence[Edge]) -> Sequence[Edge]:
    return [one for one in edges if one.statistics.calls >= ENOUGH] or edges


def _standing_out(edges: Sequence[Edge]) -> list[Edge]:
    return [one for one in (slowest(edges), most_failing(edges)) if one]


def _first(edges: list[Edge], room: int, kept: Sequence[Edge]) -> list[Edge]:
    """As many as there is room for, in their order; `kept` are among them."""
    chosen = list(dict.fromkeys([*kept, *edges]))[: max(0, room)]
    return [one for one in edges if one in chosen]


def _more(edges: Sequence[Edge], shown_ones: Sequence[Edge], noun: str, silent: int = 0) -> str:
    left = [one for one in edges if one not in shown_ones]
    said = []
    if left:
        calls = count(sum(one.statistics.calls for one in left), "call")
        said.append(f"{count(len(left), f'more {noun}')} with {calls}")
    if silent:
        said.append(f"{silent:,} more that may call it")
    return f"and {' and '.join(said)}" if said else ""


def name_of(one: Edge | SilentCaller) -> str:
    """As X-Ray names it; with its account where that is another one."""
    name = "clients" if one.kind == CLIENT else one.name or "(no name)"
    return f"{name} ({one.account})" if one.account else name


def kind_of(one: Edge | SilentCaller) -> str:
    """AWS's type as words: "DynamoDB table"."""
    words = kind_words(one.kind)
    words = "AWS service" if words == one.name else words  # "KMS", which is all that X-Ray says of it
    return f"{words}, asynchronous" if isinstance(one, Edge) and one.asynchronous else words


def kind_words(kind: str) -> str:
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == LAMBDA:
        return "Lambda function"
    parts = kind.split("::")
    if parts[0] != "AWS" or len(parts) < 2 or not all(parts):
        return kind
    resource = [" ".join(_PART.findall(part)).lower() for part in parts[2:]]
    return " ".join([parts[1], *resource])


# -- Numbers


def latency(seconds: float | None) -> str:
    """ "38 ms", "1.2 s", "3.5 min"; "" where nothing was measured."""
    if seconds is None:
        return ""
    if seconds < 0.001:
        return "under 1\N{NO-BREAK SPACE}ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f}\N{NO-BREAK SPACE}ms"
    return f"{seconds:.1f}\N{NO-BREAK SPACE}s" if seconds < 99.95 else f"{seconds / 60:,.1f}\N{NO-BREAK SPACE}min"


def percent(share: float) -> str:
    """Never nothing and never all of it, unless it is."""
    hundredth = 100 * share
    if 0 < hundredth < 0.1:
        return "under 0.1\N{NO-BREAK SPACE}%"
    if 99.95 <= hundredth < 100:
        return "over 99.9\N{NO-BREAK SPACE}%"
    return f"{round(hundredth, 1):g}\N{NO-BREAK SPACE}%"


def failures(one: Statistics) -> str:
    """By X-Ray's kinds: "2.3 % failed (5xx faults 2.1 %, throttled 0.2 %)"; "none failed"; "" without calls."""
    if not one.calls:
        return ""
    kinds = [(one.faults, "5xx faults"), (one.errors, "4xx errors"), (one.throttles, "throttled")]
    kinds = [(number, word) for number, word in kinds if number]
    if not kinds:
        return "none failed"
    parts = ", ".join(f"{word} {percent(min(1.0, number / one.calls))}" for number, word in kinds)
    return f"{percent(one.failed_share)} failed ({parts if len(kinds) > 1 else kinds[0][1]})"


def hours(length: timedelta) -> str:
    whole = round(length.total_seconds() / 3600, 1)
    return count(int(whole), "hour") if whole == int(whole) else f"{whole:g} hours"


def count_in_short(calls: int) -> str:
    """Ten characters or so: "1,204 calls", "2.4M calls"."""
    if calls < 1_000_000:
        return count(calls, "call")
    unit, letter = (1e9, "B") if calls >= 999_500_000 else (1e6, "M")
    return f"{calls / unit:,.1f}{letter} calls"


def share_in_short(share: float) -> str:
    return "<0.1\N{NO-BREAK SPACE}%" if 0 < share < 0.001 else percent(min(1.0, share))
