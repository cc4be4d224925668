import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views import actions, digest, functions
from commands.views.deny import deny_form
from commands.views.exempt import UNTIL, ExemptForm, exempt_form
from commands.views.item import Item
from commands.views.text import clip, escape
from storage.fixes import FixRequest, RequestState
from storage.models import (
    Alias,
    Audit,
    CheckName,
    Coverage,
    Exemption,
    Finding,
    Form,
    Function,
    Manager,
    MayWrite,
    NotScanned,
    ServedVersion,
    TracingMode,
    Verdict,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FUNCTION = Function(
    arn="arn:aws:lambda:eu-central-1:111122223333:function:refund-worker",
    account="111122223333",
    region="eu-central-1",
    name="refund-worker",
    mode=TracingMode.PASS_THROUGH,
    role="arn:aws:iam::111122223333:role/payments-api",
    role_may_write=MayWrite.NO,
    team="payments",
    verdict=Verdict.UNTRACED,
)
REQUEST = FixRequest("token", FUNCTION.arn, "payments", RequestState.OPEN, NOON)
RUNNING = replace(REQUEST, state=RequestState.RUNNING, approved_by="U0ANA", approved_at=NOON)
APPLIED = replace(RUNNING, state=RequestState.APPLIED, finished_at=NOON + timedelta(seconds=42))
FAILED = replace(APPLIED, state=RequestState.FAILED, outcome="The role denies it.")
GONE = replace(REQUEST, state=RequestState.RESOLVED, outcome="The function no longer exists.")
AUDIT = Audit(1, NOON, NOON, 3, 2, 120, 44)
EXEMPTION = Exemption(1, FUNCTION.arn, "moves in OPS-12", "U0BO", NOON, NOON + timedelta(days=90))

HOSTILE = st.text(
    st.one_of(st.sampled_from("<!channel>&@`*_~:|{}\n\r\t\u202e\u200f💡é"), st.characters(codec="utf-8")), max_size=5000
)


def words(blocks: Sequence[dict[str, object]]) -> str:
    """All that people read in these blocks."""
    found: list[str] = []

    def look(part: object) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("text"), str):
                found.append(part["text"])
            for inner in part.values():
                look(inner)
        elif isinstance(part, list):
            for inner in part:
                look(inner)

    look(list(blocks))
    return "\n".join(found)


def buttons(blocks: Sequence[dict[str, object]]) -> list[str]:
    return [element["action_id"] for block in blocks if block["type"] == "actions" for element in block["elements"]]


def test_an_open_row_says_how_it_stands_and_offers_both_ways() -> None:
    made = functions.item_blocks(Item(FUNCTION, REQUEST, sharing=3, since=NOON))

    assert "`refund-worker`" in words(made)
    assert "111122223333 · eu-central-1" in words(made)
    assert "its role may not write to X-Ray" in words(made)
    assert buttons(made) == [actions.APPROVE, actions.EXEMPT]
    assert not message_problems(made)


def test_a_row_keeps_its_block_id_so_that_a_click_on_the_last_drawing_finds_its_button() -> None:
    before = functions.item_blocks(Item(FUNCTION, REQUEST))[-1]
    after = functions.item_blocks(Item(structs.replace(FUNCTION, role_may_write=MayWrite.YES), FAILED))[-1]

    assert before["block_id"] == after["block_id"] == REQUEST.id


def test_the_confirm_dialog_says_what_changes_and_who_shares_the_role() -> None:
    text = actions.confirm_text(Item(FUNCTION, REQUEST, sharing=3))

    assert text == (
        "Sets TracingConfig of refund-worker (111122223333, eu-central-1) from PassThrough to Active. "
        "Role payments-api, which 3 other functions use too, gets AWSXRayDaemonWriteAccess if that is what it lacks.\n"
        "Cost: not known yet; X-Ray bills for traces."
    )
    assert "1 other function uses too" in actions.confirm_text(Item(FUNCTION, REQUEST, sharing=1))
    assert "ole" not in actions.confirm_text(Item(structs.replace(FUNCTION, role_may_write=MayWrite.YES), REQUEST))


