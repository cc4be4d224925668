"""Memory of a quarter in an organisation, for evidence reports: teams, audits, decisions, exemptions, gaps."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from storage.approvers import ApprovalRules, TeamRules
from storage.exemptions import Wish
from storage.models import (
    THE_CLOCK,
    Coverage,
    Decision,
    DecisionKind,
    ExemptState,
    Function,
    Inventory,
    NotScanned,
    Source,
    TracingMode,
    Verdict,
)
from storage.store import Store

FIRST = datetime(2026, 6, 28, 7, 0, tzinfo=UTC)  # the first audit
SINCE, UNTIL = "2026-07-01", "2026-09-30"
NOW = datetime(2026, 10, 2, 9, 0, tzinfo=UTC)
DAYS = 94
APPROVERS = ("U0ANA000001", "U0BO0000002", "U0CLEO00003")
ACCOUNTS = ("111122223333", "222233334444", "333344445555")
NO_AUDIT = (40, 41, 60)  # days after FIRST
UNSEEN = (50, 51, 52, 53)
K = DecisionKind


def name_of(team: int, number: int, long: bool = False) -> str:
    return f"service-{team:02}-{'a-function-with-quite-a-long-name-' if long else ''}worker-{number}"


def team_of(number: int, long: bool = False) -> str:
    return f"team-{number:02}{'-of-a-department-with-a-name-that-goes-on' if long else ''}"


def function(team: int, number: int, verdict: Verdict, long: bool = False) -> Function:
    account = ACCOUNTS[team % len(ACCOUNTS)]
    name = name_of(team, number, long)
    return Function(
        arn=f"arn:aws:lambda:eu-central-1:{account}:function:{name}",
        account=account,
        region="eu-central-1",
        name=name,
        mode=TracingMode.ACTIVE if verdict is Verdict.TRACED else TracingMode.PASS_THROUGH,
        team=team_of(team, long),
        verdict=verdict,
    )


def organization(store: Store, teams: int = 20, fixes: int = 55, exemptions: int = 9, long: bool = False) -> None:
    """A quarter; with 20 teams and 55 fixes about 200 decisions. `long`: names and reasons as long as they come."""
    with store.transaction():
        before = [function(team, number, Verdict.UNTRACED, long) for team in range(teams) for number in range(6)]
        store.functions.save(before, FIRST)
        _audits(store, teams, long)
        _rules(store, teams, long)
        _decisions(store, before, fixes)
        _exemptions(store, before, exemptions, long)


def _audits(store: Store, teams: int, long: bool) -> None:
    for day in range(DAYS):
        if day in NO_AUDIT:
            continue
        at = FIRST + timedelta(days=day)
        missing = ()
        if day in UNSEEN:
            missing = (NotScanned(ACCOUNTS[2], "", "AccessDenied: lamplighter-audit cannot be assumed there."),)
        counts = {team_of(team, long): _counted(day, team) for team in range(teams)}
        seen = Inventory((), missing, ACCOUNTS, ("eu-central-1",), 12)
        store.audits.record(seen, counts, source=Source.CLOCK, started_at=at, finished_at=at + timedelta(seconds=9))
        store.places.record([(account, "eu-central-1") for account in ACCOUNTS], at)


def _counted(day: int, team: int) -> Coverage:
    traced = min(40, 12 + team + day // 5) - (8 if day == 33 else 0)
    return Coverage(traced=traced, untraced=44 - traced, exempt=team % 3, not_applicable=2, unknown=team % 2)


def _rules(store: Store, teams: int, long: bool) -> None:
    """Recorded since 4 July, with one change in August, and a day on which nobody looked."""
    own = {team_of(team, long): TeamRules((f"U0TEAM{team:05}",)) for team in range(0, teams, 4)}
    rules = ApprovalRules((*APPROVERS, "S0PLATFORM1"), (), own, {"S0PLATFORM1": ("U0DAN000004", "U0EVE000005")})
    later = ApprovalRules((*APPROVERS, "S0PLATFORM1"), (), own, {"S0PLATFORM1": ("U0DAN000004", "U0FAY000006")})
    for day in range(6, DAYS + 2):
        if day != 70:
            store.approvers.seen(rules if day < 45 else later, FIRST + timedelta(days=day, hours=1))


def _decisions(store: Store, functions: Sequence[Function], fixes: int) -> None:
    """Each fix is asked for, approved and carried out; every tenth by one person, every ninth fails."""
    for number in range(fixes):
        one, at = functions[number % len(functions)], FIRST + timedelta(days=5 + number % 85, hours=number % 9)
        who = APPROVERS[number % 3]
        request = f"request-{number}"
        asker = who if number % 10 == 0 else "U0PRIYA0007"
        kept(store, K.REQUESTED, at, asker, one, request)
        kept(store, K.APPROVED, at + timedelta(minutes=3), who, one, request, allowed_by=f"approver {who}")
        done = K.FAILED if number % 9 == 8 else K.APPLIED
        kept(store, done, at + timedelta(minutes=4), who, one, request)
        if number % 12 == 5:
            kept(store, K.UNDO, at + timedelta(hours=2), who, one, request)
            kept(store, K.UNDONE, at + timedelta(hours=2, minutes=1), who, one, request)
        if number % 6 == 2:
            why = "You are not an approver of team-03. Ask one of: <@U0ANA000001> <@U0BO0000002>"
            kept(store, K.REFUSED, at, f"U0SAM{number:05}", one, request, reason=why)


def kept(
    store: Store,
    kind: K,
    at: datetime,
    who: str,
    one: Function | None,
    request: str,
    reason: str = "",
    **detail: object,
) -> None:
    arn = one.arn if one else ""
    store.decisions.record(
        Decision(kind, at, who, arn, source=Source.BUTTON, request_id=request, reason=reason, detail=detail)
    )


def _exemptions(store: Store, functions: Sequence[Function], number: int, long: bool) -> None:
    reason = "A prototype that is deleted in October." + " It has no traffic and no data of anybody's." * (
        9 if long else 0
    )
    for one in range(number):
        what = functions[-1 - one]
        at = FIRST + timedelta(days=8 + 6 * one)
        wish = Wish(reason, at + timedelta(days=60), what.team, (what.team,), what.arn)
        made = store.exemptions.create(wish, (what.arn,), APPROVERS[one % 3], at)
        kept(store, K.EXEMPTED, at, APPROVERS[one % 3], what, "", reason, exemption=made.id)
        if one == 2:
            ended = at + timedelta(days=20)
            store.exemptions.finish(made.id, ExemptState.GRANTED, ExemptState.REVOKED, APPROVERS[0], ended, "traced")
            kept(store, K.EXEMPTION_REVOKED, ended, APPROVERS[0], what, made.token, exemption=made.id)
        if one == 0:
            over = at + timedelta(days=60)
            store.exemptions.finish(made.id, ExemptState.GRANTED, ExemptState.ENDED, THE_CLOCK, over)
