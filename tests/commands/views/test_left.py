"""What a fix that did not end well has left on AWS is said wherever its request is shown, with the way back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from commands.views.batch import result
from commands.views.functions import ROW_LIMIT, card_blocks, item_blocks, item_lines
from commands.views.item import Item
from commands.views.left import left_line, left_words
from storage.fixes import AliasMove, FixRequest, Receipt, RequestState
from storage.models import Function, TracingMode

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund"
FUNCTION = Function(arn=ARN, account="111122223333", region="eu-central-1", name="refund", mode=None)
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
MUTE = "arn:aws:iam::111122223333:role/service-role/mute"
GIVEN = Receipt(role=MUTE, policy=DAEMON, policy_intended=DAEMON)
BACK = f"`aws iam detach-role-policy --role-name mute --policy-arn {DAEMON}`"


def ended(state: RequestState = RequestState.FAILED, receipt: Receipt = GIVEN, **more) -> FixRequest:
    given = {"approved_by": "U0ANA", "finished_at": NOW, "outcome": "AWS refused. " * 60} | more
    return FixRequest("id", ARN, "payments", state, NOW, receipt=receipt, **given)


def test_a_policy_that_stays_is_said_in_every_place_and_never_cut_off() -> None:
    shown = Item(FUNCTION, ended())

    line = left_line(shown.request)
    assert line == (
        f"Role `mute` keeps `AWSXRayDaemonWriteAccess`, which this fix gave it. Approve again, or take it back: {BACK}"
    )
    row = item_blocks(shown)[0]["text"]["text"]
    assert line in row
    assert len(row) <= ROW_LIMIT
    assert line in str(card_blocks(shown))
    assert line in item_lines(shown)
    assert "Role `mute` keeps `AWSXRayDaemonWriteAccess`" in result(ended())
    assert len(result(ended())) <= 300


@pytest.mark.parametrize(
    "state",
    [RequestState.OPEN, RequestState.DENIED, RequestState.CANCELLED, RequestState.EXPIRED, RequestState.RESOLVED],
)
def test_it_is_said_however_the_request_went_on(state: RequestState) -> None:
    assert BACK in left_line(ended(state))
    ended_by_people = state not in (RequestState.OPEN, RequestState.RESOLVED)
    assert ("/trace-fix refund" in left_line(ended(state))) is ended_by_people


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (ended(receipt=Receipt(role=MUTE, policy_intended=DAEMON)), "may have been given"),
        (
            ended(receipt=Receipt(role=MUTE, policy="lamplighter-xray-write")),
            "`aws iam delete-role-policy --role-name mute --policy-name lamplighter-xray-write`",
        ),
        (
            ended(receipt=Receipt(mode_before=TracingMode.PASS_THROUGH)),
            "--region eu-central-1 --function-name refund --tracing-config Mode=PassThrough`",
        ),
        (
            ended(receipt=Receipt(moves=(AliasMove("live", "1", "2"),))),
            "`aws lambda update-alias --region eu-central-1 --function-name refund --name live --function-version 1`",
        ),
    ],
    ids=["its answer was lost", "an inline policy", "the mode", "an alias"],
)
def test_each_change_has_its_way_back(request_: FixRequest, words: str) -> None:
    assert words in left_line(request_)


@pytest.mark.parametrize(
    "request_",
    [
        None,
        ended(receipt=Receipt()),
        ended(RequestState.RUNNING),
        ended(RequestState.APPLIED),
        ended(RequestState.UNDONE),
        ended(RequestState.RESOLVED, ended_by="U0ANA"),
    ],
)
def test_nothing_is_said_where_nothing_was_left_or_other_words_say_it(request_: FixRequest | None) -> None:
    assert left_line(request_) == ""
    assert request_ is None or left_words(request_) == ""


def test_a_row_without_room_for_the_commands_leaves_them_to_the_card() -> None:
    moves = tuple(AliasMove(f"alias-{number}", "1", "2") for number in range(3))
    shown = Item(FUNCTION, ended(receipt=replace(GIVEN, moves=moves[:1])))

    row = item_blocks(shown)[0]["text"]["text"]

    assert len(row) <= ROW_LIMIT
    assert "aws iam" not in row
    assert "Role `mute` keeps" in row
    assert BACK in str(card_blocks(shown))