@pytest.mark.parametrize(
    ("request_", "said", "offered"),
    [
        (RUNNING, "*Turning on…* asking AWS · approved by <@U0ANA>", []),
        (APPLIED, "*Active since <!date^1795435242^{time}|12:00 UTC>*, approved by <@U0ANA>", []),
        (FAILED, "The role denies it.", [actions.APPROVE, actions.EXEMPT]),
        (
            replace(REQUEST, state=RequestState.RESOLVED, outcome="The function no longer exists."),
            "no longer exists",
            [],
        ),
    ],
    ids=["running", "applied", "failed", "resolved"],
)
def test_a_row_follows_its_request(request_: FixRequest, said: str, offered: list[str]) -> None:
    made = functions.item_blocks(
        Item(structs.replace(FUNCTION, verdict=Verdict.TRACED) if request_.state == "applied" else FUNCTION, request_)
    )

    assert said in words(made)
    assert buttons(made) == offered


ASKED = replace(REQUEST, asked_by="U0EVE", reason="blind in *OPS-12* <!here>", expires_at=NOON + timedelta(days=1))
ENDED = replace(ASKED, ended_by="U0BO", finished_at=NOON, outcome="not <!before> Friday")


def test_what_somebody_asked_for_says_who_why_and_until_when_and_can_be_denied_or_cancelled() -> None:
    made = functions.item_blocks(Item(FUNCTION, ASKED))

    assert re.search(r"Asked for by <@U0EVE>: blind in .*\. Waits until <!date\^[^>]*>\.$", words(made), re.MULTILINE)
    assert "<!here>" not in words(made)
    assert buttons(made) == [actions.APPROVE, actions.DENY, actions.EXEMPT, actions.CANCEL]
    assert "another approver has to click" in words(functions.item_blocks(Item(FUNCTION, ASKED, two_people=True)))
    assert not message_problems(made)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (RequestState.DENIED, "*Denied* by <@U0BO> at"),
        (RequestState.CANCELLED, "*Cancelled* by <@U0BO> at"),
        (RequestState.EXPIRED, "*Expired* at"),
        (RequestState.UNDOING, "*Taking it back…* asking AWS · by <@U0BO>"),
        (RequestState.UNDONE, "*Taken back* by <@U0BO> at"),
    ],
)
def test_what_ended_without_a_fix_is_one_line_without_buttons(state: RequestState, said: str) -> None:
    made = functions.item_blocks(Item(FUNCTION, replace(ENDED, state=state)))

    assert said in words(made)
    assert "<!before>" not in words(made)
    assert len(words(made).splitlines()) == 2
    assert buttons(made) == []


def test_the_message_of_a_request_has_room_for_long_names_and_the_whole_reason() -> None:
    long = structs.replace(
        FUNCTION, name="n" * 64, role=f"arn:aws:iam::1:role/{'r' * 64}", managed_by=Manager.SERVERLESS
    )
    asked = replace(ASKED, reason="&" * 200)

    (row, *_) = functions.request_blocks(Item(long, asked, since=NOON, two_people=True))

    assert "another approver has to click." in row["text"]["text"]


def test_what_an_undo_left_as_it_was_is_said_beside_what_it_took_back() -> None:
    undone = replace(
        ENDED,
        state=RequestState.UNDONE,
        approved_by="U0ANA",
        outcome="Tracing is off again.",
        note="role `payments-api` keeps its permission: `ledger` needs it",
    )

    (_, line) = words(functions.item_blocks(Item(FUNCTION, undone))).splitlines()

    assert line.endswith(
        ". Tracing is off again. Role `payments-api` keeps its permission: `ledger` needs it. "
        "It had been approved by <@U0ANA>."
    )


@pytest.mark.parametrize(
    ("reason", "ends"), [("Not on Friday", "Not on Friday."), ("Why?", "Why?"), ("Wait.", "Wait.")]
)
def test_what_people_wrote_ends_as_a_sentence(reason: str, ends: str) -> None:
    denied = replace(ENDED, state=RequestState.DENIED, outcome=reason)

    assert words(functions.item_blocks(Item(FUNCTION, denied))).endswith(f": {ends}")


