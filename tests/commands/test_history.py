"""`/trace-history`: what is understood, what a page shows, how pages are turned, and the file that is posted."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from commands import _decide, history
from commands._attachments import attachments
from commands._drawing import draw
from commands._history_words import Unclear, read
from commands._types import Context, Replace, Request, Say
from commands.views.history import NEWER, OLDER, POST, WORDS
from commands.views.history_export import COLUMNS, csv_lines, json_lines
from storage.connection import to_json
from storage.history import Search
from storage.models import THE_CLOCK, THE_POLICY, Decision, DecisionKind, Function, PostKind, Source
from tests.commands.conftest import ANA, BO, EVE, HOME, OTHER, WORKSPACE, HandClock

BERLIN = ZoneInfo("Europe/Berlin")
Remember = Callable[..., Function]
Decide = Callable[..., Decision]


@pytest.fixture
def decide(context: Context, clock: HandClock) -> Decide:
    """One decision, a minute after the one before."""

    def made(arn: str = "", kind: DecisionKind = DecisionKind.APPROVED, actor: str = ANA, **more: Any) -> Decision:
        clock.forward(minutes=1)
        detail = {"allowed_by": "[policy] approvers: U0ANA"} | more.pop("detail", {})
        return _decide.record(context, kind, arn, actor=actor, detail=detail, **more)

    return made


def asked(context: Context, text: str, who: str = ANA, **more: Any) -> Request:
    return Request(
        who, context.clock(), Source.SLASH, text=text, workspace=WORKSPACE, channel=more.pop("channel", "C0PAY"), **more
    )


def said(context: Context, text: str, who: str = ANA, **more: Any) -> Say:
    (answer,) = history.history(asked(context, text, who, **more), context)
    assert isinstance(answer, Say)
    return answer


def words(answer: Say | Replace) -> str:
    parts = [part for block in answer.blocks for part in (block.get("text"), *block.get("elements", ())) if part]
    return "\n".join(str(part["text"]) for part in parts if part.get("type") == "mrkdwn")


def buttons(answer: Say | Replace) -> dict[str, str]:
    found = [each for block in answer.blocks if block["type"] == "actions" for each in block["elements"]]
    return {one["action_id"]: one["value"] for one in found}


def click(context: Context, action: str, answer: Say | Replace, who: str = ANA) -> Any:
    run = {OLDER: history.turn, NEWER: history.turn, POST: history.post}[action]
    (reply,) = run(asked(context, "", who, value=buttons(answer)[action], private=True), context)
    return reply


# ---- what is understood


def test_a_function_a_team_a_person_and_a_start_are_found_in_any_order(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    refund, search = remembered("refund"), remembered("search", team="search")
    ours, by_bo = decide(refund.arn), decide(refund.arn, actor=BO)
    theirs = decide(search.arn, actor=BO)

    def found(text: str) -> list[int]:
        wanted, _ = read(text, context, ANA)
        return [one.id for one in context.store.history.each(wanted)]

    assert found("") == [ours.id, by_bo.id, theirs.id]
    assert found("refund") == found(f"`{refund.arn}`") == found("REFUND") == found("refund payments") == [1, 2]
    assert found("payments") == found("Payments since 7d") == [1, 2]
    assert found(f"<@{BO}|bo>") == found(f"<@{BO}>") == [2, 3]
    assert found(f"payments <@{BO}>") == found(f"<@{BO}> 4w payments") == [2]
    assert found("me") == [1]
    assert found("until 2026-11-22") == []
    assert found("since 2026-11-23 until 2026-11-23") == [1, 2, 3]
    assert read("payments csv", context)[1] == "csv"


def test_days_are_those_of_the_schedules_zone(context: Context) -> None:
    search, _ = read("since 2026-11-01 until 2026-11-03", context)

    assert search.since == datetime(2026, 11, 1, tzinfo=BERLIN)
    assert search.until == datetime(2026, 11, 4, tzinfo=BERLIN)


def test_what_is_gone_is_found_by_what_was_decided(context: Context, remembered: Remember, decide: Decide) -> None:
    gone = remembered("gone", team="old-name")
    decide(gone.arn)
    context.store.functions.mark_gone(gone.arn, context.clock() + timedelta(minutes=1))

    assert "1 decision: `gone`" in said(context, "gone").text
    assert "1 decision: team `old-name`" in said(context, "old-name").text


def test_a_team_is_found_by_its_other_names_and_what_was_recorded_under_them(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    function = remembered("refund", team="pay")
    decide(function.arn)
    context = _with_alias(context, {"pay": "payments"})
    context.store.team_names.rename("pay", "payments")

    for name in ("pay", "payments", "Payments"):
        assert "1 decision: team" in said(context, name).text


def test_functions_of_no_known_team_are_found_together(
    context: Context, people: Any, remembered: Remember, decide: Decide
) -> None:
    lost, found = remembered("lost", team=None), remembered("refund")
    decide(lost.arn)
    decide(found.arn)
    people.of_team = {"payments": (EVE,)}

    told = said(context, "unowned")
    assert "1 decision: functions of no known team" in told.text
    assert "`lost`" in str(told.blocks)
    assert "`refund`" not in str(told.blocks)
    assert "2 decisions" in said(context, "").text
    assert "Nothing was posted" in said(context, "unowned csv", EVE).text  # that takes who may approve for all


def _with_alias(context: Context, aliases: dict[str, str]) -> Context:
    return replace(context, teams=replace(context.teams, aliases=aliases))


def test_a_name_in_two_places_asks_which(context: Context, remembered: Remember, decide: Decide) -> None:
    first, other = remembered("refund"), remembered("refund", account=OTHER)
    decide(first.arn)
    decide(other.arn)

    answer = said(context, "refund").text

    assert "2 functions are called `refund`. Choose:" in answer
    assert f"`/trace-history refund {OTHER} eu-central-1`" in answer
    assert "1 decision" in said(context, f"refund {OTHER}").text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("refnd", "Did you mean `refund`?"),
        ("since", "There is no day after `since`"),
        ("since yesterday", "`yesterday` is no day"),
        ("2026-02-30", "`2026-02-30` is no day"),
        ("since 2027-01-01", "still to come"),
        ("0d", "is no window of time"),
        ("7d 4w", "more than one start"),
        ("since 2026-11-20 until 2026-11-01", "end before it begins"),
        ("@bo", "nobody that Slack knows"),
        (f"<@{ANA}> <@{BO}>", "more than one person"),
        ("<!channel>", "`&lt;!channel&gt;`"),
    ],
)
def test_what_cannot_be_meant_is_said_and_how_to_mend_it(
    context: Context, remembered: Remember, text: str, why: str
) -> None:
    remembered("refund")

    with pytest.raises(Unclear) as unclear:
        read(text, context, ANA)

    assert why in str(unclear.value)
    assert "`/trace-history payments since 2026-10-03`" in str(unclear.value)


def test_where_nothing_is_found_what_was_searched_is_said(context: Context, remembered: Remember) -> None:
    remembered("refund")

    answer = said(context, f"refund <@{BO}> since 2026-11-01")

    assert answer.text == f"No decision was found. Searched for: `refund`, by <@{BO}>, since Nov 1, 2026 00:00."
    assert buttons(answer) == {}


# ---- what is shown


def test_a_decision_is_told_with_what_an_auditor_asks_for(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    refund = remembered("refund")
    decide(
        refund.arn,
        DecisionKind.APPLIED,
        request_id="abcdefghijk",
        after="Active",
        reason="we were blind <!channel>",
        detail={
            "aws_requests": ["aws-1", "aws-2"],
            "allowed_by": "[policy.teams.payments] approvers: S0123GRP",
        },
    )

    _, head, facts, *_ = said(context, "").blocks

    assert head["text"]["text"] == f"*Nov 23, 2026 13:01* · <@{ANA}> had tracing turned on for `refund` · payments"
    assert facts["elements"][0]["text"] == (
        "PassThrough → Active · “we were blind &lt;!channel&gt;” · allowed by `[policy.teams.payments] approvers` "
        f"<!subteam^S0123GRP> · AWS request `aws-1` and 1 more · {HOME} eu-central-1 · no. 1, request `abcdefgh`"
    )


def test_what_was_not_recorded_is_said_to_be_so(context: Context) -> None:
    old = Decision(DecisionKind.APPLIED, context.clock(), ANA, "", before="PassThrough", after="Active")
    context.store.decisions.record(old)

    row = words(said(context, ""))

    assert "allowed by: not recorded" in row
    assert "AWS's request ids not recorded" in row


def test_every_kind_has_words_and_so_have_those_who_are_no_people(context: Context, decide: Decide) -> None:
    assert set(WORDS) == set(DecisionKind)
    decide(actor=THE_CLOCK)
    decide(actor=THE_POLICY)

    shown = words(said(context, ""))

    assert "Lamplighter approved" in shown
    assert "lamplighter.toml `[policy.grace]` approved" in shown


def test_pages_are_turned_in_place_and_stay_what_they_were(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    refund = remembered("refund")
    for _ in range(23):
        decide(refund.arn)
    first = said(context, "refund")
    decide(refund.arn)  # it comes too late for these pages

    second = click(context, OLDER, first)
    third = click(context, OLDER, second)

    assert [type(one) for one in (second, third)] == [Replace, Replace]
    assert "1 to 10 of 23" in str(first.blocks)
    assert "21 to 23 of 23" in str(third.blocks)
    assert [set(buttons(one)) for one in (first, second, third)] == [{OLDER, POST}, {OLDER, NEWER, POST}, {NEWER, POST}]
    assert "no. 13" in words(second)
    assert words(click(context, NEWER, third)) == words(second)
    assert all("refund" not in value for value in buttons(second).values())


def test_a_button_that_is_no_longer_known_says_so(context: Context) -> None:
    (reply,) = history.turn(asked(context, "", value="made-up"), context)

    assert reply == Say(history.FORGOTTEN)


# ---- files


def test_an_approver_has_a_file_posted_once_with_all_pages(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    refund = remembered("refund")
    made = [decide(refund.arn) for _ in range(12)]
    page = said(context, "payments")

    assert (
        click(context, POST, page).text
        == "12 decisions come here as CSV, or to #finops where I am no member of this channel."
    )
    assert click(context, POST, page).text == "This was posted here already."

    (post,) = context.store.posts.all(PostKind.HISTORY)
    text, blocks = draw(context, post)
    assert (post.channel, blocks) == ("C0PAY", [])
    assert text.startswith(f"<@{ANA}> asked for 12 decisions as CSV: team `payments`.")
    assert f"12:{made[-1].hash}" in text
    decide(refund.arn)  # after it was asked for
    (file,) = attachments(context, post)
    rows = list(csv.DictReader(io.StringIO(file.content.decode())))
    assert [row["id"] for row in rows] == [str(one.id) for one in made]
    assert file.name.endswith(".csv")


def test_who_is_no_approver_reads_and_posts_nothing(context: Context, remembered: Remember, decide: Decide) -> None:
    decide(remembered("refund").arn)

    page = said(context, "payments", EVE)

    assert "Nothing was posted. Everybody in a channel reads a file" in click(context, POST, page, EVE).text
    assert "Nothing was posted" in said(context, "payments jsonl", EVE).text
    tried = context.store.decisions.all()[1:]
    assert [(one.kind, one.actor, one.detail["tried"]) for one in tried] == [
        (DecisionKind.REFUSED, EVE, "to post decisions as a file")
    ]
    assert "this is a direct message" in said(context, "payments csv", channel="D0ANA").text
    assert context.store.posts.all(PostKind.HISTORY) == []


def test_the_rule_for_a_file_is_that_of_the_team_that_is_asked_about(
    context: Context, people: Any, remembered: Remember, decide: Decide
) -> None:
    people.of_team = {"payments": (EVE,)}
    decide(remembered("refund").arn)

    assert "comes here" in said(context, "payments jsonl", EVE).text
    assert "comes here" in said(context, "refund jsonl", EVE).text
    assert "Nothing was posted" in said(context, "jsonl", EVE).text
    assert "Nothing was posted" in said(context, "payments jsonl", BO).text


FORMULAS = ("=1+1", "+1", "-1", "@sum(a1)", "\tx", "\rx")


@pytest.mark.parametrize("typed", FORMULAS)
def test_a_spreadsheet_runs_nothing_and_json_is_exact(context: Context, typed: str) -> None:
    odd = Decision(DecisionKind.DENIED, context.clock(), ANA, "", reason=typed, before=typed, detail={"a": "b,\n“"})
    kept = context.store.decisions.record(odd)

    (row,) = csv.DictReader(io.StringIO("".join(csv_lines([kept]))))
    told = json.loads("".join(json_lines([kept])))

    assert row["reason"] == row["before"] == f"'{typed}"
    assert told["reason"] == told["before"] == typed
    assert (row["allowed_by"], row["team"]) == ("not recorded", "not recorded")
    assert (told["allowed_by"], told["team"], told["until"]) == (None, None, None)
    assert tuple(told) == tuple(row) == COLUMNS


def test_from_json_lines_the_hash_can_be_worked_out_again(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    kept = decide(remembered("refund").arn, reason="ünïcode “quoted” \n and more", until=context.clock())

    told = json.loads("".join(json_lines([kept])))

    names = (*COLUMNS[1:5], *COLUMNS[8:13], *COLUMNS[15:21])
    row = {name: told[name] for name in names} | {"detail": to_json(told["detail"])}
    assert hashlib.sha256(to_json(row).encode()).hexdigest() == told["hash"]


def test_an_assignment_that_lists_a_function_is_among_its_decisions(
    context: Context, remembered: Remember, decide: Decide
) -> None:
    refund = remembered("refund")
    decide("", DecisionKind.OWNER_ASSIGNED, detail={"pattern": "ref*", "team": "payments", "functions": [refund.arn]})

    shown = words(said(context, "refund"))

    assert "assigned an owner to functions `ref*`" in shown


def test_a_person_can_be_asked_about_by_days(context: Context, clock: HandClock, decide: Decide) -> None:
    decide()
    clock.forward(days=10)
    decide()

    assert "1 decision: " in said(context, "me 7d").text
    assert "2 decisions: " in said(context, "me 30d").text
    assert date(2026, 11, 23) == context.store.history.page(Search(), 1, 1)[0].at.date()
