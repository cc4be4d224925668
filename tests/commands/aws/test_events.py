"""Messages of the queue: what they tell, what is of no matter, and what nobody can read."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.aws.trail import event
from commands.aws.events import Unreadable, read
from storage.events import Happened, Noticed

ACCOUNT, OTHER, BERLIN = "111122223333", "444455556666", "eu-central-1"
EVENT_ID = "11111111-2222-3333-4444-555555555555"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def of(api: str, asked: dict[str, Any], service: str = "lambda", **more: Any) -> str:
    made = event(
        ACCOUNT, BERLIN, service, api, asked, NOON, **{"eventID": "11111111-2222-3333-4444-555555555555", **more}
    )
    return json.dumps(made)


@pytest.mark.parametrize(
    ("api", "happened"),
    [
        ("CreateFunction20150331", Happened.CREATED),
        ("CreateFunction", Happened.CREATED),
        ("CreateFunction20301231v7", Happened.CREATED),
        ("UpdateFunctionConfiguration20150331v2", Happened.CHANGED),
        ("DeleteFunction20150331", Happened.CHANGED),
        ("PublishVersion20150331", Happened.CHANGED),
        ("CreateAlias20150331", Happened.CHANGED),
        ("UpdateAlias20150331", Happened.CHANGED),
    ],
)
def test_a_change_of_a_function_is_told_whatever_the_date_of_the_api(api: str, happened: Happened) -> None:
    told = read(of(api, {"functionName": "refund"}))

    assert told == Noticed(EVENT_ID, happened, ACCOUNT, BERLIN, "refund")


@pytest.mark.parametrize(
    ("name", "account", "region"),
    [
        ("refund", ACCOUNT, BERLIN),
        ("refund:live", ACCOUNT, BERLIN),
        ("refund:$LATEST", ACCOUNT, BERLIN),
        (f"{OTHER}:function:refund", OTHER, BERLIN),
        (f"{OTHER}:refund", OTHER, BERLIN),
        (f"arn:aws:lambda:us-east-1:{OTHER}:function:refund", OTHER, "us-east-1"),
        (f"arn:aws-us-gov:lambda:us-gov-west-1:{OTHER}:function:refund:7", OTHER, "us-gov-west-1"),
    ],
)
def test_a_function_is_named_as_callers_may_name_it(name: str, account: str, region: str) -> None:
    told = read(of("UpdateFunctionConfiguration20150331v2", {"functionName": name}))

    assert told
    assert (told.account, told.region, told.name) == (account, region, "refund")


@pytest.mark.parametrize(
    "api", "AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy PutRolePermissionsBoundary".split()
)
def test_a_change_of_a_role_is_told_without_a_region(api: str) -> None:
    told = read(of(api, {"roleName": "payments-role"}, "iam"))

    assert told
    assert (told.happened, told.account, told.region, told.name) == (
        Happened.ROLE_CHANGED,
        ACCOUNT,
        "",
        "payments-role",
    )


def test_a_notification_of_sns_is_opened() -> None:
    inner = of("CreateFunction20150331", {"functionName": "refund"})
    told = read(json.dumps({"Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": inner}))

    assert told
    assert told.name == "refund"


@pytest.mark.parametrize(
    "body",
    [
        of("CreateFunctionUrlConfig20211031", {"functionName": "refund"}),
        of("UpdateFunctionCode20150331v2", {"functionName": "refund"}),
        of("CreateFunction20150331", {"functionName": "refund"}, errorCode="AccessDenied"),
        of("CreateFunction20150331", {}, errorCode="ValidationException", errorMessage="1 validation error"),
        of("CreateFunction20150331", {"functionName": "refund"}, "s3"),
        of("CreateRole", {"roleName": "x"}, "iam"),
        of("TagResource20170331v2", {"resource": f"arn:aws:lambda:{BERLIN}:{ACCOUNT}:event-source-mapping:1-2"}),
        json.dumps({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}),
    ],
)
def test_what_changes_no_tracing_is_of_no_matter(body: str) -> None:
    assert read(body) is None


def without(*path: str) -> str:
    made = json.loads(of("CreateFunction20150331", {"functionName": "refund"}))
    part = made
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return json.dumps(made)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "the message is not JSON"),
        ("{", "the message is not JSON"),
        ("[" * 5000, "the message is not JSON"),
        ("[]", "no object"),
        ('"CreateFunction"', "no object"),
        ("null", "no object"),
        ("{}", "no detail-type"),
        (json.dumps({"Type": "Notification", "Message": "hello"}), "the notification is not JSON"),
        (json.dumps({"Type": "SubscriptionConfirmation", "Message": "hello"}), "no detail-type"),
        (without("detail"), "no detail"),
        (without("detail", "eventName"), "no eventName"),
        (without("detail", "eventSource"), "no eventSource"),
        (without("detail", "requestParameters"), "names no function"),
        (of("CreateFunction20150331", {"functionName": ["refund"]}), "names no function"),
        (of("CreateFunction20150331", {"functionName": "x" * 100_000}), "names no function"),
        (of("CreateFunction20150331", {"functionName": "<!channel>"}), "names no function"),
        (of("PutRolePolicy", {"roleName": "x" * 65}, "iam"), "names no role"),
        (of("PutRolePolicy", {}, "iam"), "names no role"),
        (of("CreateFunction20150331", {"functionName": "refund"}, awsRegion="moon", recipientAccountId="1"), ""),
    ],
)
def test_what_cannot_be_read_says_why_and_repeats_nothing(body: str, why: str) -> None:
    if not why:
        assert read(body) is not None  # the envelope says it too
        return
    with pytest.raises(Unreadable, match=why) as problem:
        read(body)
    assert "refund" not in str(problem.value)
    assert "hello" not in str(problem.value)


def test_an_account_and_a_region_are_needed() -> None:
    made = json.loads(of("CreateFunction20150331", {"functionName": "refund"}, recipientAccountId="", awsRegion=""))
    for key, why in (("account", "no account"), ("region", "no region")):
        with pytest.raises(Unreadable, match=why):
            read(json.dumps(made | {key: None}))


def test_an_event_without_an_id_of_cloudtrails_is_known_by_the_envelopes_or_by_itself() -> None:
    made = json.loads(of("CreateFunction20150331", {"functionName": "refund"}, eventID=""))
    by_envelope, by_itself = read(json.dumps(made)), read(json.dumps(made | {"id": "x" * 900}))

    assert by_envelope
    assert by_itself
    assert by_envelope.id == made["id"]
    assert len(by_itself.id) == 64
    assert read(json.dumps(made | {"id": "x" * 900})) == by_itself


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELD = st.sampled_from(["detail-type", "detail", "account", "region", "id", "Type", "Message"])
INNER = st.sampled_from(
    "eventName eventSource requestParameters recipientAccountId awsRegion eventID errorCode responseElements".split()
)


@given(st.text(), st.dictionaries(FIELD, JSON), st.dictionaries(INNER, JSON))
def test_nothing_that_anybody_may_send_does_more_than_be_refused(
    text: str, envelope: dict[str, Any], detail: dict[str, Any]
) -> None:
    real = json.loads(of("CreateFunction20150331", {"functionName": "refund"}))
    made = {**real, **envelope}
    if isinstance(made.get("detail"), dict):
        made["detail"] = {**made["detail"], **detail}
    for body in (text, json.dumps(made)):
        told = read_or_refused(body)
        assert told is None or isinstance(told, str) or (len(told.id) <= 64 and len(told.name) <= 140)


def read_or_refused(body: str) -> Noticed | str | None:
    try:
        return read(body)
    except Unreadable as problem:
        return str(problem)