def test_an_applied_fix_can_be_undone_while_there_is_time() -> None:
    lit = structs.replace(FUNCTION, mode=TracingMode.ACTIVE, role_may_write=MayWrite.YES, verdict=Verdict.TRACED)
    applied = replace(APPLIED, undo_until=NOON + timedelta(days=1))

    made = functions.item_blocks(Item(lit, applied))

    assert buttons(made) == [actions.UNDO]
    assert made[-1]["elements"][0]["confirm"]
    assert not message_problems(made)
    assert buttons(functions.item_blocks(Item(FUNCTION, applied))) == [actions.EXEMPT, actions.UNDO]


def test_the_form_of_a_denial_fits_whatever_was_asked() -> None:
    view = deny_form(FUNCTION, replace(ASKED, reason="<!here>" * 200))

    assert view["private_metadata"] == "token"
    assert "<!here>" not in words(view["blocks"])
    assert not view_problems(view)


def test_a_fix_that_leaves_an_alias_dark_is_no_success() -> None:
    dark = structs.replace(FUNCTION, mode=TracingMode.ACTIVE, role_may_write=MayWrite.YES)
    noted = replace(APPLIED, note="alias `live` serves version 1, which is not traced: it needs a deployment")

    made = words(functions.item_blocks(Item(dark, noted)))

    assert "$LATEST is Active since" in made
    assert buttons(functions.item_blocks(Item(dark, noted))) == [actions.EXEMPT, actions.SHOW_PATCH]
    assert "this is not enough. Alias `live` serves version 1" in made
    assert ":white_check_mark:" not in made


def test_the_headline_counts_what_is_still_untraced() -> None:
    def headline(untraced: int) -> str:
        made = digest.digest_blocks(
            "payments",
            [Item(FUNCTION, REQUEST)],
            untraced=untraced,
            audit=AUDIT,
            coverage=Coverage(),
            approvers=(),
            tag_keys=("team",),
        )
        return words(made).splitlines()[0]

    assert headline(6) == "6 Lambda functions without active tracing"
    assert headline(1) == "1 Lambda function without active tracing"
    assert headline(0) == "1 Lambda function: all traced or exempt by now"


def test_an_exempt_row_says_until_when_who_and_why() -> None:
    resolved = replace(REQUEST, state=RequestState.RESOLVED, outcome="Exempt.")

    made = functions.item_blocks(Item(structs.replace(FUNCTION, verdict=Verdict.EXEMPT), resolved, EXEMPTION))

    assert "granted by <@U0BO>: moves in OPS-12" in words(made)
    assert buttons(made) == []


def test_a_function_that_only_an_alias_leaves_dark_has_no_fix_button() -> None:
    served = Alias("live", (ServedVersion("3", TracingMode.PASS_THROUGH),))
    finding = Finding(CheckName.ALIAS_UNTRACED, "Alias live serves version 3, which is not Active.")
    dark = structs.replace(
        FUNCTION, mode=TracingMode.ACTIVE, role_may_write=MayWrite.YES, aliases=(served,), findings=(finding,)
    )

    made = functions.card_blocks(Item(dark, REQUEST))

    assert buttons(made) == [actions.EXEMPT, actions.SHOW_PATCH]
    assert "A fix of $LATEST changes nothing here" in words(made)
    assert "Alias live serves version 3" in words(made)
    assert not message_problems(made)


def test_a_card_tells_all_about_a_function() -> None:
    made = functions.card_blocks(Item(structs.replace(FUNCTION, verdict=Verdict.EXEMPT), None, EXEMPTION, since=NOON))

    for said in ("PassThrough", "exempt since", "`payments-api`", "payments", "moves in OPS-12", "none in use"):
        assert said in words(made)
    assert not message_problems(made)


BESIDE = tuple(
    Finding(check, f"The sentence of {check}.")
    for check in (
        CheckName.STARVED,
        CheckName.SURFACE_ONLY,
        CheckName.TRACED_ELSEWHERE,
        CheckName.RUNTIME_BLOCKED,
        CheckName.UNOWNED,
    )
)


def test_a_row_keeps_to_what_matters_for_the_click_and_a_card_says_everything() -> None:
    noisy = structs.replace(FUNCTION, findings=BESIDE)

    row, listed = words(functions.item_blocks(Item(noisy, REQUEST))), functions.line(noisy)
    for shown in (row, listed):
        assert "traced_elsewhere" in shown
        assert "runtime_blocked" in shown
        assert not any(name in shown for name in ("starved", "surface_only", "unowned"))
    assert "PassThrough" not in listed  # its heading says that it is not traced
    assert "$LATEST is Active" in functions.line(structs.replace(noisy, mode=TracingMode.ACTIVE))
    card = words(functions.card_blocks(Item(noisy, REQUEST)))
    assert all(f"The sentence of {finding.check}." in card for finding in BESIDE)


