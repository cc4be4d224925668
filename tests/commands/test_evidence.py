"""Evidence of a range of days: what it finds in memory, what it names as a gap, and who gets it in Slack."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from commands import COMMANDS, approvers
from commands._evidence import NoEvidence, make_evidence, read_days
from commands._production import TwoPeople
from commands._teams import TeamSettings
from commands._types import Clock, Context, Request, Say
from commands.aws.accounts import AwsSettings, Cloud
from commands.report import report
from commands.views.evidence import as_text
from storage.approvers import ApprovalRules
from storage.models import Coverage, Decision, DecisionKind, Function, Inventory, NotScanned, Source, Verdict
from storage.proof import APPROVED, ENDED, EXEMPTED, UNDONE, Evidence
from storage.store import Store
from tests.commands.conftest import ANA, BO, EVE, NOON, WORKSPACE, HandClock, NamedPeople
from tests.evidence_memory import APPROVERS, NOW, SINCE, UNTIL, organization, team_of

K = DecisionKind
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """20 teams over a quarter."""
    store = Store(tmp_path_factory.mktemp("evidence") / "memory.db")
    organization(store)
    zone = ZoneInfo("Europe/Berlin")
    yield Context(store, Cloud(AwsSettings()), TeamSettings(), NamedPeople(), lambda: NOW, zone)
    store.close()


def made(context: Context, since: str = SINCE, until: str = UNTIL, team: str | None = None) -> Evidence:
    return make_evidence(context, read_days(since, until, context), team)


# ---- a quarter of an organisation


def test_who_could_approve_is_not_made_up_before_it_was_kept(quarter: Context) -> None:
    then = made(quarter).approvers

    assert then.at_start is None
    assert then.recorded_since == datetime(2026, 7, 4, 8, 0, tzinfo=UTC)
    assert [one.since.date() for one in then.changes] == [date(2026, 7, 4), date(2026, 8, 12)]
    assert then.at_end
    assert then.at_end.rules.for_all() == {*APPROVERS, "U0DAN000004", "U0FAY000006"}
    assert then.not_looked == (date(2026, 9, 6),)
    assert then.broken is None
    later = made(quarter, "2026-08-01").approvers
    assert later.at_start
    assert "U0EVE000005" in later.at_start.rules.for_all()


def test_who_decided_is_counted_by_person_and_who_asked_is_held_against_it(quarter: Context) -> None:
    found = made(quarter)

    assert found.decisions == found.rows == 194
    assert {one.who for one in found.people} == set(APPROVERS)
    together = {column: sum(one.counts.get(column, 0) for one in found.people) for column in (APPROVED, EXEMPTED)}
    assert together == {APPROVED: 55, EXEMPTED: 9}
    assert sum(one.counts.get(UNDONE, 0) for one in found.people) == 5
    assert sum(one.counts.get(ENDED, 0) for one in found.people) == 1
    assert (sum(one.self_approved for one in found.people), len(found.self_approved), found.without_another) == (
        6,
        6,
        6,
    )
    assert {(one.asked_by, one.actor) for one in found.self_approved} <= {(who, who) for who in APPROVERS}
    assert sum(one.not_recorded for one in found.people) == 0
    assert len(found.refused) == 9
    assert found.fixes == {"applied": 49, "failed": 6, "undone": 5}


def test_coverage_is_what_audits_counted_at_the_start_the_end_and_the_worst_day(quarter: Context) -> None:
    found = made(quarter)

    assert found.start
    assert found.end
    assert found.lowest
    assert (found.start.at.date(), found.start.coverage.percent) == (date(2026, 6, 30), 47.8)
    assert (found.end.at.date(), found.end.coverage.percent) == (date(2026, 9, 29), 82.9)
    assert (found.lowest.at.date(), found.lowest.coverage.percent) == (date(2026, 7, 31), 43.4)
    assert len(found.teams) == 20
    worst = found.teams[0]
    assert (worst.name, worst.start and worst.start.percent, worst.end.percent) == (team_of(0), 27.3, 68.2)


def test_what_nobody_saw_is_named_by_day(quarter: Context) -> None:
    found = made(quarter)

    assert found.no_audit == tuple(date.fromisoformat(day) for day in (
        "2026-08-07", "2026-08-08", "2026-08-27", "2026-09-30",
    ))  # fmt: skip
    (unseen,) = found.unseen
    assert (unseen.account, len(unseen.days), unseen.days[0]) == ("333344445555", 4, date(2026, 8, 17))
    assert "AccessDenied" in unseen.reason
    assert found.accounts == ("111122223333", "222233334444", "333344445555")


def test_exceptions_stand_as_they_did_at_the_end_of_the_range(quarter: Context) -> None:
    by_number = {one.number: one for one in made(quarter).exceptions}

    assert len(by_number) == 9
    assert (by_number[1].ended_how, by_number[3].ended_how, by_number[3].ended_by) == ("ended", "revoked", APPROVERS[0])
    assert by_number[6].ended_at is None
    july = {one.number: one for one in made(quarter, until="2026-07-31").exceptions}
    assert july[3].ended_at is None  # it was revoked in August
    assert 9 not in july  # and this one granted


def test_one_team_is_all_that_its_own_evidence_tells_of(quarter: Context) -> None:
    found = made(quarter, team=team_of(3))

    assert {act.team for act in (*found.refused, *found.self_approved)} <= {team_of(3)}
    assert 0 < found.decisions < 194
    assert found.rows == 194  # the chain is everybody's
    assert [one.name for one in found.teams] == [team_of(3)]
    assert found.end
    assert found.end.coverage == found.teams[0].end
    assert found.accounts == ("111122223333",)


# ---- moments that are easy to get wrong


@pytest.fixture
def audited(context: Context, clock: HandClock, remembered: Callable[..., Function]) -> Context:
    """A first audit at noon, when the history begins."""
    audit(context, clock, remembered("refund"))
    return context


def audit(context: Context, clock: HandClock, *functions: Function, unseen: tuple[NotScanned, ...] = ()) -> None:
    begun = clock()
    clock.forward(seconds=9)
    seen = Inventory(functions, unseen, ("123456789012",), ("eu-central-1",), 9)
    counts = {"payments": Coverage(1, 1)}
    context.store.audits.record(seen, counts, source=Source.CLOCK, started_at=begun, finished_at=clock())


def decided(context: Context, kind: K, who: str, function: Function, request: str = "r1", **detail: object) -> None:
    row = Decision(kind, context.clock(), who, function.arn, request_id=request, detail=detail)
    context.store.decisions.record(row)


def today(context: Context) -> Evidence:
    return made(context, "2026-11-23", f"{context.clock().astimezone(context.zone).date()}")


def test_days_are_those_of_the_schedules_zone(audited: Context, clock: HandClock) -> None:
    days = read_days("2026-11-23", "2026-11-23", audited)
    assert (days.start, days.end) == (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), clock() + timedelta(microseconds=1))
    clock.forward(days=2)

    days = read_days("2026-11-23", "2026-11-23", audited)

    assert days.end == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert days.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("2026-13-01", "2026-11-23", "'2026-13-01' is no date: write it like 2026-07-01"),
        ("yesterday", "2026-11-23", "'yesterday' is no date"),
        ("2026-11-23", "2026-11-22", "2026-11-23 is after 2026-11-22"),
        ("2026-11-01", "2026-11-24", "2026-11-24 has not come yet"),
        ("2026-11-01", "2026-11-22", "Nothing is known up to 2026-11-22: the first audit was taken on 2026-11-23"),
    ],
)
def test_a_range_of_which_nothing_can_be_told_is_one_clear_line(
    audited: Context, since: str, until: str, said: str
) -> None:
    with pytest.raises(NoEvidence, match=said):
        read_days(since, until, audited)


def test_before_the_first_audit_there_is_nothing_to_show(context: Context) -> None:
    with pytest.raises(NoEvidence, match="No audit was taken yet"):
        read_days("2026-11-23", "2026-11-23", context)


def test_a_day_before_the_first_audit_is_unknown_and_no_day_without_one(audited: Context, clock: HandClock) -> None:
    clock.forward(days=2)

    found = made(audited, "2026-11-20", "2026-11-25")

    assert found.history_since == NOON
    assert found.no_audit == (date(2026, 11, 24),)  # the 25th is not over
    assert found.start
    assert found.start.at == NOON + timedelta(seconds=9)


def test_an_account_counts_as_seen_where_another_audit_of_that_day_saw_it(
    audited: Context, clock: HandClock, remembered: Callable[..., Function]
) -> None:
    refused = (NotScanned("123456789012", "eu-central-1", "AccessDenied"),)
    audit(audited, clock, unseen=refused)
    assert today(audited).unseen == ()
    clock.forward(days=1)
    audit(audited, clock, unseen=refused)

    (unseen,) = today(audited).unseen

    assert unseen.days == (date(2026, 11, 24),)


def test_what_an_audit_found_changed_is_elsewhere_unless_it_was_decided_here(
    audited: Context, clock: HandClock, remembered: Callable[..., Function]
) -> None:
    here, there, lost = (remembered(name) for name in ("here", "there", "lost"))
    decided(audited, K.APPLIED, ANA, here)
    decided(audited, K.APPLIED, ANA, lost, "r2")
    clock.forward(hours=1)
    audit(audited, clock)
    audit(audited, clock)
    number = audited.store.audits.latest()
    assert number
    changes = [
        (number.id - 1, here.arn, "fixed", "{}"),
        (number.id - 1, there.arn, "fixed", "{}"),
        (number.id, lost.arn, "regressed", '{"fixed_by":"U0ANA"}'),
        (number.id, here.arn, "new", "{}"),
    ]
    audited.store._connection.change_many(
        "insert into changes (audit_id, arn, kind, before, after, detail) values (?, ?, ?, '', '', ?)", changes
    )

    found = today(audited).outside

    assert [(one.function_arn, one.kind, one.fixed_by) for one in found] == [
        (there.arn, "fixed", ""),
        (lost.arn, "regressed", "U0ANA"),
    ]


def test_a_person_whom_the_record_of_that_day_does_not_name_stands_out(
    audited: Context, clock: HandClock, remembered: Callable[..., Function]
) -> None:
    function = remembered("refund")
    audited.store.approvers.seen(ApprovalRules((ANA, BO)), clock())
    clock.forward(hours=2)
    for number, who in enumerate((ANA, BO, EVE)):
        decided(audited, K.APPROVED, who, function, f"r{number}")
    clock.forward(hours=1)
    audited.store.approvers.seen(ApprovalRules((ANA,)), clock())  # Bo left later that day
    clock.forward(days=1)
    decided(audited, K.APPROVED, BO, function, "r9")

    found = {one.who: one.not_recorded for one in today(audited).people}

    assert found == {ANA: 0, BO: 1, EVE: 1}


def test_what_the_policy_approved_is_nobodys(audited: Context, remembered: Callable[..., Function]) -> None:
    decided(audited, K.APPROVED, "policy", remembered("refund"))
    decided(audited, K.EXEMPTED, "clock", remembered("refund"), exemption=4)

    found = today(audited)

    assert (found.people, found.by_policy, found.without_another) == ((), 1, 0)


def test_an_exemption_of_many_functions_is_one_decision_and_its_second_person_is_told(
    audited: Context, remembered: Callable[..., Function]
) -> None:
    for name in ("a", "b", "c"):
        decided(audited, K.EXEMPTED, BO, remembered(name), exemption=7, asked_by=ANA)
    decided(audited, K.EXEMPTION_EXTENDED, BO, remembered("a"), exemption=7)

    found = today(audited)

    assert [(one.who, dict(one.counts)) for one in found.people] == [(BO, {EXEMPTED: 2})]
    assert found.second_person == 1


def test_a_later_extension_does_not_change_how_it_stood_then(
    audited: Context, clock: HandClock, remembered: Callable[..., Function]
) -> None:
    function = remembered("refund")
    until = clock() + timedelta(days=3)
    made_ = audited.store.exemptions.grant(function.arn, "a prototype", ANA, clock(), until)
    clock.forward(days=2)
    audited.store.exemptions.extend(made_.id, until + timedelta(days=90), clock())
    before = until.isoformat()
    decided(audited, K.EXEMPTION_EXTENDED, ANA, function, exemption=made_.id, until_before=before)

    assert made(audited, "2026-11-23", "2026-11-23").exceptions[0].until == until
    assert today(audited).exceptions[0].until == until + timedelta(days=90)


def test_a_chain_that_is_broken_is_said(audited: Context, remembered: Callable[..., Function]) -> None:
    decided(audited, K.APPROVED, ANA, remembered("refund"))
    assert today(audited).broken is None
    audited.store._connection.change("drop trigger decisions_are_never_changed")
    audited.store._connection.change("update decisions set actor = 'U0EVE'")

    assert today(audited).broken == "decision 1 was changed"


@pytest.mark.parametrize("change", ["detail = 'no JSON'", "detail = '[1]'", "kind = 'blessed'", "at = at || 'x'"])
def test_what_somebody_wrote_into_the_file_does_not_keep_the_rest_from_being_told(
    audited: Context, remembered: Callable[..., Function], change: str
) -> None:
    for number in (1, 2):
        decided(audited, K.APPROVED, ANA, remembered("refund"), f"r{number}")
    audited.store._connection.change("drop trigger decisions_are_never_changed")
    audited.store._connection.change(f"update decisions set {change} where id = 1")

    found = today(audited)

    assert found.broken == "decision 1 was changed"
    assert found.decisions + found.strange == 2
    assert found.people[0].who == ANA
    assert ("cannot be read" in as_text(found)) == bool(found.strange)
    assert audited.store._connection.rows("select count(*) as n from decision_log") == [{"n": 2}]
    assert len(audited.store._connection.rows("select * from decision_log")) == 2


# ---- the look at who may approve


class Listed(NamedPeople):
    """What Slack and the settings say of them now."""

    said: ApprovalRules | None = ApprovalRules((ANA, "S0GRP"), groups={"S0GRP": (BO,)})

    def rules(self) -> ApprovalRules | None:
        return self.said


def test_who_may_approve_is_kept_with_what_policy_says_of_it(context: Context) -> None:
    people = Listed()
    policy = replace(context.policy, two_people=TwoPeople.ALWAYS)
    context = replace(context, people=people, policy=policy)
    request = Request("clock", NOON, Source.CLOCK)

    first, again = list(approvers.look(request, context)), list(approvers.look(request, context))
    people.said = None
    nobody = list(approvers.look(request, context))

    assert [one.text for one in first] == ["who may approve is another: 2 people"]
    assert (again, nobody) == ([], [])
    kept = context.store.approvers.at(NOON)
    assert kept
    assert (kept.rules.everybody(), kept.rules.two_people) == ({ANA, BO}, "always")


def test_the_table_has_the_look(context: Context) -> None:
    assert [one.every for one in COMMANDS if isinstance(one, Clock) and one.run is approvers.look] == [HOUR]


# ---- in Slack


def asks(text: str, who: str = ANA) -> Request:
    return Request(who, NOON, Source.SLASH, text=text, workspace=WORKSPACE, channel="C0PAY")


def say(context: Context, text: str, who: str = ANA) -> Say:
    (found,) = [one for one in report(asks(text, who), context) if isinstance(one, Say)]
    return found


def test_an_approver_gets_evidence_and_the_button_posts_it_once(audited: Context) -> None:
    told = say(audited, "evidence 2026-11-23 2026-11-23 payments")
    button = told.blocks[-1]["elements"][0]
    entry = next(one for one in COMMANDS if getattr(one, "action_id", "") == button["action_id"])
    click = replace(asks(""), value=button["value"], source=Source.BUTTON)

    first, again = list(entry.run(click, audited)), list(entry.run(click, audited))
    refused = list(entry.run(replace(click, user=EVE), audited))

    assert "Evidence of team payments, 2026-11-23 to 2026-11-23" in told.text
    assert "50\N{SPACE}%" in told.text
    assert next(one.text for one in first).startswith("Posting it here.")
    assert [one.text for one in again] == ["This page was posted here already."]
    assert "Evidence is for approvers." in refused[0].text
    posts = [post for post in audited.store.posts.all() if post.kind == "evidence"]
    assert [post.channel for post in posts] == ["C0PAY"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evidence", "Write the first and the last day"),
        ("evidence 2026-11-23", "Write the first and the last day"),
        ("evidence 2026-11-23 soon", "is no date"),
        ("evidence 2026-11-23 2026-11-23 paymens", "No function is of a team `paymens`. Did you mean `payments`?"),
    ],
)
def test_what_cannot_be_meant_is_one_clear_line(audited: Context, text: str, said: str) -> None:
    assert said in say(audited, text).text


def test_who_may_not_approve_gets_none(audited: Context) -> None:
    assert say(audited, "evidence 2026-11-23 2026-11-23", EVE).text.startswith("Evidence is for approvers.")
    assert audited.store._connection.rows("select * from evidence_reports") == []


def test_a_team_of_that_name_still_has_its_report(audited: Context, remembered: Callable[..., Function]) -> None:
    remembered("x", team="evidence", verdict=Verdict.TRACED)

    assert "Tracing report of" in say(audited, "evidence").text
    assert "Evidence of all teams" in say(audited, "evidence 2026-11-23 2026-11-23").text


def test_a_button_of_another_memory_says_so(audited: Context, tmp_path: Path) -> None:
    entry = next(one for one in COMMANDS if getattr(one, "action_id", "") == "share-evidence")

    (told,) = entry.run(replace(asks(""), value="strange"), audited)

    assert "Ask anew" in told.text
