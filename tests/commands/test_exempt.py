"""Exemptions: the form's rules, who may grant one, and when it is too late."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from commands._types import Context, OpenForm, Request, Say
from commands.exempt import check, exempt, grant, open_form
from storage.fixes import RequestState
from storage.models import DecisionKind, Function, PostKind, Source, TracingMode, Verdict
from tests.commands.conftest import ANA, BO, EVE, WORKSPACE, HandClock, NamedPeople

BERLIN, UTC_ZONE, KIRITIMATI = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC"), ZoneInfo("Pacific/Kiritimati")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATE = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # the 24th in Berlin
REASON = "moves in OPS-12"
SHORT, DAY = "Say why in a few words.", "Choose the last day of the exemption."
PAST, FAR = "Choose a day after today.", "One year at most: Nov 23, 2027 is the last day you can choose."

Remembered = Callable[..., Function]


@pytest.mark.parametrize(
    ("reason", "until", "now", "zone", "wrong"),
    [
        (REASON, "2026-11-24", NOON, BERLIN, {}),
        ("ok", "2026-11-24", NOON, BERLIN, {"reason": SHORT}),
        ("  a  ", "2026-11-24", NOON, BERLIN, {"reason": SHORT}),
        ("", "2026-11-24", NOON, BERLIN, {"reason": SHORT}),
        ("abc", "2026-11-24", NOON, BERLIN, {}),
        ("x" * 500, "2026-11-24", NOON, BERLIN, {}),
        ("x" * 501, "2026-11-24", NOON, BERLIN, {"reason": "At most 500 characters."}),
        (" " * 600 + REASON, "2026-11-24", NOON, BERLIN, {}),
        (REASON, "", NOON, BERLIN, {"until": DAY}),
        (REASON, "tomorrow", NOON, BERLIN, {"until": DAY}),
        (REASON, "2026-02-30", NOON, BERLIN, {"until": DAY}),
        (REASON, "2026-11-23", NOON, BERLIN, {"until": PAST}),
        (REASON, "2026-11-22", NOON, BERLIN, {"until": PAST}),
        (REASON, "0001-01-01", NOON, BERLIN, {"until": PAST}),
        (REASON, "2027-11-23", NOON, BERLIN, {}),
        (REASON, "2027-11-24", NOON, BERLIN, {"until": FAR}),
        (REASON, "9999-12-31", NOON, BERLIN, {"until": FAR}),
        (REASON, "2026-11-24", LATE, BERLIN, {"until": PAST}),
        (REASON, "2026-11-24", LATE, UTC_ZONE, {}),
        (REASON, "2027-11-24", LATE, BERLIN, {}),
        (REASON, "2027-11-24", LATE, UTC_ZONE, {"until": FAR}),
        (REASON, "2026-11-24", NOON, KIRITIMATI, {"until": PAST}),
        ("", "", NOON, BERLIN, {"reason": SHORT, "until": DAY}),
    ],
    ids=(
        "tomorrow|two letters|one letter and spaces|empty|three letters|longest|too long|spaces do not count|no date|"
        "no such date|no such day|today|yesterday|long ago|one year|one year and a day|end of time|already today there|"
        "still tomorrow there|a year there|more than a year there|a zone far ahead|both"
    ).split("|"),
)
def test_each_field_is_checked(reason: str, until: str, now: datetime, zone: ZoneInfo, wrong: dict[str, str]) -> None:
    assert check({"reason": reason, "until": until}, now, zone) == wrong


def test_a_form_without_its_fields_is_wrong_in_both() -> None:
    assert set(check({}, NOON, BERLIN)) == {"reason", "until"}


def given_request(context: Context, function: Function) -> str:
    return context.store.requests.open_for(function, context.clock()).id


def submit(context: Context, value: str, who: str = ANA, **fields: str) -> str:
    """What the person is told."""
    given = {"reason": REASON, "until": "2026-12-24"} | fields
    request = Request(who, context.clock(), Source.FORM, value=value, fields=given, workspace=WORKSPACE)
    (told,) = grant(request, context)
    assert isinstance(told, Say)
    return told.text


def test_a_granted_exemption_is_kept_with_its_decision_and_ends_the_request(
    context: Context, remembered: Remembered
) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    post = context.store.posts.create("p", PostKind.REQUEST, "#x", context.clock(), requests=[asked])
    assert post

    told = submit(context, asked, reason=f"  {REASON} <!channel>  ")

    assert told.startswith("`refund` is exempt until <!date^")
    assert "&lt;!channel&gt;" in told
    assert context.store.functions.get(function.arn).verdict is Verdict.EXEMPT
    kept = context.store.exemptions.covering(function.arn, context.clock())
    assert (kept.reason, kept.granted_by) == (f"{REASON} <!channel>", ANA)
    assert kept.expires_at == datetime(2026, 12, 25, tzinfo=BERLIN)
    ended = context.store.requests.get(asked)
    assert (ended.state, ended.outcome) == (RequestState.RESOLVED, "Exempt.")
    assert context.store.posts.get(post.id).wanted_version == post.wanted_version + 1
    (decision,) = context.store.decisions.history(function.arn)
    assert (decision.kind, decision.actor, decision.source) == (DecisionKind.EXEMPTED, ANA, Source.FORM)
    assert (decision.until, decision.before, decision.after) == (kept.expires_at, "untraced", "exempt")
    assert decision.detail == {"allowed_by": f"approver {ANA}", "exemption": kept.id}


@pytest.mark.parametrize(("who", "team"), [(EVE, "payments"), (ANA, "search")], ids=["nobody's", "another team's"])
def test_who_is_no_approver_of_the_functions_team_cannot_grant(
    context: Context, remembered: Remembered, people: NamedPeople, who: str, team: str
) -> None:
    people.of_team = {"search": (BO,)}
    function = remembered("refund", team=team)
    asked = given_request(context, function)

    assert submit(context, asked, who) == "Nothing was changed: You are not an approver."
    assert context.store.exemptions.covering(function.arn, context.clock()) is None
    (tried,) = context.store.decisions.all()
    assert (tried.kind, tried.actor, tried.request_id) == (DecisionKind.REFUSED, who, asked)
    assert context.store.requests.get(asked).state is RequestState.OPEN


@pytest.mark.parametrize("value", ["", "forged", "arn:aws:lambda:eu-central-1:123456789012:function:refund", "'; --"])
def test_a_form_with_forged_metadata_does_nothing(context: Context, remembered: Remembered, value: str) -> None:
    function = remembered("refund")

    assert "another installation" in submit(context, value)
    assert context.store.functions.get(function.arn).verdict is Verdict.UNTRACED


def test_a_form_whose_metadata_names_another_teams_request_is_judged_by_that_team(
    context: Context, remembered: Remembered, people: NamedPeople
) -> None:
    people.of_team = {"search": (BO,)}
    remembered("refund")
    theirs = remembered("rank", team="search")

    assert "You are not an approver" in submit(context, given_request(context, theirs), ANA)
    assert context.store.exemptions.in_force(context.clock()) == {}


def test_a_form_that_slack_did_not_check_is_checked_again(
    context: Context, remembered: Remembered, clock: HandClock
) -> None:
    asked = given_request(context, remembered("refund"))

    assert FAR in submit(context, asked, until="2031-01-01")
    clock.forward(days=40)  # the form stood open until its day had come
    assert submit(context, asked) == f"Nothing was changed: {PAST}"
    assert context.store.exemptions.in_force(clock()) == {}


def test_a_function_that_is_being_fixed_cannot_be_exempted(context: Context, remembered: Remembered) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    context.store.requests.claim(asked, BO, context.clock())

    assert submit(context, asked) == "Nothing was changed: `refund` is being fixed right now."
    assert context.store.functions.get(function.arn).verdict is Verdict.UNTRACED
    assert context.store.requests.get(asked).state is RequestState.RUNNING


def test_after_a_fix_that_failed_the_function_can_be_exempted(context: Context, remembered: Remembered) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    context.store.requests.claim(asked, BO, context.clock())
    context.store.requests.finish(asked, RequestState.FAILED, context.clock(), outcome="no")

    assert "is exempt until" in submit(context, asked)
    assert context.store.requests.get(asked).state is RequestState.RESOLVED


def test_an_exemption_is_granted_once(context: Context, remembered: Remembered) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    submit(context, asked)

    told = submit(context, asked, BO, until="2027-01-31", reason="another reason")

    assert told.startswith("Nothing was changed. `refund` is exempt until")
    assert REASON in told
    assert context.store.exemptions.covering(function.arn, context.clock()).granted_by == ANA
    assert len(context.store.decisions.all()) == 1


def test_an_exemption_that_has_run_out_is_granted_anew_before_any_audit(
    context: Context, remembered: Remembered, clock: HandClock
) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    submit(context, asked, until="2026-11-24")
    clock.forward(days=3)
    assert context.store.functions.get(function.arn).verdict is Verdict.EXEMPT

    assert "is exempt until" in submit(context, asked, BO)
    assert context.store.exemptions.covering(function.arn, clock()).granted_by == BO


def test_an_exemption_holds_to_the_end_of_its_last_day_in_the_configured_zone(
    context: Context, remembered: Remembered
) -> None:
    function = remembered("refund")
    submit(context, given_request(context, function), until="2026-12-24")
    end = datetime(2026, 12, 25, tzinfo=BERLIN)

    assert context.store.exemptions.covering(function.arn, end - timedelta(seconds=1))
    assert context.store.exemptions.covering(function.arn, end) is None


def test_a_function_that_was_traced_while_the_form_stood_open_is_not_exempted(
    context: Context, remembered: Remembered
) -> None:
    asked = given_request(context, remembered("refund"))
    remembered("refund", verdict=Verdict.TRACED, mode=TracingMode.ACTIVE)

    assert "is traced already" in submit(context, asked)


def test_a_function_that_is_gone_cannot_be_exempted(context: Context, remembered: Remembered) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    context.store.functions.mark_gone(function.arn, context.clock())

    assert submit(context, asked) == "`refund` no longer exists."


def typed(context: Context, text: str, who: str = ANA) -> Say | OpenForm:
    (reply,) = exempt(Request(who, context.clock(), Source.SLASH, text=text, workspace=WORKSPACE), context)
    return reply


def clicked(context: Context, value: str, who: str = ANA) -> Say | OpenForm:
    (reply,) = open_form(Request(who, context.clock(), Source.BUTTON, value=value, workspace=WORKSPACE), context)
    return reply


def test_the_command_and_the_button_open_the_same_form(context: Context, remembered: Remembered) -> None:
    asked = given_request(context, remembered("refund"))

    by_command, by_button = typed(context, "refund"), clicked(context, asked)

    assert isinstance(by_command, OpenForm)
    assert by_command == by_button
    assert by_command.view["private_metadata"] == asked
    assert "`refund`" in str(by_command.view)


@pytest.mark.parametrize(
    ("who", "changes", "words"),
    [
        (EVE, {}, "You are not an approver."),
        (ANA, {"verdict": Verdict.TRACED}, "is traced already"),
        (ANA, {"verdict": Verdict.NOT_APPLICABLE}, "X-Ray does not apply"),
        (ANA, {"verdict": Verdict.UNKNOWN}, "It is unknown whether"),
    ],
    ids=["no approver", "traced", "not applicable", "unknown"],
)
def test_no_form_opens_where_nothing_could_come_of_it(
    context: Context, remembered: Remembered, who: str, changes: dict[str, Verdict], words: str
) -> None:
    asked = given_request(context, remembered("refund", **changes))

    for reply in (typed(context, "refund", who), clicked(context, asked, who)):
        assert isinstance(reply, Say)
        assert words in reply.text


def test_a_button_of_an_unknown_or_deleted_function_opens_no_form(context: Context, remembered: Remembered) -> None:
    function = remembered("refund")
    asked = given_request(context, function)
    context.store.functions.mark_gone(function.arn, context.clock())

    assert "another installation" in clicked(context, "forged").text
    assert clicked(context, asked).text == "`refund` no longer exists."


def test_the_person_is_told_only_when_it_is_kept_and_with_nothing_held(
    context: Context, remembered: Remembered
) -> None:
    asked = given_request(context, remembered("refund"))
    fields = {"reason": REASON, "until": "2026-12-24"}
    form = Request(ANA, context.clock(), Source.FORM, value=asked, fields=fields, workspace=WORKSPACE)

    for reply in grant(form, context):
        with closing(sqlite3.connect(context.store.path, timeout=0.1)) as other:
            assert other.execute("select count(*) from exemptions").fetchone() == (1,)
            other.execute("begin immediate")  # nobody holds the file
            other.rollback()
        assert isinstance(reply, Say)
        assert "is exempt until" in reply.text