@pytest.mark.parametrize(
    ("facts", "row", "card"),
    [
        ({}, "", "not known"),
        ({"team_known": False}, "", "not known: its tags could not be read"),
        (
            {"managed_by": Manager.SAM, "stack": "payments-prod", "logical_id": "RefundFunction"},
            "deployed by AWS SAM",
            "AWS SAM, stack `payments-prod`, resource `RefundFunction`",
        ),
        ({"managed_by": Manager.CDK, "stack": "s"}, "deployed by AWS CDK", "AWS CDK, stack `s`"),
    ],
)
def test_what_deploys_a_function_is_said(facts: dict[str, object], row: str, card: str) -> None:
    deployed = structs.replace(FUNCTION, **facts)

    assert ("deployed by" in words(functions.item_blocks(Item(deployed, REQUEST)))) == bool(row)
    assert row in words(functions.item_blocks(Item(deployed, REQUEST)))
    made = functions.card_blocks(Item(deployed, REQUEST))
    assert f"*Deployed by*\n{card}\n" in words(made)
    assert not message_problems(made)


def test_managed_instances_need_a_version_and_no_alias() -> None:
    finding = Finding(CheckName.ALIAS_UNTRACED, "Calls run $LATEST.PUBLISHED.")
    published = structs.replace(FUNCTION, forms=(Form.MANAGED_INSTANCES,), findings=(finding,))
    lit = structs.replace(published, mode=TracingMode.ACTIVE, role_may_write=MayWrite.YES)

    assert "What is published needs a deployment besides." in actions.confirm_text(Item(published, REQUEST))
    assert "changes nothing here: publish it." in words(functions.card_blocks(Item(lit, REQUEST)))


def test_a_digest_counts_names_the_team_and_what_was_not_seen() -> None:
    partly = replace(AUDIT, not_scanned=(NotScanned("444455556666", "", "AccessDenied: no"),))
    made = digest.digest_blocks(
        "payments",
        [Item(FUNCTION, REQUEST)],
        audit=partly,
        coverage=Coverage(traced=18, untraced=1, exempt=2, unknown=1),
        approvers=(),
        tag_keys=("team",),
        untraced=1,
    )

    assert "1 Lambda function without active tracing" in words(made)
    assert "Team *payments* · 18 of 21 traced (85.7 %) · 2 exempt · 1 unknown" in words(made)
    assert "444455556666" in words(made)
    assert "name approvers under [policy]" in words(made)


def test_a_full_page_fits_a_message() -> None:
    asked = {"asked_by": "U0EVE", "reason": "r" * 500, "expires_at": NOON}
    failed = replace(FAILED, outcome="e" * 3000, **asked)
    items = [
        Item(structs.replace(FUNCTION, name=f"{'n' * 140}{number}"), replace(failed, id=f"token{number}"))
        for number in range(digest.PAGE)
    ]
    made = digest.digest_blocks(
        "payments",
        items,
        audit=AUDIT,
        coverage=Coverage(),
        approvers=("<@U0ANA>",),
        tag_keys=("team",),
        untraced=400,
    )

    assert len(made) <= 50
    assert "400 Lambda functions without active tracing" in words(made)
    assert not message_problems(made)
    assert not blocks_are_too_long(made)


def test_the_form_carries_the_request_and_the_days_that_policy_says() -> None:
    view = exempt_form(ExemptForm("token", FUNCTION, "payments", date(2027, 2, 21), date(2027, 11, 23)))

    assert view["private_metadata"] == "token"
    (until,) = (block for block in view["blocks"] if block.get("block_id") == UNTIL)
    assert until["element"]["initial_date"] == "2027-02-21"
    assert until["hint"]["text"].endswith("Nov 23, 2027 at the latest.")
    assert not view_problems(view)


UNSEEN = (NotScanned("organization", "", "only the first 20 accounts were listed"), NotScanned("4", "x", "no"))


def test_coverage_says_what_was_not_seen_wherever_it_is_shown() -> None:
    partly, coverage = replace(AUDIT, not_scanned=UNSEEN), Coverage(traced=3, untraced=1)
    said = "Not fully seen: organization: only the first 20 accounts were listed (and 1 more)"

    assert said in words(digest.everything_blocks(partly, coverage, {"payments": coverage}))
    assert said in words(digest.team_blocks("payments", [FUNCTION], audit=partly, coverage=coverage, channel="#c"))
    assert digest.everything_text(partly, coverage).endswith(f"; 120 functions. {said}")
    assert digest.team_text("payments", [FUNCTION], partly, coverage).endswith(f". {said}")
    assert "Not fully seen" not in digest.everything_text(AUDIT, coverage)


def test_everything_is_a_line_for_each_team() -> None:
    teams = {f"team-{number}": Coverage(traced=3, untraced=number) for number in range(300)} | {
        None: Coverage(untraced=1)
    }
    made = digest.everything_blocks(AUDIT, Coverage(traced=900), teams)

    assert "*team-299*: 299 untraced" in words(made)
    assert re.search(r"and \d+ more teams", words(made))
    assert not message_problems(made)
    assert not blocks_are_too_long(made)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("two\nlines", "two lines"),
        ("role_name_x stays", "role_name_x stays"),
        (":tada: is no emoji", ":\u200btada: is no emoji"),
        ("at 10:42:07", "at 10:42:07"),
        ("\u202estnemyap\u202c", "stnemyap"),
        ("*bold* `code`", "*\u200bbold*\u200b `\u200bcode`\u200b"),
    ],
)
def test_what_people_write_is_shown_and_means_nothing(typed: str, shown: str) -> None:
    assert escape(typed) == shown


@given(HOSTILE, st.integers(20, 400))
@settings(max_examples=200, deadline=None)
def test_cutting_never_leaves_half_a_mark(text: str, limit: int) -> None:
    cut = clip(escape(text), limit)

    assert len(cut) <= limit
    assert not cut.rstrip("…").endswith(("&", "&a", "&am", "&amp", "&l", "&lt", "&g", "&gt"))
    assert "<" not in cut


@given(name=st.text(min_size=1, max_size=140), reason=HOSTILE, team=st.one_of(st.none(), HOSTILE))
@settings(max_examples=100, deadline=None)
def test_no_input_breaks_slacks_limits_or_mentions_anybody(name: str, reason: str, team: str | None) -> None:
    hostile = structs.replace(
        FUNCTION,
        name=name,
        team=team,
        role=f"arn:aws:iam::1:role/{name}",
        findings=(Finding(CheckName.ALIAS_UNTRACED, reason),) * 3,
    )
    failed = replace(FAILED, outcome=reason, note=reason, step=reason)
    exemption = replace(EXEMPTION, reason=reason)
    for item in (
        Item(hostile, REQUEST, exemption, sharing=12_345, since=NOON),
        Item(hostile, replace(failed, state=RequestState.RUNNING)),
        Item(hostile, failed),
        Item(hostile, replace(failed, state=RequestState.APPLIED)),
        Item(hostile, replace(failed, state=RequestState.RESOLVED), exemption),
        Item(hostile, replace(failed, asked_by="U0EVE", reason=reason, expires_at=NOON), two_people=True),
        *(Item(hostile, replace(failed, state=state)) for state in (RequestState.DENIED, RequestState.UNDONE)),
    ):
        page = digest.digest_blocks(
            team,
            [item],
            audit=replace(AUDIT, not_scanned=(NotScanned(name, name, reason),)),
            coverage=Coverage(1, 2, 3, 4, 5),
            approvers=("<@U0ANA>",),
            tag_keys=("team",),
            untraced=1,
        )
        for made in (page, functions.card_blocks(item), [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]):
            assert not message_problems(made)
            assert not blocks_are_too_long(made)
            assert "<!channel" not in words(made)
            assert "<!here" not in words(made)
        assert len(digest.digest_text(team, [item], 1)) <= 3000
    assert not view_problems(exempt_form(ExemptForm("token", hostile, team, date(2027, 2, 21), date(2027, 11, 23))))
